"""The decorator of every model function, and where compiled code is kept.

numba's cache looks only at the file that defines a function and would serve a stale caller after a
callee in another file changed; so the cache directory is named by a hash of all model sources.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numba


def model_hash() -> str:
    """Hash of every source of the model: what a stored result was computed with."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def cache_dir() -> Path:
    """RECLAIM_CACHE_DIR, or the user's cache folder; one folder per model hash and place of the package."""
    root = os.environ.get("RECLAIM_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    place = hashlib.sha256(str(Path(__file__).parent).encode()).hexdigest()[:8]
    return Path(root).expanduser() / "reclaim-env" / f"{model_hash()}-{place}"


def is_compiled() -> bool:
    """Has an earlier process compiled this version? The folder alone says nothing: importing makes it."""
    return any(cache_dir().rglob("tick.step_rows*.nbi"))


_CACHE_DIR = str(cache_dir())


def kernel(function: Callable) -> Callable:
    """njit without the GIL, IEEE division, no fastmath; compiled once per model version."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _CACHE_DIR
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before


def inlined(function: Callable) -> Callable:
    """A function that becomes part of its callers before they are compiled.

    For what is called from one place, or is tiny: numba optimises every function anew with all it
    calls, at each level of calls, so a deep chain of small functions would take minutes to compile.
    """
    return numba.njit(nogil=True, error_model="numpy", inline="always")(function)
