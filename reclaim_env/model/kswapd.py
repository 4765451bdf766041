"""kswapd: one thread per node, woken, running, dozing or asleep (mm/vmscan.c).

Kept: the state table, the doze, a CPU budget that is overdrawn and paid back. Which passes are made as one,
and which examine nothing, is decided here.
"""

from reclaim_env.model import arrivals
from reclaim_env.model.anon_pass import weigh_anon
from reclaim_env.model.boost import forget_boost_below_high
from reclaim_env.model.constants import DEF_PRIORITY, DOZE, ONE, RUN, SLEEP
from reclaim_env.model.folio_fate import scan_cost
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.kswapd_pass import begin_pass, walk_pass
from reclaim_env.model.kswapd_run import (
    begin_run,
    end_run,
    finish_priorities,
    nr_passes,
    prepare_kswapd_sleep,
)
from reclaim_env.model.lru_balance import both_lists, longest_list
from reclaim_env.model.watermark import pgdat_balanced

MIN_PASS_S = 1e-7

# Passes down to priority 2 are made as one where together they examine fewer pages than this. Priority 1
# takes as many again, later, so that the tail of a list is never what was examined a moment ago - unless
# all lists together are so short that the whole run takes no time.
MERGED_PAGES = 16384
MOMENTARY_PAGES = 512


@kernel
def kswapd(env, nid, slice_s):
    """kswapd's share of one slice: runs while the CPU time granted lasts, dozes, sleeps."""
    pgdat = env.node[nid]
    if pgdat.kswapd_phase != RUN:  # what it overdrew is paid back
        pgdat.cpu_carry_s = min(pgdat.cpu_carry_s + slice_s * pgdat.kswapd_cpu_share_ratio, 0.0)
    if pgdat.kswapd_phase == SLEEP:
        return
    left_s = slice_s
    if pgdat.kswapd_phase == DOZE:
        if pgdat.doze_left_s >= left_s:
            pgdat.doze_left_s -= left_s
            return
        left_s -= pgdat.doze_left_s
        pgdat.doze_left_s = 0.0
        end_doze(pgdat)
        if pgdat.kswapd_phase == SLEEP:
            return
    spin(env, nid, slice_s, left_s)


@inlined
def end_doze(pgdat):
    """The doze ran out undisturbed: sleep fully, or go on if the node became unready meanwhile."""
    if prepare_kswapd_sleep(pgdat):
        pgdat.kswapd_phase = SLEEP
        return
    pgdat.vmstat.kswapd_high_wmark_hit_quickly += 1
    pgdat.kswapd_phase = RUN


@inlined
def spin(env, nid, slice_s, left_s):
    """Runs, one after the other, until the granted time is used or kswapd may sleep."""
    pgdat = env.node[nid]
    share = pgdat.kswapd_cpu_share_ratio
    granted_s = left_s * share
    pgdat.cpu_carry_s += granted_s
    start_s = env.time_s + slice_s - left_s
    while pgdat.kswapd_phase == RUN and pgdat.cpu_carry_s > 0.0:
        used_s = granted_s - pgdat.cpu_carry_s
        now_s = start_s + max(used_s, 0.0) / share
        arrivals.deliver(env, nid, min((now_s - env.time_s) / slice_s, 1.0))
        env.write_wait_s = 0.0
        spent_s = balance_pgdat_step(env, nid, now_s)
        pgdat.cpu_carry_s -= spent_s
        pgdat.vmstat.kswapd_cpu_s += spent_s - env.write_wait_s
    pgdat.vmstat.awake_s += left_s
    if pgdat.kswapd_phase != RUN:
        # What was left of the slice belongs to the doze that began in it.
        if pgdat.kswapd_phase == DOZE:
            pgdat.doze_left_s = max(pgdat.doze_left_s - max(pgdat.cpu_carry_s, 0.0) / share, 0.0)
            pgdat.vmstat.awake_s -= max(pgdat.cpu_carry_s, 0.0) / share
        pgdat.cpu_carry_s = min(pgdat.cpu_carry_s, 0.0)


@inlined
def balance_pgdat_step(env, nid, now_s):
    """The next piece of balance_pgdat(): a chunk of a pass, or a run's beginning or end. CPU seconds."""
    pgdat = env.node[nid]
    if not pgdat.in_run:
        begin_run(pgdat)
    if not pgdat.in_pass:
        forget_boost_below_high(pgdat)
        if pgdat_balanced(pgdat) and pgdat.boost_left_pages == 0:
            end_run(env, pgdat, now_s, True)
            return MIN_PASS_S
        if pgdat.boost_left_pages == 0 and pgdat.slab_objects == 0:
            spent_s = skip_empty_passes(env, nid, now_s)
            if spent_s > 0.0:
                return spent_s
        pgdat.pass_first_priority = pgdat.priority
        if env.nr_anon_classes == 0:
            pgdat.priority = last_merged(pgdat)
        begin_pass(env, pgdat)
        spent_s = nr_passes(pgdat) * pass_cost_s(env)
        if env.nr_anon_classes > 0:
            spent_s += weigh_anon(env, nid, now_s + spent_s)
        return spent_s + walk_pass(env, nid, now_s + spent_s)
    return walk_pass(env, nid, now_s)


@inlined
def last_merged(pgdat):
    """Down to which priority the next passes are made as one: they examine little, and cannot reach high.

    All passes down to a priority together examine fewer pages than the lists hold, shifted by one less; they
    take twice as much of the slab.
    """
    pages = both_lists(pgdat.list_pages) + 2 * pgdat.slab_pages
    missing = pgdat.high_wmark_pages - (pgdat.free_pages - pgdat.unusable_pages)
    if pages < min(missing, MOMENTARY_PAGES):
        return ONE
    last = pgdat.priority
    while last > 2 and pages >> (last - 2) < min(missing, MERGED_PAGES):
        last -= 1
    return last


@inlined
def pass_cost_s(env):
    """CPU seconds of one shrink_node() pass over all cgroups, before its pages."""
    return env.cost.pass_s + env.cost.pass_memcg_s * env.nr_members


@inlined
def lap_s(env, nid):
    """CPU seconds of one run over all the node's pages on lists that frees nothing."""
    lists_s = env.cost.scan_mapped_s * both_lists(env.node[nid].anon_list_pages)
    for i in range(nid * env.nr_classes, (nid + 1) * env.nr_classes):
        lists_s += scan_cost(env, env.set_[i], both_lists(env.set_[i].resident_pages), 0)
    return DEF_PRIORITY * pass_cost_s(env) + lists_s


@inlined
def skip_empty_passes(env, nid, now_s):
    """Passes at priorities where every list is shorter than one shift: nothing is examined, time goes by.

    The same as walking them one by one, and most of what a spinning kswapd does. Returns CPU seconds.
    """
    pgdat = env.node[nid]
    longest = 0
    for lru in range(nid * env.nr_memcgs, (nid + 1) * env.nr_memcgs):
        longest = max(longest, longest_list(env, lru))
    lowest = pgdat.priority + 1
    while lowest > 1 and longest >> (lowest - 1) == 0:
        lowest -= 1
    nr_empty = pgdat.priority + 1 - lowest
    if nr_empty == 0:
        return 0.0
    pgdat.priority = lowest
    begin_pass(env, pgdat)
    pgdat.trim_failed |= pgdat.pass_trim
    pgdat.in_pass = 0
    pgdat.priority = lowest - 1
    finish_priorities(env, pgdat, now_s)
    return nr_empty * pass_cost_s(env)
