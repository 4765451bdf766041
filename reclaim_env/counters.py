"""The counters of /proc/vmstat, of all nodes together, as a flat dictionary of arrays: what `info` holds."""

from itertools import groupby

import numpy as np

from reclaim_env.model.constants import REASONS
from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import ENV, MAX_NODES, NODE, VMSTAT

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


def _blocks() -> list[tuple[np.dtype, int, list[str]]]:
    """Neighbouring words of one type: (type, offset in words, names). A block is summed in one call."""
    blocks, offset = [], 0
    for dtype, group in groupby(WORDS, key=lambda word: word[1]):
        names = [name for name, _ in group]
        blocks.append((dtype, offset, names))
        offset += len(names)
    return blocks


_BLOCKS = _blocks()


def _node_words(records: np.ndarray, num_nodes: int, dtype: np.dtype) -> np.ndarray:
    """(num_envs, num_nodes, words of NODE), the records themselves read as one type and not a copy."""
    words = records.view(dtype).reshape(len(records), -1)
    nodes = words[:, _NODE_AT : _NODE_AT + MAX_NODES * _NODE_WORDS].reshape(
        len(records), MAX_NODES, _NODE_WORDS
    )
    return nodes[:, :num_nodes]


def vmstat_totals(records: np.ndarray, num_nodes: int) -> dict[str, np.ndarray]:
    """Name -> (num_envs,), cumulative since the episode began. New arrays."""
    totals = {}
    for dtype, offset, names in _BLOCKS:
        nodes = _node_words(records, num_nodes, dtype)
        block = nodes[:, :, _VMSTAT_AT + offset : _VMSTAT_AT + offset + len(names)].sum(axis=1)
        totals.update(zip(names, block.T, strict=True))
    return totals


@kernel
def remember_rows(envs, rows, before):
    """Copies the nodes' counters into before, (num_envs, num_nodes) of VMSTAT: a new interval."""
    for j in range(rows.size):
        i = rows[j]
        for nid in range(envs[i].nr_nodes):
            before[i, nid] = envs[i].node[nid].vmstat
