"""What `info` says of every row: the time, the counters, the pressures, and what the interval cost."""

from itertools import chain, groupby
from typing import Any

import numpy as np

from reclaim_env.counters import VMSTAT_NAMES, WORDS, sum_nodes
from reclaim_env.model.constants import PRESSURES
from reclaim_env.model.kernel import kernel
from reclaim_env.reward import COST_TERMS

_PRESSURE_NAMES = tuple(f"pressure_{name}_s" for name in PRESSURES)
_COST_NAMES = tuple(f"cost_{term}_s" for term in COST_TERMS)
INFO_NAMES = ("time_s", *VMSTAT_NAMES, *_PRESSURE_NAMES, *_COST_NAMES)
_MASK_NAMES = tuple(f"_{name}" for name in INFO_NAMES)

_FIRST_COUNTER = 1
_PRESSURE_AT = _FIRST_COUNTER + len(VMSTAT_NAMES)
_COST_AT = _PRESSURE_AT + len(PRESSURES)


def _blocks() -> list[tuple[bool, slice]]:
    """Neighbours of INFO_NAMES with one type: (are they floats, where they stand)."""
    kinds = ["f", *(field.kind for _, field in WORDS), *"f" * (len(PRESSURES) + len(COST_TERMS))]
    blocks, first = [], 0
    for kind, group in groupby(kinds):
        last = first + len(list(group))
        blocks.append((kind == "f", slice(first, last)))
        first = last
    return blocks


_BLOCKS = _blocks()


@kernel
def fill_rows(envs, rows, counts, lost_s, words):
    """The rows' columns of words, (len(INFO_NAMES), num_envs) int64, of which some are the bytes of a float.

    counts: (num_envs, num_nodes * words of VMSTAT) int64, where their counters stand; lost_s: (num_envs,
    terms), what their interval cost.
    """
    sum_nodes(counts, rows, words[_FIRST_COUNTER:_PRESSURE_AT])
    numbers = words.view(np.float64)
    for j in range(rows.size):
        i = rows[j]
        numbers[0, i] = envs[i].time_s
        for pressure in range(_COST_AT - _PRESSURE_AT):
            numbers[_PRESSURE_AT + pressure, i] = envs[i].psi.total_s[pressure]
        for term in range(lost_s.shape[1]):
            numbers[_COST_AT + term, i] = lost_s[i, term]


class InfoTable:
    """The numbers of INFO_NAMES, which fill_rows() writes, and the dictionaries that show them."""

    def __init__(self, num_envs: int):
        self.words = np.zeros((len(INFO_NAMES), num_envs), np.int64)
        self._shown = _by_name(self.words, np.ones(num_envs, np.bool_))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a new table: copied views would no longer be views."""
        return InfoTable, (self.words.shape[1],)

    def shown(self) -> dict[str, Any]:
        """All rows: a new dictionary, whose arrays the next fill_rows() changes."""
        return self._shown.copy()

    def copied(self) -> dict[str, Any]:
        """All rows, in new arrays."""
        return _by_name(self.words.copy(), np.ones(self.words.shape[1], np.bool_))

    def of_rows(self, mask: np.ndarray) -> dict[str, Any]:
        """The rows that the mask marks, in new arrays; 0 for the others."""
        return _by_name(np.where(mask, self.words, 0), mask)

    def of_row(self, row: int) -> dict[str, float]:
        """One row's numbers, without the masks that say it has them."""
        words = np.ascontiguousarray(self.words[:, row])
        return dict(zip(INFO_NAMES, chain.from_iterable(b.tolist() for b in _typed(words)), strict=True))


def _typed(words: np.ndarray) -> list[np.ndarray]:
    """The same memory block by block, each in the type of its numbers."""
    return [words[block].view(np.float64) if is_float else words[block] for is_float, block in _BLOCKS]


def _by_name(words: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    """Name -> (num_envs,), and gymnasium's `_name`: which rows have it. The masks are one array."""
    arrays = dict(zip(INFO_NAMES, chain.from_iterable(_typed(words)), strict=True))
    return arrays | dict.fromkeys(_MASK_NAMES, mask)
