"""What reclaim knows of the lists: statistics brought up to date every two seconds (mm/memcontrol.c, rstat).

Whether to deactivate, whether to trim the cache and how far a refault is are decided on these numbers;
how much of a list is scanned is not. So a kswapd that works through a short list goes by one picture for
dozens of runs: it deactivates in all of them or in none. Left out: flushes by a reader of memory.stat,
and the one made where the worker is a whole period late.

A machine that was filled a moment ago is judged by what it was meanwhile, until the first flush.
"""

import math

from reclaim_env.model import rng
from reclaim_env.model.constants import ACTIVE, INACTIVE, NR_LISTS
from reclaim_env.model.kernel import inlined, kernel

FLUSH_S = 2.0


@kernel
def do_flush_stats(env):
    """cgroup_rstat_flush(): every statistic of every cgroup is what it really is."""
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        pgdat.stat_workingset_activate = pgdat.workingset_activate
        pgdat.stat_workingset_activate_anon = pgdat.workingset_activate_anon
        for lst in range(NR_LISTS):
            pgdat.stat_list_pages[lst] = pgdat.list_pages[lst]
            pgdat.stat_anon_list_pages[lst] = pgdat.anon_list_pages[lst]
    for i in range(env.nr_lruvecs):
        lruvec = env.lruvec[i]
        lruvec.stat_workingset_activate = lruvec.workingset_activate
        lruvec.stat_workingset_activate_anon = lruvec.workingset_activate_anon
        for lst in range(NR_LISTS):
            lruvec.stat_list_pages[lst] = lruvec.list_pages[lst]


@inlined
def begin_flushes(env):
    """The worker's first flush comes anywhere within its period; the one before it saw the machine filled."""
    env.flush_phase_s = FLUSH_S * rng.timeless_uniform(env, rng.FLUSHES, 0, 0)
    if env.fill_s > 0.0:
        show_filling(env, env.flush_phase_s - FLUSH_S)


@inlined
def show_filling(env, at_s):
    """The statistics are of a moment before the start, when so much of each file had been read in."""
    clear_list_stats(env)
    for i in range(env.nr_sets):
        set_ = env.set_[i]
        pages = set_.resident_pages[INACTIVE] + set_.resident_pages[ACTIVE]
        left = min(max((set_.filled_s - at_s) / env.fill_s, 0.0), float(pages))
        for lst in range(NR_LISTS):
            here = int(set_.resident_pages[lst] * (1.0 - left / max(pages, 1)))
            env.lruvec[set_.lruvec].stat_list_pages[lst] += here
            env.node[set_.nid].stat_list_pages[lst] += here


@inlined
def clear_list_stats(env):
    """No page of a file is on any list."""
    for lst in range(NR_LISTS):
        for nid in range(env.nr_nodes):
            env.node[nid].stat_list_pages[lst] = 0
        for i in range(env.nr_nodes * env.nr_memcgs):
            env.lruvec[i].stat_list_pages[lst] = 0


@inlined
def flush_memcg_stats_dwork(env):
    """The worker that flushes for everybody."""
    since_s = env.time_s - env.flush_phase_s
    if math.floor(since_s / FLUSH_S) > math.floor((since_s - env.tick_s) / FLUSH_S):
        do_flush_stats(env)
