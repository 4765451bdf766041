"""Where a class lies on a node, and a cgroup's anonymous lists beside its file lists.

Files come first, everywhere: what walks files alone does not see anonymous memory, and costs nothing more
where that has no lists.
"""

from reclaim_env.model.kernel import inlined


@inlined
def set_row(env, nid, c):
    """The row of SET that holds class c on a node."""
    if c < env.nr_classes:
        return nid * env.nr_classes + c
    return env.nr_sets + nid * env.nr_anon_classes + c - env.nr_classes


@inlined
def file_row(env, lruvec):
    """The row of LRUVEC that holds the cgroup's file lists on the node, its clock and its costs."""
    return lruvec.nid * env.nr_memcgs + lruvec.memcg


@inlined
def anon_row(env, lru):
    """The row of the anonymous lists that belong to a row of file lists."""
    return env.nr_nodes * env.nr_memcgs + lru
