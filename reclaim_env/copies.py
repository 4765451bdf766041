"""Records copied word by word: numpy copies structured arrays field by field, thirty times slower."""

import numpy as np

_WORD = np.uint64  # every field is 8 bytes long, or a table of such


def copied(records: np.ndarray) -> np.ndarray:
    """A new array, C-contiguous, equal to contiguous records of any shape."""
    return records.view(_WORD).copy().view(records.dtype)


def put_rows(records: np.ndarray, rows: np.ndarray, one: np.ndarray) -> None:
    """Makes these rows of contiguous (n,) records equal to one record."""
    records.view(_WORD).reshape(len(records), -1)[rows] = one.reshape(1).view(_WORD)


def put(target: np.ndarray, source: np.ndarray) -> None:
    """Makes target equal to source; both contiguous, of one shape."""
    target.view(_WORD)[...] = source.view(_WORD)
