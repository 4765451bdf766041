"""Swap slots: who fills them, how many are free, and the memory compressed swap takes (mm/swapfile.c, zram).

Kept: memory.swap.max through the tree, a pool that grows and shrinks with what is stored. Left out: several
swap areas, clusters, the swap cache: a page read back frees its slot and has to be written again.
"""

import math

from reclaim_env.model.buddy import free_pages, rmqueue
from reclaim_env.model.constants import NR_COHORTS, NR_EVICTORS
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.rows import set_row


@kernel
def nr_swap_pages(env, g):
    """mem_cgroup_get_nr_swap_pages(): slots that a cgroup may still fill; g -1: slots there are."""
    if not env.swap.on:
        return 0
    free = env.swap.total_pages - env.swap.used_pages
    while g >= 0:
        memcg = env.memcg[g]
        if memcg.swap_max_pages >= 0:
            free = min(free, memcg.swap_max_pages - memcg.swap_pages)
        g = memcg.parent
    return max(free, 0)


@kernel
def charge_swap(env, class_, nr_pages):
    """nr_pages of a class more (or fewer) are in slots: of the machine, of its task, of its cgroups."""
    env.swap.used_pages += nr_pages
    env.workload[class_.workload].swapped_pages += nr_pages
    g = class_.memcg
    while g >= 0:
        env.memcg[g].swap_pages += nr_pages
        g = env.memcg[g].parent


@kernel
def fit_pools(env):
    """Brings each node's count of slots, and its pool of compressed pages, in line with what is stored."""
    for nid in range(env.nr_nodes):
        stored = 0
        for c in range(env.nr_classes, env.nr_classes + env.nr_anon_classes):
            shadows = env.set_[set_row(env, nid, c)].shadow_pages
            for evictor in range(NR_EVICTORS):
                for cohort in range(NR_COHORTS):
                    stored += shadows[evictor, cohort]
        env.node[nid].swapped_pages = stored
        fit_pool(env, nid)


@inlined
def fit_pool(env, nid):
    """zs_malloc() and zs_free(): the pool is the kernel's memory, taken whatever the watermarks say."""
    pgdat = env.node[nid]
    grown = int(math.ceil(env.swap.pool_ratio * pgdat.swapped_pages)) - pgdat.pool_pages
    if grown == 0:
        return
    pgdat.pool_pages += grown
    pgdat.kernel_pages += grown
    if grown > 0:
        rmqueue(pgdat, grown)
        pgdat.vmstat.numa_hit += grown
    else:
        free_pages(env, nid, -grown)
