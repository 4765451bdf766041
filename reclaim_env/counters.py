"""The counters of /proc/vmstat, of all nodes together, one array each: what `info` holds."""

import numpy as np

from reclaim_env.model.constants import REASONS
from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import ENV, NODE, VMSTAT

_WORD_BYTES = 8  # of every counter; records are aligned to it


def _offset_words(record: np.dtype, field: str) -> int:
    offsets: dict[str, int] = {name: place[1] for name, place in (record.fields or {}).items()}
    return offsets[field] // _WORD_BYTES


_FIRST = _offset_words(ENV, "node") + _offset_words(NODE, "vmstat")
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


@kernel
def sum_nodes(ints, rows, nr_nodes, totals):
    """Fills the rows' columns of totals, (len(WORDS), num_envs) int64, with the counters of all their nodes.

    ints are the records as int64, (num_envs, words). A counter that is no integer is the 8 bytes of a float.
    """
    floats = ints.view(np.float64)
    total_floats = totals.view(np.float64)
    for j in range(rows.size):
        i = rows[j]
        for w in range(_IS_FLOAT.size):
            if _IS_FLOAT[w]:
                total_floats[w, i] = floats[i, _FIRST + w]
                for nid in range(1, nr_nodes):
                    total_floats[w, i] += floats[i, _FIRST + nid * _NODE_WORDS + w]
            else:
                totals[w, i] = ints[i, _FIRST + w]
                for nid in range(1, nr_nodes):
                    totals[w, i] += ints[i, _FIRST + nid * _NODE_WORDS + w]


@kernel
def remember_rows(envs, rows, before):
    """Copies the nodes' counters into before, (num_envs, num_nodes) of VMSTAT: a new interval."""
    for j in range(rows.size):
        i = rows[j]
        for nid in range(envs[i].nr_nodes):
            before[i, nid] = envs[i].node[nid].vmstat
