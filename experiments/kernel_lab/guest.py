"""The guest's /init, compiled where a source changed, and the initrd that carries it with its program."""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import cache
from .initrd import archive

SOURCES = Path(__file__).parent / "guest"
COMPILER = "gcc"
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread")


def initrd(program: str) -> bytes:
    files = {"init": init().read_bytes(), "scenario.txt": program.encode()}
    return gzip.compress(archive(files), compresslevel=1, mtime=0)


def init() -> Path:
    """The static program in the cache; ValueError has the compiler's first error if it does not compile."""
    path = cache.folder() / "guest" / fingerprint()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _compile(path)
    return path


def fingerprint() -> str:
    """Of all that the program is made from."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for source in sorted(SOURCES.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _compile(path: Path) -> None:
    if shutil.which(COMPILER) is None:
        raise ValueError(f"{COMPILER}: not found, install by: apt install gcc libc6-dev")
    sources = [f"{source}" for source in sorted(SOURCES.glob("*.c"))]
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
        made = f"{folder}/init"
        done = subprocess.run([COMPILER, *FLAGS, "-o", made, *sources, "-lm"], capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or ["failed"]
            raise ValueError(f"{COMPILER}: the guest program: {lines[0]}")
        os.replace(made, path)
