"""Where the lab keeps what it built: a folder that can be deleted at any time and made again."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reclaim-env" / "kernel"


def tree() -> Path:
    """The source with our change applied."""
    return folder() / "source"


def objects() -> Path:
    """What the compiler made; an interrupted build goes on here."""
    return folder() / "build"


def image() -> Path:
    return folder() / "bzImage"


def manifest() -> Path:
    """What the image was built from; written last, so that it vouches for the image."""
    return folder() / "build.json"


def log() -> Path:
    """The whole output of the last make."""
    return folder() / "make.log"


@contextmanager
def locked() -> Iterator[None]:
    """One build at a time; the lock goes with the process that holds it."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another kernel build is under way in {folder()}: wait for it, or end it"
            ) from None
        yield
