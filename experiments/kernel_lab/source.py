"""The Linux source the lab kernel is built from: the distribution's, or one the user names."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RELEASE = "6.12"
INSTALLED = Path("/usr/src")
NO_KERNEL = "no Makefile of a Linux kernel there, wanted an archive of a source tree or its top folder"
ARCHIVES = (".tar.xz", ".tar.gz", ".tar.bz2", ".tar.zst")


def find() -> Path | None:
    """The distribution's archive, or the tree of one that was unpacked beside it."""
    named = sorted(INSTALLED.glob(f"linux-source-{RELEASE}*"))
    archives = [path for path in named if path.name.endswith(ARCHIVES)]
    return next(iter(archives or [path for path in named if (path / "Makefile").is_file()]), None)


def identity(source: Path) -> str:
    """Differs where the source does: an archive by its bytes, a tree by its files' names, sizes and times."""
    if source.is_file():
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    if _version(source) is None:
        raise ValueError(f"--source {source}: {NO_KERNEL}")
    digest = hashlib.sha256()
    for path in sorted(_files(source)):
        status = path.lstat()
        digest.update(f"{path.relative_to(source)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


@contextmanager
def unpacked(source: Path, folder: Path) -> Iterator[Path]:
    """A tree in `folder` for us to change and move to its place, else it goes; the source stays as it is."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as scratch:
        fresh = Path(scratch) / "source"
        if source.is_dir():
            shutil.copytree(source, fresh, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        else:
            _unpack(source, fresh)
        if _version(fresh) is None:
            raise ValueError(f"--source {source}: {NO_KERNEL}")
        yield fresh


def version(tree: Path) -> str:
    found = _version(tree)
    if found is None:
        raise ValueError(f"{tree}: {NO_KERNEL}")
    return found


def _version(tree: Path) -> str | None:
    """As `make kernelversion` says it, without running anything of the tree."""
    makefile = tree / "Makefile"
    text = makefile.read_text(errors="replace") if makefile.is_file() else ""
    parts = [re.search(rf"^{name} = *(\d+) *$", text, re.M) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    return ".".join(part[1] for part in parts if part) if all(parts) else None


def _files(source: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name != ".git"]
        found += [Path(folder) / name for name in names]
    return found


def _unpack(archive: Path, fresh: Path) -> None:
    """The archive's one top folder becomes `fresh`."""
    scratch = fresh.with_name("archive")
    scratch.mkdir()
    done = subprocess.run(["tar", "-xf", archive, "-C", scratch], capture_output=True, text=True)
    tops = [path for path in scratch.iterdir() if path.is_dir()]
    if done.returncode or len(tops) != 1:
        reason = done.stderr.strip().splitlines()[:1] or [f"{len(tops)} folders at its top, wanted one"]
        raise ValueError(f"--source {archive}: cannot be unpacked: {reason[0]}")
    tops[0].rename(fresh)
