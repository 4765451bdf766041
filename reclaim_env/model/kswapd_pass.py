"""A pass of kswapd over all cgroups of its node: shrink_node() at one priority (mm/vmscan.c).

Kept: what prepare_scan_control() decides, targets per cgroup, passes that last longer than a tick. Short
passes are made several at a time.
"""

import math

from reclaim_env.model.anon_pass import aim_both, is_left_to_scan
from reclaim_env.model.constants import ACTIVE, INACTIVE, KSWAPD
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.kswapd_run import end_pass
from reclaim_env.model.lru_balance import inactive_is_low, longest_list
from reclaim_env.model.rows import anon_row
from reclaim_env.model.scan_count import (
    draw_target,
    mem_cgroup_below_low,
    mem_cgroup_below_min,
    member_list,
    protected_ratio,
    sum_passes,
)
from reclaim_env.model.slab import shrink_slab_by_kswapd
from reclaim_env.model.vmscan import settle, shrink_active_list, shrink_inactive_list

# CPU time of work done in one go, so that the budget is kept.
CHUNK_S = 1e-3


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
    examined, aged = sum_passes(
        (pgdat.pass_first_priority, pgdat.priority, pgdat.pass_may_deactivate),
        (members, 1.0, ratio),
        (member_list(lruvec, INACTIVE, members), member_list(lruvec, ACTIVE, members)),
        (lruvec.evicted_ratio, lruvec.activated_ratio, lruvec.rotated_ratio),
    )
    return members * examined, members * aged


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
