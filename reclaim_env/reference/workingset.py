"""Shadows and refault distances by clock subtraction (mm/workingset.c)."""

from .compiled import compiled
from .names import ACTIVE, FLUSH_S, NOWHERE


@compiled
def lruvec_of(m, nid, g):
    return nid * m.system[0].nr_memcgs + g


@compiled
def age_nonresident(m, nid, g):
    """The clocks of a cgroup's list on a node and of all above it."""
    while g >= 0:
        m.lruvec[lruvec_of(m, nid, g)].nonresident_age += 1
        g = m.memcg[g].parent


@compiled
def leave_shadow(m, p, nid, target):
    """workingset_eviction(): it is the clock of whoever reclaims, and of those above, that ticks."""
    page = m.page[p]
    evictor = lruvec_of(m, nid, target)
    page.shadow = evictor
    page.shadow_age = m.lruvec[evictor].nonresident_age
    age_nonresident(m, nid, target)


@compiled
def refault(m, p, nid, g):
    """workingset_refault(): counts it, and returns (had a shadow, is recent)."""
    page = m.page[p]
    if page.shadow == NOWHERE:
        return False, False
    evictor = m.lruvec[page.shadow]
    page.shadow = NOWHERE
    node = m.node[nid]
    node.workingset_refault_file += 1
    m.memcg[g].refaults += 1
    m.class_[page.class_].refaulted += 1
    if evictor.nonresident_age - page.shadow_age > evictor.stat_pages[ACTIVE]:
        page.workingset = 0
        return True, False
    node.workingset_activate_file += 1
    m.class_[page.class_].activated += 1
    m.lruvec[lruvec_of(m, nid, g)].activated += 1
    age_nonresident(m, nid, g)
    return True, True


@compiled
def flush_statistics(m):
    """What deactivation, cache trimming and refault distances go by: whole subtrees, every two seconds."""
    nr_memcgs = m.system[0].nr_memcgs
    for lruvec in range(m.lruvec.shape[0]):
        row = m.lruvec[lruvec]
        row.stat_pages[0], row.stat_pages[1], row.stat_activated = row.pages[0], row.pages[1], row.activated
    for nid in range(m.system[0].nr_nodes):
        for g in range(nr_memcgs - 1, 0, -1):  # preorder: children come after their parents
            row = m.lruvec[nid * nr_memcgs + g]
            above = m.lruvec[nid * nr_memcgs + m.memcg[g].parent]
            above.stat_pages[0] += row.stat_pages[0]
            above.stat_pages[1] += row.stat_pages[1]
            above.stat_activated += row.stat_activated
    return m.system[0].time_s + FLUSH_S
