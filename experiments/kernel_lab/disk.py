"""The data disk: every file of a scenario on one read-only ext4 image, made once for each layout."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reclaim_env.model.constants import PAGE_BYTES

from . import cache
from .translate import DiskFile

_SLACK_BYTES = 32 * 2**20  # superblocks, bitmaps, folders
_SLACK_RATIO = 1.03  # extents and inode tables
_BLOCK = bytes(range(1, 256)) * (-(-(2**20) // 255))  # no page of zeros: those would become holes


def image(layout: Sequence[DiskFile]) -> Path:
    """The image in the cache; made if there is none of this layout."""
    path = cache.folder() / "disks" / f"{_fingerprint(layout)}.ext4"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(layout, path)
    return path


def _fingerprint(layout: Sequence[DiskFile]) -> str:
    text = json.dumps([(file.path, file.pages) for file in layout])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _make(layout: Sequence[DiskFile], path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for file in layout:
            _write_file(data / file.path, file.pages * PAGE_BYTES)
        made = Path(folder) / "image"
        _format(made, data, sum(file.pages for file in layout) * PAGE_BYTES)
        shutil.rmtree(data)
        os.replace(made, path)


def _write_file(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        for begin in range(0, size_bytes, 2**20):
            file.write(_BLOCK[: min(2**20, size_bytes - begin)])


def _format(path: Path, data: Path, data_bytes: int) -> None:
    """Without a journal: nothing is ever written. mke2fs fills the image from the folder."""
    size_kib = int(data_bytes * _SLACK_RATIO + _SLACK_BYTES) // 1024
    command = [_mke2fs(), "-q", "-F", "-t", "ext4", "-b", f"{PAGE_BYTES}", "-m", "0"]
    command += ["-O", "^has_journal", "-d", f"{data}", f"{path}", f"{size_kib}k"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"mke2fs: {' '.join(done.stderr.split()) or 'failed'}")


def _mke2fs() -> str:
    """Administrators' folders are not on everybody's PATH."""
    found = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise ValueError("mke2fs: not found, install by: apt install e2fsprogs")
    return found
