"""The decorator of every compiled function here; its cache folder is named by a hash of these sources."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def _sources_hash() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256(f"{numba.__version__} {here}".encode())
    for source in sorted(here.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _cache_dir() -> str:
    root = os.environ.get("RECLAIM_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return str(Path(root).expanduser() / "reclaim-env" / f"reference-{_sources_hash()}")


_CACHE_DIR = _cache_dir()


def compiled(function: Callable, forceinline: bool = False) -> Callable:
    """njit without the GIL, IEEE division, no fastmath.

    And without numba's runtime: nothing here makes an array (numba refuses to compile what would), and to
    count references to the arrays of a machine, an atomic instruction each, took half of the time.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _CACHE_DIR
    try:
        return numba.njit(cache=True, forceinline=forceinline, **options)(function)
    finally:
        numba.config.CACHE_DIR = before


def inlined(function: Callable) -> Callable:
    """Compiled into its callers: the steps of every pass, touch and read. A call passes all of the machine on
    the stack, more than a hundred words, which took seven eighths of what was left of a spin's time."""
    return compiled(function, forceinline=True)
