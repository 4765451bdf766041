"""The guest's /init, compiled where a source changed, and the initrd that carries it with its program."""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import cache

SOURCES = Path(__file__).parent / "guest"
COMPILER = "gcc"
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread")
_REGULAR, _FOLDER, _DEVICE = 0o100755, 0o040755, 0o020600  # modes of a cpio entry
_CONSOLE = (5, 1)


def init() -> Path:
    """The static program in the cache; ValueError has the compiler's first line if it does not compile."""
    path = cache.folder() / "guest" / _fingerprint()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _compile(path)
    return path


def initrd(program: str) -> bytes:
    """A gzipped cpio archive: /init, /scenario.txt, and a console to speak to before /dev is mounted."""
    entries = (
        _entry(1, "dev", _FOLDER),
        _entry(2, "dev/console", _DEVICE, device=_CONSOLE),
        _entry(3, "init", _REGULAR, init().read_bytes()),
        _entry(4, "scenario.txt", _REGULAR, program.encode()),
        _entry(0, "TRAILER!!!", 0),
    )
    return gzip.compress(b"".join(entries), compresslevel=1, mtime=0)


def _fingerprint() -> str:
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
        done = subprocess.run(
            [COMPILER, *FLAGS, "-o", made, *sources, "-lm"], capture_output=True, text=True
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or ["failed"]
            raise ValueError(f"{COMPILER}: the guest program: {lines[0]}")
        os.replace(made, path)


def _entry(inode: int, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """One file of a cpio archive in the new ASCII format."""
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return _padded(header) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
