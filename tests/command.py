"""`reclaim` in a process of its own, as a user runs it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def reclaim(*words: str, folder: Path, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command(*words), cwd=folder, capture_output=True, text=True, timeout=250, **options)


def command(*words: str) -> list[str]:
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from experiments.cli import main; main()"
    return [sys.executable, "-c", start, str(ROOT), *words]
