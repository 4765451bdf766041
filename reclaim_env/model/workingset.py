"""Shadows of evicted pages and the refault distance (mm/workingset.c).

A class keeps, per node and evictor, NR_COHORTS groups of evicted pages with the mean clock at which
they left. Left out: the shrinker that bounds shadows; ancestors' clocks between cgroup and root.
"""

import math

from reclaim_env.model.constants import ACTIVE, BY_NODE, INACTIVE, NR_COHORTS, NR_EVICTORS
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.rows import anon_row, file_row, set_row
from reclaim_env.model.swap_slots import nr_swap_pages


@kernel
def workingset_age_nonresident(env, lruvec, nr_pages):
    """Advances the clock of the cgroup's list and of the node's root."""
    env.lruvec[file_row(env, lruvec)].nonresident_age += nr_pages
    env.node[lruvec.nid].nonresident_age += nr_pages


@inlined
def age_evictor(env, set_, evictor, nr_pages):
    """An eviction advances the clocks of whoever reclaims and of the root, not that of the page's cgroup."""
    if evictor == BY_NODE:
        env.node[set_.nid].nonresident_age += nr_pages
    else:
        workingset_age_nonresident(env, env.lruvec[set_.lruvec], nr_pages)


@inlined
def clock(env, set_, evictor):
    """nonresident_age of whoever evicted: the node's root, or the cgroup at its limit."""
    if evictor == BY_NODE:
        return env.node[set_.nid].nonresident_age
    return env.lruvec[file_row(env, env.lruvec[set_.lruvec])].nonresident_age


@inlined
def workingset_pages(env, set_, evictor):
    """What a refault distance is held against, as last flushed: pages that the one read back could displace.

    The evictor's active file pages; for a file with free swap all its anonymous pages besides, for an
    anonymous page the inactive file pages, and with free swap the active anonymous ones.
    """
    if env.nr_anon_classes > 0:
        return workingset_pages_of_both(env, set_, evictor)
    if evictor == BY_NODE:
        return env.node[set_.nid].stat_list_pages[ACTIVE]
    return env.lruvec[set_.lruvec].stat_list_pages[ACTIVE]


@kernel
def workingset_pages_of_both(env, set_, evictor):
    """workingset_pages() where anonymous memory can leave."""
    is_anon = env.class_[set_.class_id].anon
    if evictor == BY_NODE:
        pgdat = env.node[set_.nid]
        files = pgdat.stat_list_pages
        anon = pgdat.stat_anon_list_pages
        slots = nr_swap_pages(env, -1)
    else:
        row = file_row(env, env.lruvec[set_.lruvec])
        files = env.lruvec[row].stat_list_pages
        anon = env.lruvec[anon_row(env, row)].stat_list_pages
        slots = nr_swap_pages(env, env.lruvec[row].memcg)
    pages = files[ACTIVE]
    if is_anon:
        pages += files[INACTIVE]
    if slots > 0:
        pages += anon[ACTIVE] if is_anon else anon[ACTIVE] + anon[INACTIVE]
    return pages


@inlined
def workingset_eviction(env, set_, evictor, nr_pages):
    """Leaves shadows of nr_pages evicted now and advances the clocks by as much."""
    now = float(clock(env, set_, evictor))
    pages = set_.shadow_pages[evictor]
    age = set_.shadow_age[evictor]
    window = workingset_pages(env, set_, evictor) / NR_COHORTS
    if pages[0] > 0 and now - age[0] > window:
        last = NR_COHORTS - 1
        merged = pages[last] + pages[last - 1]
        if merged > 0:
            age[last] = (age[last] * pages[last] + age[last - 1] * pages[last - 1]) / merged
        pages[last] = merged
        for c in range(last - 1, 0, -1):
            pages[c] = pages[c - 1]
            age[c] = age[c - 1]
        pages[0] = 0
    pages[0] += nr_pages
    age[0] += (now - age[0]) * nr_pages / pages[0]
    age_evictor(env, set_, evictor, nr_pages)


@inlined
def workingset_refault(env, class_id, nr_pages, u):
    """Takes nr_pages absent pages of a class back from its shadows and its never-read pages.

    Returns (refaulted, recent): pages that had a shadow, and of them those whose refault distance is
    within the evictor's working set. Every absent page is as likely as any other.
    """
    class_ = env.class_[class_id]
    absent = class_.absent_pages
    if nr_pages <= 0 or absent <= 0:
        return 0, 0
    per_page = nr_pages / absent
    reached = u
    before = math.floor(reached)
    reached += class_.new_pages * per_page
    left = nr_pages - take_new(class_, min(int(math.floor(reached) - before), nr_pages))
    refaulted = 0
    recent = 0
    # The second round takes what the roundings of the first left over.
    for again in range(2):
        for nid in range(env.nr_nodes):
            set_ = env.set_[set_row(env, nid, class_id)]
            for evictor in range(NR_EVICTORS):
                reach = clock(env, set_, evictor) - workingset_pages(env, set_, evictor)
                for c in range(NR_COHORTS):
                    pages = set_.shadow_pages[evictor, c]
                    if pages == 0 or left == 0:
                        continue
                    before = math.floor(reached)
                    reached += pages * per_page
                    k = min(left if again else int(math.floor(reached) - before), pages, left)
                    set_.shadow_pages[evictor, c] -= k
                    left -= k
                    refaulted += k
                    if set_.shadow_age[evictor, c] >= reach:
                        recent += k
        if left == 0:
            break
    left -= take_new(class_, left)
    class_.absent_pages -= nr_pages
    return refaulted, recent


@inlined
def take_new(class_, nr_pages):
    """Pages never read before: they have no shadow."""
    k = min(nr_pages, class_.new_pages)
    class_.new_pages -= k
    return k
