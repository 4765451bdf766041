"""The counters of /proc/vmstat, of all nodes together, one array each: what `info` holds."""

import numpy as np

from reclaim_env.model.constants import REASONS
from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import VMSTAT

_WORD_BYTES = 8  # of every counter; records are aligned to it


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
def sum_nodes(ints, rows, totals):
    """Fills the rows' columns of totals, (len(WORDS), num_envs) int64, with the counters of all their nodes.

    ints: (num_envs, num_nodes * len(WORDS)) int64. A counter that is no integer is the 8 bytes of a float.
    """
    nr_words = _IS_FLOAT.size
    floats = ints.view(np.float64)
    total_floats = totals.view(np.float64)
    for j in range(rows.size):
        i = rows[j]
        for w in range(nr_words):
            if _IS_FLOAT[w]:
                total_floats[w, i] = floats[i, w]
                for at in range(nr_words + w, ints.shape[1], nr_words):
                    total_floats[w, i] += floats[i, at]
            else:
                totals[w, i] = ints[i, w]
                for at in range(nr_words + w, ints.shape[1], nr_words):
                    totals[w, i] += ints[i, at]


@kernel
def remember_rows(envs, rows, before):
    """Copies the nodes' counters into before, (num_envs, num_nodes) of VMSTAT: a new interval."""
    for j in range(rows.size):
        i = rows[j]
        for nid in range(envs[i].nr_nodes):
            before[i, nid] = envs[i].node[nid].vmstat
