"""The counters of /proc/vmstat, of all nodes together, one array each: what `info` holds."""

from collections.abc import Iterator
from itertools import chain, groupby

import numpy as np

from reclaim_env.model.constants import REASONS
from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import ENV, NODE, VMSTAT

_WORD_BYTES = 8  # of every counter; records are aligned to it


def _offset_words(record: np.dtype, field: str) -> int:
    offsets: dict[str, int] = {name: place[1] for name, place in (record.fields or {}).items()}
    return offsets[field] // _WORD_BYTES


_NODE_AT = _offset_words(ENV, "node")
_VMSTAT_AT = _offset_words(NODE, "vmstat")
_NODE_WORDS = NODE.itemsize // _WORD_BYTES


def _words() -> list[tuple[str, np.dtype]]:
    """One name and type for each 8-byte word of VMSTAT; a counter by reason has a word for each."""
    words = []
    for name in VMSTAT.names or ():
        field, shape = VMSTAT[name].base, VMSTAT[name].shape
        names = [f"{name}_{reason}" for reason in REASONS] if shape else [name]
        words += [(word, field) for word in names]
    return words


WORDS = _words()
assert VMSTAT.itemsize == _WORD_BYTES * len(WORDS), "a counter is not 8 bytes long"
VMSTAT_NAMES = tuple(name for name, _ in WORDS)


_IS_FLOAT = np.array([dtype.kind == "f" for _, dtype in WORDS])


def _blocks() -> list[tuple[bool, slice]]:
    """Neighbouring words of one type: (are they floats, where they stand)."""
    blocks, first = [], 0
    for is_float, group in groupby(_IS_FLOAT.tolist()):
        last = first + len(list(group))
        blocks.append((is_float, slice(first, last)))
        first = last
    return blocks


_BLOCKS = _blocks()


@kernel
def _sum_nodes(ints, floats, first, stride, nr_nodes, is_float, total_ints, total_floats):
    """Sums, over nodes, the words from `first` on of each record -> a column of the totals (words, num_envs).

    ints and floats are the same memory, read as either; so are the totals.
    """
    for i in range(ints.shape[0]):
        for w in range(is_float.size):
            if is_float[w]:
                total_floats[w, i] = floats[i, first + w]
                for nid in range(1, nr_nodes):
                    total_floats[w, i] += floats[i, first + nid * stride + w]
            else:
                total_ints[w, i] = ints[i, first + w]
                for nid in range(1, nr_nodes):
                    total_ints[w, i] += ints[i, first + nid * stride + w]


def vmstat_totals(records: np.ndarray, num_nodes: int) -> Iterator[np.ndarray]:
    """(num_envs,) for each of VMSTAT_NAMES, cumulative since the episode began. New arrays."""
    ints = records.view(np.int64).reshape(len(records), -1)
    totals = np.empty((len(WORDS), len(records)), np.int64)
    of_type = (totals, totals.view(np.float64))
    first = _NODE_AT + _VMSTAT_AT
    _sum_nodes(ints, ints.view(np.float64), first, _NODE_WORDS, num_nodes, _IS_FLOAT, *of_type)
    return chain.from_iterable(of_type[is_float][words] for is_float, words in _BLOCKS)


@kernel
def remember_rows(envs, rows, before):
    """Copies the nodes' counters into before, (num_envs, num_nodes) of VMSTAT: a new interval."""
    for j in range(rows.size):
        i = rows[j]
        for nid in range(envs[i].nr_nodes):
            before[i, nid] = envs[i].node[nid].vmstat
