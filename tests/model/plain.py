"""The model as plain Python: its sources loaded once more beside the compiled ones, with numba switched off.

Hand-worked cases run here, where every function can be called in milliseconds, and so do mutants of the
model, from a folder of their own. test_jit.py holds the two readings of the sources together, bit for bit.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numba
import numpy as np

import reclaim_env.model

MODEL_FOLDER = Path(reclaim_env.model.__file__).parent
PACKAGE = "reclaim_env.model"


class Record(np.record):
    """A record whose fields win over numpy's own attributes (an array has a `device`, too)."""

    def __getattribute__(self, name):
        if name not in object.__getattribute__(self, "dtype").fields:
            return object.__getattribute__(self, name)
        field = self[name]
        if isinstance(field, (np.void, np.ndarray)) and field.dtype.names is not None:
            return field.view((Record, field.dtype))
        return field

    def __setattr__(self, name, value):
        self[name] = value


def as_records(machines: np.ndarray) -> np.ndarray:
    """The same memory, with fields as attributes: what compiled code sees."""
    return machines.view(np.dtype((Record, machines.dtype)))


def load_plain_model(folder: Path = MODEL_FOLDER) -> ModuleType:
    """The package reclaim_env.model with the sources of `folder`, uncompiled; sys.modules stays as it was."""
    compiled = {name: sys.modules.pop(name) for name in _loaded()}
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    before = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = True
    try:
        for source in sorted(folder.glob("[a-z]*.py")):
            importlib.import_module(f"{PACKAGE}.{source.stem}")
        return package
    finally:
        numba.config.DISABLE_JIT = before
        for name in _loaded():
            del sys.modules[name]
        sys.modules.update(compiled)


def _loaded() -> list[str]:
    return [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]
