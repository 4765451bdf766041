"""kswapd: one thread per node, woken, running, dozing or asleep (mm/vmscan.c).

Kept: the state table, priorities 12 to 1 with the raise rule, the cache-trim retry, the failure count,
passes that last longer than a tick, boosted runs, background ageing of anonymous lists. Left out: orders
above 0.
"""

import math

from reclaim_env.model import arrivals
from reclaim_env.model.anon_pass import aim_both, is_left_to_scan, weigh_anon
from reclaim_env.model.boost import (
    LOWEST_BOOSTED_PRIORITY,
    begin_boosted_run,
    end_boosted_run,
    forget_boost_below_high,
)
from reclaim_env.model.constants import (
    ACTIVE,
    DEF_PRIORITY,
    DOZE,
    INACTIVE,
    KSWAPD,
    KSWAPD_DOZE_S,
    ONE,
    RUN,
    SLEEP,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import inactive_is_low, longest_list
from reclaim_env.model.reset_rule import kswapd_test_hopeless, kswapd_try_clear_hopeless
from reclaim_env.model.rows import anon_row
from reclaim_env.model.slab import shrink_slab_by_kswapd
from reclaim_env.model.vmscan import (
    draw_target,
    mem_cgroup_below_low,
    mem_cgroup_below_min,
    member_list,
    member_scan,
    protected_ratio,
    settle,
    shrink_active_list,
    shrink_inactive_list,
)
from reclaim_env.model.watermark import pgdat_balanced

# CPU time of work done in one go, so that the budget is kept.
CHUNK_S = 1e-3
MIN_PASS_S = 1e-7

# Passes down to priority 2 are made as one where together they examine fewer pages than this. Priority 1
# takes as many again, later, so that the tail of a list is never what was examined a moment ago - unless
# all lists together are so short that the whole run takes no time.
MERGED_PAGES = 16384
MOMENTARY_PAGES = 512


@inlined
def prepare_kswapd_sleep(pgdat):
    """May kswapd sleep? When it has given up, or the node is balanced."""
    return kswapd_test_hopeless(pgdat) or pgdat_balanced(pgdat)


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
        spent_s = nr_merged(pgdat) * pass_cost_s(env)
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
    pages = pgdat.list_pages[INACTIVE] + pgdat.list_pages[ACTIVE] + 2 * pgdat.slab_pages
    missing = pgdat.high_wmark_pages - (pgdat.free_pages - pgdat.unusable_pages)
    if pages < min(missing, MOMENTARY_PAGES):
        return ONE
    last = pgdat.priority
    while last > 2 and pages >> (last - 2) < min(missing, MERGED_PAGES):
        last -= 1
    return last


@inlined
def nr_merged(pgdat):
    """Passes that the one under way stands for."""
    return pgdat.pass_first_priority + 1 - pgdat.priority


@inlined
def pass_cost_s(env):
    """CPU seconds of one shrink_node() pass over all cgroups, before its pages."""
    return env.cost.pass_s + env.cost.pass_memcg_s * env.nr_members


@inlined
def lap_s(env, pgdat):
    """CPU seconds of one run over all the node's pages on lists that frees nothing."""
    pages = pgdat.list_pages[INACTIVE] + pgdat.list_pages[ACTIVE]
    pages += pgdat.anon_list_pages[INACTIVE] + pgdat.anon_list_pages[ACTIVE]
    return DEF_PRIORITY * pass_cost_s(env) + pages * env.cost.scan_s


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
    nr_passes = pgdat.priority + 1 - lowest
    if nr_passes == 0:
        return 0.0
    pgdat.priority = lowest
    begin_pass(env, pgdat)
    pgdat.trim_failed |= pgdat.pass_trim
    pgdat.in_pass = 0
    pgdat.priority = lowest - 1
    finish_priorities(env, pgdat, now_s)
    return nr_passes * pass_cost_s(env)


@inlined
def begin_run(pgdat):
    pgdat.in_run = 1
    pgdat.in_pass = 0
    pgdat.priority = DEF_PRIORITY
    pgdat.run_reclaimed_pages = 0
    pgdat.trim_forbidden = 0
    pgdat.trim_failed = 0
    pgdat.low_skipped = 0
    pgdat.low_ignored = 0
    pgdat.vmstat.pageoutrun += 1
    begin_boosted_run(pgdat)


@inlined
def begin_pass(env, pgdat):
    """prepare_scan_control() for the root, as last flushed: deactivate pages? only trim the cache?"""
    pgdat.in_pass = 1
    pgdat.in_lruvec = 0
    pgdat.pass_lruvec = 0
    pgdat.pass_scanned_pages = 0
    pgdat.pass_reclaimed_pages = 0
    inactive = pgdat.stat_list_pages[INACTIVE]
    refaults_activate = pgdat.stat_workingset_activate != pgdat.activate_snapshot
    pgdat.pass_may_deactivate = refaults_activate or inactive_is_low(inactive, pgdat.stat_list_pages[ACTIVE])
    untouched = not pgdat.pass_may_deactivate
    pgdat.pass_trim = untouched and not pgdat.trim_forbidden and (inactive >> pgdat.priority) > 0


@kernel
def walk_pass(env, nid, now_s):
    """shrink_node() for kswapd: all cgroups in turn; ends the pass, or stops after a chunk of work."""
    pgdat = env.node[nid]
    spent_s = 0.0
    while pgdat.pass_lruvec < env.nr_memcgs and spent_s < CHUNK_S:
        lru = nid * env.nr_memcgs + pgdat.pass_lruvec
        lruvec = env.lruvec[lru]
        if not pgdat.in_lruvec:
            if longest_list(env, lru) >> pgdat.priority == 0:
                pgdat.pass_lruvec += 1
                continue
            aim_lruvec(env, pgdat, lru)
            if env.nr_anon_classes > 0:
                spent_s += aim_both(env, nid, lru, now_s + spent_s)
        if is_left_to_scan(env, lru):
            spent_s += shrink_chunk(env, pgdat, lru, now_s + spent_s)
            if env.nr_anon_classes > 0:
                spent_s += shrink_chunk(env, pgdat, anon_row(env, lru), now_s + spent_s)
            if is_left_to_scan(env, lru):
                return spent_s
            settle(lruvec)
        pgdat.in_lruvec = 0
        pgdat.pass_lruvec += 1
    if pgdat.pass_lruvec == env.nr_memcgs:
        spent_s += shrink_slab_by_kswapd(env, nid)
        end_pass(env, nid, now_s + spent_s)
    return spent_s


@inlined
def aim_lruvec(env, pgdat, lru):
    """The scan targets of the next cgroup: none where it is protected (no kernel's kswapd breaks low)."""
    lruvec = env.lruvec[lru]
    memcg = env.memcg[lruvec.memcg]
    pgdat.in_lruvec = 1
    lruvec.scan_left_pages[INACTIVE] = 0
    lruvec.scan_left_pages[ACTIVE] = 0
    if mem_cgroup_below_min(memcg):
        return
    if mem_cgroup_below_low(memcg) and not pgdat.low_ignored:
        pgdat.low_skipped = 1
        return
    inactive, active = pass_targets(pgdat, lruvec, memcg)
    lruvec.scan_left_pages[INACTIVE] = draw_target(env, lru, INACTIVE, inactive)
    lruvec.scan_left_pages[ACTIVE] = draw_target(env, lru, ACTIVE, active)


@kernel
def pass_targets(pgdat, lruvec, memcg):
    """Means of the (inactive, active) pages that the pass, or the passes it stands for, examine.

    Each of them meets the lists as the one before leaves them, if what is examined fares as in the last scan.
    """
    members = memcg.nr_members
    ratio = protected_ratio(memcg, pgdat.low_ignored != 0)
    inactive, new_inactive = member_list(lruvec, INACTIVE, members)
    active, new_active = member_list(lruvec, ACTIVE, members)
    all_examined = 0.0
    all_aged = 0.0
    for priority in range(pgdat.pass_first_priority, pgdat.priority - 1, -1):
        examined = pass_target(members, inactive, new_inactive, priority, ratio)
        aged = 0.0
        if pgdat.pass_may_deactivate:
            aged = pass_target(members, active, new_active, priority, ratio)
        if examined + aged == 0.0:
            continue
        all_examined += examined
        all_aged += aged
        deactivated = aged * (1.0 - lruvec.rotated_ratio)
        activated = examined * lruvec.activated_ratio
        inactive += new_inactive + deactivated - activated - examined * lruvec.evicted_ratio
        active += new_active + activated - deactivated
        new_inactive = 0.0
        new_active = 0.0
    return members * all_examined, members * all_aged


@inlined
def pass_target(nr_members, settled, arrivals, priority, ratio):
    """Mean of the pages one pass examines of a member's list; whole pages of a single cgroup's."""
    if nr_members == 1 and ratio <= 0.0:
        return float(int(settled) >> priority)
    return min(member_scan(settled, arrivals, priority, ratio), settled + arrivals)


@inlined
def shrink_chunk(env, pgdat, lru, now_s):
    """A chunk of both lists of one cgroup, in the proportion of what is left to scan. CPU seconds."""
    lruvec = env.lruvec[lru]
    left = lruvec.scan_left_pages
    active = min(left[ACTIVE], lruvec.list_pages[ACTIVE])
    inactive = min(left[INACTIVE], lruvec.list_pages[INACTIVE] + active)
    page_s = env.cost.scan_mapped_s + lruvec.evicted_ratio * env.cost.free_s
    nr_chunks = max(math.ceil((inactive + active) * page_s / CHUNK_S), 1)
    spent_s = 0.0
    nr_active = min(-(-left[ACTIVE] // nr_chunks), lruvec.list_pages[ACTIVE])
    if nr_active > 0:
        spent_s += age_active(env, lru, nr_active, now_s)
    nr_inactive = min(-(-left[INACTIVE] // nr_chunks), lruvec.list_pages[INACTIVE])
    if nr_inactive > 0:
        spent_s += shrink_inactive(env, pgdat, lru, nr_inactive, now_s + spent_s)
    left[ACTIVE] = min(left[ACTIVE] - nr_active, lruvec.list_pages[ACTIVE])
    left[INACTIVE] = min(left[INACTIVE] - nr_inactive, lruvec.list_pages[INACTIVE])
    return spent_s


@inlined
def age_active(env, lru, nr_pages, now_s):
    """Part of a chunk: the active list. Notes how much of it went round again. CPU seconds."""
    lruvec = env.lruvec[lru]
    before = lruvec.list_pages[ACTIVE]
    spent_s = shrink_active_list(env, lru, nr_pages, KSWAPD, now_s)
    lruvec.rotated_ratio = 1.0 - (before - lruvec.list_pages[ACTIVE]) / nr_pages
    return spent_s


@inlined
def shrink_inactive(env, pgdat, lru, nr_pages, now_s):
    """Part of a chunk: the inactive list. Notes how much of it was evicted and activated. CPU seconds."""
    lruvec = env.lruvec[lru]
    before = lruvec.list_pages[INACTIVE]
    scanned, reclaimed, spent_s = shrink_inactive_list(env, lru, nr_pages, KSWAPD, now_s)
    pgdat.pass_scanned_pages += scanned
    pgdat.pass_reclaimed_pages += reclaimed
    if scanned > 0:
        lruvec.evicted_ratio = reclaimed / scanned
        lruvec.activated_ratio = (before - lruvec.list_pages[INACTIVE] - reclaimed) / scanned
    return spent_s


@inlined
def end_pass(env, nid, now_s):
    """After shrink_node(): progress, priority, and whether the run is over."""
    pgdat = env.node[nid]
    pgdat.in_pass = 0
    reclaimed = pgdat.pass_reclaimed_pages
    pgdat.run_reclaimed_pages += reclaimed
    if reclaimed > 0:
        kswapd_try_clear_hopeless(env, nid, KSWAPD, min(nr_merged(pgdat), reclaimed))
    elif pgdat.pass_trim:
        pgdat.trim_failed = 1
    wanted = max(pgdat.high_wmark_pages, SWAP_CLUSTER_MAX)
    harder = max(pgdat.pass_scanned_pages, reclaimed) < wanted
    if pgdat.boost_left_pages > 0:
        harder = harder and pgdat.priority > LOWEST_BOOSTED_PRIORITY
        pgdat.boost_left_pages -= min(pgdat.boost_left_pages, reclaimed)
        if pgdat.boost_left_pages > 0 and reclaimed == 0:
            end_run(env, pgdat, now_s, False)
            return
    if harder or reclaimed == 0:
        pgdat.priority -= 1
    finish_priorities(env, pgdat, now_s)


@kernel
def finish_priorities(env, pgdat, now_s):
    """Below priority 1 the run ends - or begins again without what may be to blame that nothing was freed.

    That is cache-trim passes; and memory.low, under a rule that ignores it then.
    """
    if pgdat.priority >= 1:
        return
    if pgdat.run_reclaimed_pages == 0 and pgdat.trim_failed and not pgdat.trim_forbidden:
        pgdat.trim_forbidden = 1
        pgdat.priority = DEF_PRIORITY
        return
    if pgdat.run_reclaimed_pages == 0 and pgdat.retries_low and pgdat.low_skipped and not pgdat.low_ignored:
        pgdat.low_ignored = 1
        pgdat.priority = DEF_PRIORITY
        return
    end_run(env, pgdat, now_s, False)


@kernel
def end_run(env, pgdat, now_s, was_balanced):
    """The end of balance_pgdat(), and kswapd_try_to_sleep() after it."""
    pgdat.in_run = 0
    pgdat.activate_snapshot = pgdat.stat_workingset_activate
    pgdat.activate_snapshot_anon = pgdat.stat_workingset_activate_anon
    if not was_balanced and pgdat.run_reclaimed_pages == 0:
        count_failure(env, pgdat, now_s)
    end_boosted_run(pgdat)
    if prepare_kswapd_sleep(pgdat):
        pgdat.kswapd_phase = DOZE
        pgdat.doze_left_s = KSWAPD_DOZE_S
    else:
        pgdat.vmstat.kswapd_high_wmark_hit_quickly += 1


@inlined
def count_failure(env, pgdat, now_s):
    """A run reclaimed nothing: a failure, unless it began with a boost and the kernel is 6.19 or later."""
    pgdat.vmstat.kswapd_fruitless_runs += 1
    if pgdat.first_fruitless_s < 0.0:
        pgdat.first_fruitless_s = now_s
    if pgdat.run_boost_pages > 0:
        pgdat.vmstat.boosted_fruitless_runs += 1
        if not env.counts_boosted_runs:
            return
    pgdat.kswapd_failures += 1
    if pgdat.kswapd_failures == pgdat.failure_limit:
        give_up(pgdat, now_s)


@inlined
def give_up(pgdat, now_s):
    """The node is hopeless from now on. A probe that helped for less than its wait doubles the next wait."""
    pgdat.hopeless_since_s = now_s
    pgdat.allocated_at_hopeless_pages = pgdat.vmstat.pgalloc_normal
    if now_s - pgdat.probed_s < pgdat.probe_wait_s:
        pgdat.probe_wait_s = min(2.0 * pgdat.probe_wait_s, pgdat.probe_max_s)
    else:
        pgdat.probe_wait_s = pgdat.probe_first_s
    if pgdat.first_hopeless_s < 0.0:
        pgdat.first_hopeless_s = now_s
