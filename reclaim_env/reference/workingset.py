"""Shadows and refault distances by clock subtraction (mm/workingset.c)."""

from .compiled import compiled
from .names import (
    ACTIVE,
    ACTIVE_ANON,
    ANON_TYPE,
    FILE,
    FLUSH_S,
    INACTIVE,
    INACTIVE_ANON,
    NOWHERE,
    NR_LISTS,
    SWAP_CLUSTER_MAX,
)
from .slots import nr_swap_pages


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
def refault(m, p, nid, g, kind):
    """workingset_refault(): counts it, and returns (had a shadow, is recent)."""
    page = m.page[p]
    if page.shadow == NOWHERE:
        return False, False
    evictor = m.lruvec[page.shadow]
    reach = workingset_pages(m, page.shadow, kind)
    page.shadow = NOWHERE
    node = m.node[nid]
    if kind == FILE:
        node.workingset_refault_file += 1
        m.memcg[g].refaults += 1
    else:
        node.workingset_refault_anon += 1
    m.class_[page.class_].refaulted += 1
    if evictor.nonresident_age - page.shadow_age > reach:
        page.workingset = 0
        return True, False
    if kind == FILE:
        node.workingset_activate_file += 1
    else:
        node.workingset_activate_anon += 1
    m.class_[page.class_].activated += 1
    m.lruvec[lruvec_of(m, nid, g)].activated[kind] += 1
    age_nonresident(m, nid, g)
    if page.workingset:
        lru_note_cost(m, nid, g, kind, 1, 0)
    return True, True


@compiled
def workingset_pages(m, evictor, kind):
    """What the page that comes back could have displaced of its evictor's, had it stayed."""
    pages = m.lruvec[evictor].stat_pages
    reach = pages[ACTIVE]
    if not m.system[0].has_anon_lists:
        return reach
    if kind == ANON_TYPE:
        reach += pages[INACTIVE]
    if nr_swap_pages(m, evictor % m.system[0].nr_memcgs) > 0:
        reach += pages[ACTIVE_ANON]
        if kind == FILE:
            reach += pages[INACTIVE_ANON]
    return reach


@compiled
def lru_note_cost(m, nid, g, kind, nr_io, nr_rotated):
    """What reclaim of a type costs, up to the node; beyond a quarter of the lists old costs fade."""
    while g >= 0 and m.system[0].has_anon_lists:
        row = m.lruvec[lruvec_of(m, nid, g)]
        row.cost[kind] += nr_io * SWAP_CLUSTER_MAX + nr_rotated
        pages = 0
        for lst in range(NR_LISTS):
            pages += row.stat_pages[lst]
        if row.cost[FILE] + row.cost[ANON_TYPE] > pages // 4:
            row.cost[FILE] //= 2
            row.cost[ANON_TYPE] //= 2
        g = m.memcg[g].parent


@compiled
def flush_statistics(m):
    """What deactivation, cache trimming and refault distances go by: whole subtrees, every two seconds."""
    nr_memcgs = m.system[0].nr_memcgs
    for lruvec in range(m.lruvec.shape[0]):
        row = m.lruvec[lruvec]
        for lst in range(NR_LISTS):
            row.stat_pages[lst] = row.pages[lst]
        for kind in range(2):
            row.stat_activated[kind] = row.activated[kind]
    for nid in range(m.system[0].nr_nodes):
        for g in range(nr_memcgs - 1, 0, -1):  # preorder: children come after their parents
            row = m.lruvec[nid * nr_memcgs + g]
            above = m.lruvec[nid * nr_memcgs + m.memcg[g].parent]
            for lst in range(NR_LISTS):
                above.stat_pages[lst] += row.stat_pages[lst]
            for kind in range(2):
                above.stat_activated[kind] += row.stat_activated[kind]
    return m.system[0].time_s + FLUSH_S
