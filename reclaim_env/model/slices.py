"""Into how many slices a tick is cut: demand, reclaim and refaults take turns once in each."""

import math

from reclaim_env.model.anon import target_pages
from reclaim_env.model.constants import ANON, RUN
from reclaim_env.model.kernel import inlined
from reclaim_env.model.kswapd import lap_s
from reclaim_env.model.oom_kill import held_pages
from reclaim_env.model.page_alloc import allowed_nodes
from reclaim_env.model.watermark import pages_above

MAX_SLICES = 8


@inlined
def count_slices(env):
    """One where nothing hurries; more where reclaim races refaults, or a node is drained fast.

    A slice moves no node by more than a quarter of low - min. Where kswapd makes several runs a tick each has
    one, and where tasks reclaimed in the last tick, or will, there are as many as can be; but none need be
    shorter than a fourth of the time in which an evicted page of the hottest class is missed again.
    """
    nr = 1
    refault_slices = int(math.ceil(4.0 * hottest_per_s(env) * env.tick_s))
    if lack_pages(env):
        nr = max(nr, refault_slices)
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        allocated = pgdat.vmstat.pgalloc_normal - pgdat.allocated_before_pages
        pgdat.allocated_before_pages = pgdat.vmstat.pgalloc_normal
        gap = max((pgdat.low_wmark_pages - pgdat.min_wmark_pages) // 4, 1)
        nr = max(nr, allocated // gap + 1)
        if pgdat.vmstat.allocstall > pgdat.allocstall_before:
            nr = max(nr, refault_slices)
        pgdat.allocstall_before = pgdat.vmstat.allocstall
        if pgdat.kswapd_phase == RUN:
            nr = max(nr, min(int(env.tick_s / lap_s(env, nid) + 0.5), refault_slices))
    return min(nr, MAX_SLICES)


@inlined
def hottest_per_s(env):
    """How often a page of the hottest file is touched."""
    hottest = 0.0
    for c in range(env.nr_classes):
        hottest = max(hottest, env.class_[c].rate_per_s)
    return hottest


@inlined
def lack_pages(env):
    """Will a task reclaim for itself, as its nodes lack what it wants?"""
    found = False
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.kind == ANON and not work.dying and work.restart_at_s <= env.time_s:
            found |= target_pages(env, work) - held_pages(env, work) > room_pages(env, allowed_nodes(work))
    return found


@inlined
def room_pages(env, mask):
    """What the nodes have above min."""
    pages = 0
    for nid in range(env.nr_nodes):
        if mask >> nid & 1:
            pages += pages_above(env.node[nid], env.node[nid].min_wmark_pages)
    return pages
