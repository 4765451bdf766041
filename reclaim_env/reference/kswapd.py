"""kswapd: the state table, runs and passes, a round of 32-page chunks at a time (mm/vmscan.c)."""

from .balance import (
    get_scan_count,
    inactive_is_low,
    is_left,
    prepare_scan_control,
    reclaimable_pages,
    scan_nothing,
    snapshot_refaults,
    stop_smaller,
)
from .boost import begin_boosted, end_boosted, forget_boost
from .compiled import compiled, inlined
from .names import (
    ACTIVE_ANON,
    DEF_PRIORITY,
    DOZE,
    DOZE_END,
    DOZE_S,
    INACTIVE_ANON,
    KSWAPD,
    KSWAPD_STEP,
    LOWEST_BOOSTED_PRIORITY,
    MAX_RECLAIM_RETRIES,
    ROOT,
    RUN,
    SLEEP,
    SWAP_CLUSTER_MAX,
)
from .queue import again, schedule
from .shrink import age_anon, calculate_protection, is_below_low, is_below_min, scan_round, shrink_active
from .slab import shrink_slab
from .slots import can_age_anon_pages
from .workingset import lruvec_of
from .zone import is_balanced, is_hopeless, note_progress, start_kswapd

BALANCE_TEST_S = 1e-7


@compiled
def allow_direct_reclaim(m, nid):
    """May tasks reclaim on this node themselves, or do they wait for its kswapd?"""
    node = m.node[nid]
    if is_hopeless(node) or reclaimable_pages(m, nid) == 0:
        return True
    return node.free_pages > node.min_pages // 2


@compiled
def wake_throttled(m, nid):
    node = m.node[nid]
    if node.throttled == 0:
        return
    for t in range(m.thread.shape[0]):
        if m.thread[t].waits_for == nid:
            m.thread[t].waits_for = -1
            again(m, t, 0.0)
    node.throttled = 0


@compiled
def may_sleep(m, nid):
    """prepare_kswapd_sleep()."""
    node = m.node[nid]
    wake_throttled(m, nid)
    return is_hopeless(node) or is_balanced(node)


@compiled
def end_doze(m, nid, number):
    node = m.node[nid]
    if node.phase != DOZE or node.doze_number != number:
        return
    if may_sleep(m, nid):
        node.phase = SLEEP
        return
    node.kswapd_high_wmark_hit_quickly += 1
    start_kswapd(m, nid)


@compiled
def kswapd_step(m, nid):
    """The next piece of work of a running kswapd; the one after it is scheduled."""
    node = m.node[nid]
    m.system[0].write_wait_s = 0.0
    if not node.in_run:
        begin_run(node)
    if not node.in_pass:
        forget_boost(node)
        if is_balanced(node) and node.boost_left_pages == 0:
            cost_s = BALANCE_TEST_S
            end_run(m, nid, True)
        else:
            cost_s = begin_pass(m, nid)
    else:
        cost_s = walk_on(m, nid)
    asleep_s = m.system[0].write_wait_s
    cost_s -= asleep_s
    node.kswapd_cpu_s += cost_s
    if node.phase == RUN:
        schedule(m, m.system[0].time_s + cost_s / node.cpu_share + asleep_s, KSWAPD_STEP, nid)


@compiled
def begin_run(node):
    node.in_run, node.in_pass, node.priority = 1, 0, DEF_PRIORITY
    node.run_reclaimed, node.trim_forbidden, node.trim_failed = 0, 0, 0
    node.pageoutrun += 1
    begin_boosted(node)


@inlined
def begin_pass(m, nid):
    """prepare_scan_control() for the root, and kswapd_age_node(). The walk over cgroups is paid for here."""
    node, sc = m.node[nid], m.control[nid]
    node.in_pass, node.pass_memcg, node.is_aimed = 1, ROOT, 0
    node.pass_scanned, node.pass_reclaimed = 0, 0
    may_swap = node.boost_left_pages == 0
    prepare_scan_control(m, sc, nid, ROOT, node.priority, False, node.trim_forbidden == 1, may_swap)
    walk_s = m.system[0].pass_s + m.system[0].pass_memcg_s * m.system[0].nr_walked
    return walk_s + age_node(m, nid)


@inlined
def age_node(m, nid):
    """A few active anonymous pages of every cgroup, where the node has few inactive ones."""
    pages = m.lruvec[lruvec_of(m, nid, ROOT)].stat_pages
    cost_s = 0.0
    if can_age_anon_pages(m, nid) and inactive_is_low(pages[INACTIVE_ANON], pages[ACTIVE_ANON]):
        for g in range(m.system[0].nr_memcgs):
            cost_s += shrink_active(m, nid, g, ACTIVE_ANON, SWAP_CLUSTER_MAX, KSWAPD, 0.0)
    return cost_s


@inlined
def walk_on(m, nid):
    """One round in the next cgroup that has anything to scan, or the end of the pass and what follows."""
    node, sc = m.node[nid], m.control[nid]
    while node.pass_memcg < m.system[0].nr_memcgs:
        if not node.is_aimed:
            aim(m, nid, node.pass_memcg)
        while is_left(sc):
            cost_s = reclaim_round(m, nid, node.pass_memcg)
            if cost_s > 0.0:
                return cost_s
        cost_s = leave_memcg(m, nid)
        if cost_s > 0.0:
            return cost_s
    freed, cost_s = shrink_slab(m, nid, node.priority)
    node.pass_reclaimed += freed
    end_pass(m, nid)
    return cost_s


@inlined
def leave_memcg(m, nid):
    node = m.node[nid]
    cost_s = 0.0 if node.is_skipped else age_anon(m, nid, node.pass_memcg, KSWAPD, 0.0)
    node.pass_memcg += 1
    node.is_aimed = 0
    return cost_s


@inlined
def aim(m, nid, g):
    """The scan targets of a cgroup: none where it is protected (kswapd never breaks low)."""
    node, sc = m.node[nid], m.control[nid]
    calculate_protection(m, g, ROOT)
    node.is_aimed, node.lruvec_reclaimed = 1, 0
    node.is_skipped = g != ROOT and (is_below_min(m.memcg[g]) or is_below_low(m.memcg[g]))
    if node.is_skipped:
        scan_nothing(sc)
    else:
        get_scan_count(m, sc, nid, g, ROOT, False)


@inlined
def reclaim_round(m, nid, g):
    """A round, after which enough may be reclaimed of the cgroup. CPU seconds."""
    node, sc = m.node[nid], m.control[nid]
    scanned, freed, cost_s = scan_round(m, sc, nid, g, KSWAPD, ROOT)
    node.pass_scanned += scanned
    node.pass_reclaimed += freed
    node.lruvec_reclaimed += freed
    if node.lruvec_reclaimed >= max(node.high_pages, SWAP_CLUSTER_MAX) and not stop_smaller(sc):
        scan_nothing(sc)
    return cost_s


@inlined
def end_pass(m, nid):
    """After shrink_node(): progress, waiters, the next priority, or the end of the run."""
    node = m.node[nid]
    node.in_pass = 0
    node.run_reclaimed += node.pass_reclaimed
    if node.pass_reclaimed > 0:
        note_progress(m, nid, KSWAPD)
    elif m.control[nid].trim:
        node.trim_failed = 1
    if node.throttled > 0 and allow_direct_reclaim(m, nid):
        wake_throttled(m, nid)
    enough = max(node.pass_scanned, node.pass_reclaimed) >= max(node.high_pages, SWAP_CLUSTER_MAX)
    if node.boost_left_pages > 0:
        enough = enough or node.priority == LOWEST_BOOSTED_PRIORITY
        node.boost_left_pages -= min(node.boost_left_pages, node.pass_reclaimed)
        if node.boost_left_pages > 0 and node.pass_reclaimed == 0:
            end_run(m, nid, False)
            return
    if not enough or node.pass_reclaimed == 0:
        node.priority -= 1
    if node.priority >= 1:
        return
    if node.run_reclaimed == 0 and node.trim_failed and not node.trim_forbidden:
        node.trim_forbidden, node.priority = 1, DEF_PRIORITY
        return
    end_run(m, nid, False)


@compiled
def end_run(m, nid, balanced):
    """The end of balance_pgdat(), and kswapd_try_to_sleep()."""
    node = m.node[nid]
    node.in_run = 0
    snapshot_refaults(m, nid, ROOT)
    if not balanced and node.run_reclaimed == 0:
        count_failure(m, nid)
    end_boosted(node)
    if may_sleep(m, nid):
        node.phase = DOZE
        node.doze_number += 1
        schedule(m, m.system[0].time_s + DOZE_S, DOZE_END, nid + 8 * node.doze_number)
    else:
        node.kswapd_high_wmark_hit_quickly += 1


@compiled
def count_failure(m, nid):
    node = m.node[nid]
    now_s = m.system[0].time_s
    node.kswapd_fruitless_runs += 1
    if node.first_fruitless_s < 0.0:
        node.first_fruitless_s = now_s
    if node.run_boost_pages > 0 and not m.system[0].counts_boosted_runs:
        return
    node.kswapd_failures += 1
    if node.kswapd_failures == MAX_RECLAIM_RETRIES:
        node.hopeless_since_s = now_s
        if node.first_hopeless_s < 0.0:
            node.first_hopeless_s = now_s
