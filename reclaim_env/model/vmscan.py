"""Scanning one cgroup's lists on one node (mm/vmscan.c, 6.12).

Kept: inactive and active lists, rounds of a limited reclaimer, what a second lap meets, background ageing of
anonymous lists where they exist. Left out: isolation limits, lumpy or compacting reclaim.
"""

from reclaim_env.model import bins, rng
from reclaim_env.model.constants import (
    ACTIVE,
    BY_LIMIT,
    BY_NODE,
    BY_TASK,
    DEF_PRIORITY,
    EXEC,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.folio_fate import deactivate, reclaimable_pages, scan_cost, shrink_folio_list
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lanes import greater, load, spread, store, where_positive
from reclaim_env.model.lru_balance import (
    can_age_anon_pages,
    inactive_is_low,
    longest_list,
    lru_note_cost,
    scan_ratios,
)
from reclaim_env.model.rows import anon_row
from reclaim_env.model.scan_count import limited_targets, mem_cgroup_below_low, mem_cgroup_below_min


@inlined
def date_aimed(env, lruvec):
    """Pages met a second time in one descent: their young bits have been clear since it began, or less."""
    inserted_s = load(lruvec.inserted_s[INACTIVE])
    begun_s = greater(inserted_s, spread(env.descent_s))
    store(lruvec.inserted_s[INACTIVE], where_positive(load(env.taken_ratio), begun_s, inserted_s))


@kernel
def mean_yield(env, lruvec, nr_pages, now_s):
    """How many of the nr_pages at the tail of an inactive list could be reclaimed, as a mean."""
    bins.aim_tail(env, lruvec, INACTIVE, nr_pages)
    if env.looks_again:
        date_aimed(env, lruvec)
    pages = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        set_ = env.set_[i]
        if set_.resident_pages[INACTIVE] > 0:
            pages += reclaimable_pages(env, lruvec, set_, now_s)
    return pages


@kernel
def shrink_inactive_list(env, lru, nr_pages, reason, now_s):
    """Examines nr_pages at the tail of an inactive list. Returns (scanned, reclaimed, CPU seconds)."""
    lruvec = env.lruvec[lru]
    pgdat = env.node[lruvec.nid]
    env.nr_scans += 1
    u = 0.5
    if lruvec.nr_sets > 1:  # one class alone is all there is to take
        u, _, _ = rng.uniforms(env, rng.SCAN, env.nr_scans)
    if lruvec.has_mapped:  # pages put back a moment ago must not lie at the tail
        bins.level_bins(env, lruvec, INACTIVE)
    scanned = bins.isolate_lru_folios(env, lruvec, INACTIVE, nr_pages, u)
    if env.looks_again:
        date_aimed(env, lruvec)
    evictor = BY_NODE if reason <= GLOBAL_DIRECT else BY_LIMIT
    reclaimed = 0
    cost_s = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        set_ = env.set_[i]
        k = set_.isolated_pages
        if k == 0:
            continue
        fate = env.nr_scans * 64 + i - lruvec.first_set
        freed = shrink_folio_list(env, set_, evictor, reason, now_s, fate)
        reclaimed += freed
        cost_s += scan_cost(env, set_, k, freed) + env.pageout_s
        env.pageout_s = 0.0
    date_heads(env, lruvec, now_s)
    count_scan(pgdat.vmstat, lruvec.anon, reason, scanned, reclaimed)
    if env.nr_anon_classes > 0:
        lru_note_cost(env, lruvec, reclaimed if lruvec.anon else 0, scanned - reclaimed)
    env.memcg[lruvec.memcg].pgscan += scanned
    env.memcg[lruvec.memcg].pgsteal += reclaimed
    return scanned, reclaimed, cost_s


@inlined
def date_heads(env, lruvec, now_s):
    """What a scan put back on either list, of all classes: they lie there one among the other."""
    bins.date_head(env, lruvec, INACTIVE, now_s)
    bins.date_head(env, lruvec, ACTIVE, now_s)


@inlined
def count_scan(vmstat, anon, reason, scanned, reclaimed):
    """pgscan and pgsteal; reclaim on behalf of a cgroup's limit appears in the totals by type only."""
    if anon:
        vmstat.pgscan_anon += scanned
        vmstat.pgsteal_anon += reclaimed
    else:
        vmstat.pgscan_file += scanned
        vmstat.pgsteal_file += reclaimed
    if reason == KSWAPD:
        vmstat.pgscan_kswapd += scanned
        vmstat.pgsteal_kswapd += reclaimed
    elif reason == GLOBAL_DIRECT:
        vmstat.pgscan_direct += scanned
        vmstat.pgsteal_direct += reclaimed


@kernel
def shrink_active_list(env, lru, nr_pages, reason, now_s):
    """Deactivates pages at the tail of an active list. Returns CPU seconds.

    Executable pages found young go round again; all others go to the inactive head, PG_referenced as it is.
    """
    lruvec = env.lruvec[lru]
    pgdat = env.node[lruvec.nid]
    env.nr_scans += 1
    u, v = 0.5, 0.5
    if lruvec.nr_sets > 1 or env.class_[env.set_[lruvec.first_set].class_id].access == EXEC:
        u, v, _ = rng.uniforms(env, rng.SCAN, env.nr_scans)
    if lruvec.has_mapped:
        bins.level_bins(env, lruvec, ACTIVE)
    scanned = bins.isolate_lru_folios(env, lruvec, ACTIVE, nr_pages, u)
    cost_s = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        set_ = env.set_[i]
        if set_.isolated_pages > 0:
            rotated = deactivate(env, set_, now_s, v)
            if env.nr_anon_classes > 0 and rotated > 0:
                lru_note_cost(env, lruvec, 0, rotated)
            cost_s += scan_cost(env, set_, set_.isolated_pages, 0)
    date_heads(env, lruvec, now_s)
    if reason <= GLOBAL_DIRECT:
        pgdat.vmstat.pgrefill += scanned
    return cost_s


@kernel
def shrink_lruvec(env, lru, inactive_pages, active_pages, nr_to_reclaim, members, reason, now_s):
    """Executes the scan targets of one list pair, in rounds while a limited reclaimer still wants pages.

    Returns (reclaimed, CPU seconds). A round that reached nr_to_reclaim is the last.
    """
    lruvec = env.lruvec[lru]
    inactive_before = lruvec.list_pages[INACTIVE]
    active_before = lruvec.list_pages[ACTIVE]
    reclaimed = 0
    cost_s = 0.0
    least = SWAP_CLUSTER_MAX * members
    chunk = least
    while inactive_pages > 0 or active_pages > 0:
        active_part = min(active_pages, chunk)
        if inactive_pages > 0:
            if starts_second_lap(env, lruvec, members):
                chunk = least
            part = min(inactive_pages, chunk, pages_to_lap_end(env, lruvec, members))
            wanted = max(nr_to_reclaim - reclaimed, least)
            while part > least and mean_yield(env, lruvec, part, now_s + cost_s) > wanted:
                part = max(part // 2, least)
                chunk = part
            _, freed, spent_s = shrink_inactive_list(env, lru, part, reason, now_s + cost_s)
            lruvec.lapped_pages += part
            reclaimed += freed
            cost_s += spent_s
            inactive_pages -= part
            if 2 * freed < part:  # a list that yields little is walked in growing strides
                chunk *= 2  # that end where 32 by 32 would
        env.aims_head = 0
        if active_part > 0:
            cost_s += shrink_active_list(env, lru, active_part, reason, now_s + cost_s)
            active_pages -= active_part
        if reclaimed >= nr_to_reclaim:
            break
    env.looks_again = 0
    change_visited(lruvec, INACTIVE, lruvec.list_pages[INACTIVE] - inactive_before)
    change_visited(lruvec, ACTIVE, lruvec.list_pages[ACTIVE] - active_before)
    settle(lruvec)
    return reclaimed, cost_s


@kernel
def shrink_both(env, lru, file_pages, anon_pages, nr_to_reclaim, members, reason, now_s):
    """shrink_lruvec() of both types of a cgroup: of each its (inactive, active) target.

    The kernel goes round all lists until nr_to_reclaim is met, and lets neither type be scanned far beyond
    its part: here what is wanted is shared out by the targets, anonymous memory first. Returns (reclaimed,
    CPU seconds).
    """
    nr_file = file_pages[0] + file_pages[1]
    nr_anon = anon_pages[0] + anon_pages[1]
    reclaimed = 0
    cost_s = 0.0
    if anon_pages[0] > 0:
        wanted = max(int(nr_to_reclaim * (nr_anon / (nr_file + nr_anon))), 1)
        reclaimed, cost_s = shrink_lruvec(
            env, anon_row(env, lru), anon_pages[0], anon_pages[1], wanted, members, reason, now_s
        )
    if nr_file > 0:
        wanted = max(nr_to_reclaim - reclaimed, 1)
        freed, spent_s = shrink_lruvec(
            env, lru, file_pages[0], file_pages[1], wanted, members, reason, now_s + cost_s
        )
        reclaimed += freed
        cost_s += spent_s
    if can_age_anon_pages(env, env.lruvec[lru].nid):
        cost_s += age_anon_list(env, lru, reason, now_s + cost_s)
    return reclaimed, cost_s


@kernel
def age_anon_list(env, lru, reason, now_s):
    """The end of shrink_lruvec(): deactivates a few anonymous pages where their inactive list is low."""
    anon = env.lruvec[anon_row(env, lru)]
    settle(anon)
    nr_pages = min(anon.list_pages[ACTIVE], SWAP_CLUSTER_MAX)
    if nr_pages == 0 or not inactive_is_low(anon.stat_list_pages[INACTIVE], anon.stat_list_pages[ACTIVE]):
        return 0.0
    return shrink_active_list(env, anon_row(env, lru), nr_pages, reason, now_s)


@inlined
def change_visited(lruvec, lst, pages):
    """What a scan took off a list of a crowd, or put on it, was the visited members'."""
    lruvec.visited_pages[lst] = max(lruvec.visited_pages[lst] + pages, 0)


@inlined
def unseen_pages(env, lruvec, members):
    """What is left of a descent's first lap over the lists of the visited members; then it meets its own."""
    nr_members = env.memcg[lruvec.memcg].nr_members
    visited = min(members, nr_members)
    return (lruvec.lap_pages * visited + nr_members - 1) // nr_members - lruvec.lapped_pages


@inlined
def pages_to_lap_end(env, lruvec, members):
    """How far the next round may go without straddling the end of the first lap."""
    unseen = unseen_pages(env, lruvec, members)
    return unseen if unseen > 0 else 1 << 60


@inlined
def starts_second_lap(env, lruvec, members):
    """Does the next round meet pages that the descent has put back, as none before it?

    Of the common list of a crowd the visited members' pages are then the head.
    """
    before = env.looks_again
    env.looks_again = unseen_pages(env, lruvec, members) <= 0
    env.aims_head = env.looks_again and members < env.memcg[lruvec.memcg].nr_members
    return env.looks_again and not before


@inlined
def settle(lruvec):
    """After a scan what is left of short lists lies evenly over the members."""
    lruvec.settled_pages[INACTIVE] = lruvec.list_pages[INACTIVE]
    lruvec.settled_pages[ACTIVE] = lruvec.list_pages[ACTIVE]


@inlined
def shrink_one(env, nid, g, root, priority, may_deactivate, nr_to_reclaim, members, reason, now_s):
    """The body of shrink_node_memcgs() for one cgroup: skipped if protected, else shrink_lruvec().

    `members`: how many of its identical members are visited (of a single one: how many times).
    Returns (reclaimed, CPU seconds).
    """
    sc = env.sc
    memcg = env.memcg[g]
    lru = nid * env.nr_memcgs + g
    is_target = g == root
    if not is_target:
        if mem_cgroup_below_min(memcg):
            return 0, 0.0
        if memcg.elow_pages > memcg.emin_pages and not sc.low_ignored:
            sc.skipped_low = 1  # all of it, or the part it shortens a list by
            if mem_cgroup_below_low(memcg):
                return 0, 0.0
        if mem_cgroup_below_low(memcg):
            memcg.events_low += members * (1 + sc.nr_merged)
    proportional = reason == GLOBAL_DIRECT and priority == DEF_PRIORITY
    wanted = 1 << 60 if proportional else nr_to_reclaim * members
    if env.nr_anon_classes == 0:
        if longest_list(env, lru) == 0:
            return 0, 0.0
        nr_inactive, nr_active = limited_targets(env, lru, priority, 1.0, is_target, may_deactivate, members)
        if nr_inactive == 0 and nr_active == 0:
            return 0, 0.0
        return shrink_lruvec(env, lru, nr_inactive, nr_active, wanted, members, reason, now_s)
    anon_ratio, file_ratio = scan_ratios(env, BY_TASK, g, nid, root, priority)
    files = limited_targets(env, lru, priority, file_ratio, is_target, may_deactivate, members)
    deactivate_anon = env.node[nid].scan_balance[BY_TASK].deactivate_anon
    anon = limited_targets(env, anon_row(env, lru), priority, anon_ratio, is_target, deactivate_anon, members)
    return shrink_both(env, lru, files, anon, wanted, members, reason, now_s)
