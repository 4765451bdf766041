"""Scanning one cgroup's lists on one node, and walking a node's cgroups (mm/vmscan.c, 6.12).

Kept: priority shift with rounding per list, protection by min and low, deactivation when the inactive
list is low or refaults activate, the fate of an examined page, partial walks of limited reclaim.
Anonymous lists are looked at only where they exist. Left out: dirty pages, isolation limits, lumpy or
compacting reclaim.
"""

import math

from reclaim_env.model import bins, rng
from reclaim_env.model.buddy import free_pages
from reclaim_env.model.constants import (
    ACTIVE,
    BY_LIMIT,
    BY_NODE,
    BY_TASK,
    DEF_PRIORITY,
    EXEC,
    FRESH,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    READ,
    REFERENCED,
    SWAP_CLUSTER_MAX,
    UNREFERENCED,
)
from reclaim_env.model.hierarchy import uncharge
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import (
    can_age_anon_pages,
    inactive_is_low,
    longest_list,
    lru_note_cost,
    part_to_scan,
    scan_ratios,
)
from reclaim_env.model.migrate import can_demote, demote_folio_list
from reclaim_env.model.rows import anon_row
from reclaim_env.model.swap_out import swap_out
from reclaim_env.model.workingset import age_evictor, workingset_age_nonresident, workingset_eviction

# So many are expected of a page that 1 - exp(-touches) is 1, to the last bit.
SURE_TOUCHES = 40.0


@kernel
def expected_shifts(settled, arrivals, shift):
    """E[(settled + Poisson(arrivals)) >> shift]: one member's list, of which `arrivals` came at random."""
    step = float(1 << shift)
    mean = settled + arrivals
    if arrivals < 1e-9 or mean + 8.0 * math.sqrt(arrivals) + 8.0 < step:  # certain, or as good as impossible
        return math.floor(settled / step)
    if mean > 24.0 * step:
        return mean / step - 0.5 * (step - 1.0) / step
    if arrivals > 32.0:  # too many to enumerate: the spread of the sum decides how sharp the steps are
        if 3.0 * math.sqrt(arrivals) > step:
            return max(mean / step - 0.5 * (step - 1.0) / step, 0.0)
        return math.floor(mean / step)
    mass = math.exp(-arrivals)
    below = 0.0  # P(sum < next multiple of step)
    k = 0
    total = 0.0
    whole = math.floor(settled)
    total += math.floor(whole / step)
    threshold = (math.floor(whole / step) + 1.0) * step - whole
    while True:
        while k < threshold:
            below += mass
            k += 1
            mass *= arrivals / k
        above = 1.0 - below
        if above < 1e-9:
            return total
        total += above
        threshold += step


@inlined
def member_list(lruvec, lst, nr_members):
    """One member's list: (pages the last scan left, spread evenly; mean of what came at random since)."""
    pages = lruvec.list_pages[lst]
    if nr_members == 1:
        return float(pages), 0.0
    settled = min(lruvec.settled_pages[lst], pages) / nr_members
    return settled, pages / nr_members - settled


@kernel
def mean_shift(settled, arrivals, shift):
    """Mean of one member's list length >> shift, where some members have a settled page more than others."""
    whole = math.floor(settled)
    part = settled - whole
    if part == 0.0:
        return expected_shifts(whole, arrivals, shift)
    return (1.0 - part) * expected_shifts(whole, arrivals, shift) + part * expected_shifts(
        whole + 1.0, arrivals, shift
    )


@kernel
def member_shift(lruvec, lst, nr_members, shift):
    """Mean of one member's list length >> shift.

    One cgroup: exactly its length shifted. N identical ones: what the last scan left is spread evenly
    over them, what came since fell on them at random, so a short list has a page to spare here and there.
    """
    pages = lruvec.list_pages[lst]
    if nr_members == 1:
        return float(pages >> shift)
    if pages < 1 << shift:  # not even one member could have so many
        return 0.0
    settled, arrivals = member_list(lruvec, lst, nr_members)
    return mean_shift(settled, arrivals, shift)


@inlined
def protection_pages(memcg, low_ignored):
    """get_scan_count(): what effective min and low keep out of the scan."""
    return memcg.emin_pages if low_ignored else max(memcg.elow_pages, memcg.emin_pages)


@inlined
def protected_ratio(memcg, low_ignored):
    """get_scan_count(): the part of a list that is kept out of the scan."""
    protection = protection_pages(memcg, low_ignored)
    return protection / (max(float(memcg.usage_pages), protection) + 1.0)


@kernel
def nr_to_scan(lruvec, memcg, lst, priority, low_ignored, is_target, members):
    """get_scan_count() for one list: pages of `members` of the cgroup's identical members, as a mean."""
    pages = lruvec.list_pages[lst]
    if pages == 0:
        return 0.0
    ratio = 0.0 if is_target else protected_ratio(memcg, low_ignored)
    if ratio <= 0.0:
        return members * member_shift(lruvec, lst, memcg.nr_members, priority)
    return members * member_scan(pages / memcg.nr_members, 0.0, priority, ratio)


@inlined
def member_scan(settled, arrivals, priority, ratio):
    """get_scan_count() for a list of one member, `ratio` of it protected, as a mean.

    A list is shortened by its protection before the shift, to no less than SWAP_CLUSTER_MAX if it is less.
    """
    if ratio <= 0.0:
        return mean_shift(settled, arrivals, priority)
    size = settled + arrivals
    size -= math.floor(size * ratio)
    return float(math.floor(max(size, float(SWAP_CLUSTER_MAX)) / (1 << priority)))


@inlined
def visited_to_scan(lruvec, lst, priority, members):
    """The same where the members whose call it is are some of a crowd: of what they have left."""
    return float(members * (lruvec.visited_pages[lst] // members >> priority))


@inlined
def young_ratio(env, class_, inserted_s, now_s):
    """P(young) of a mapped page whose bit was clear at inserted_s: it was touched while its class was on."""
    since = abs(now_s - inserted_s) - env.cost.tlb_s  # tasks of one slice act out of order
    begin_s, end_s = (class_.silent_s, class_.switched_s) if class_.on else (class_.switched_s, now_s)
    since -= max(end_s - max(begin_s, inserted_s), 0.0)  # of the last silence what lies in between
    if since <= 0.0:
        return 0.0
    touches = class_.on_rate_per_s * since
    return 1.0 if touches > SURE_TOUCHES else -math.expm1(-touches)


@inlined
def folio_check_references(env, lruvec, set_, class_, now_s):
    """The fates of the aimed part of a mapped class: means of (reclaimed, activated); the rest is kept.

    Not young: reclaimed. Young: activated if referenced before or executable, else kept at the head.
    A fresh page is young since its fault.
    """
    is_exec = class_.access == EXEC
    reclaimed = 0.0
    activated = 0.0
    for b in range(env.first_aimed, env.last_aimed + 1):
        aimed = env.taken_ratio[b]
        unreferenced = set_.cells[INACTIVE, UNREFERENCED, b] * aimed
        referenced = set_.cells[INACTIVE, REFERENCED, b] * aimed
        fresh = set_.cells[INACTIVE, FRESH, b] * aimed
        if env.looks_again:  # the first look took their bit
            referenced += fresh
        elif is_exec:
            activated += fresh
        if unreferenced + referenced == 0.0:
            continue
        young = young_ratio(env, class_, lruvec.inserted_s[INACTIVE, b], now_s)
        reclaimed += (unreferenced + referenced) * (1.0 - young)
        activated += referenced * young
        if is_exec:
            activated += unreferenced * young
    return reclaimed, activated


@kernel
def evict(env, set_, nr_pages, evictor):
    """__remove_mapping() and the free: pages leave the inactive list, shadows stay."""
    bins.resize(env, set_, INACTIVE, -nr_pages)
    class_ = env.class_[set_.class_id]
    class_.evicted_pages += nr_pages
    if not class_.one_touch:
        class_.absent_pages += nr_pages
        workingset_eviction(env, set_, evictor, nr_pages)
    else:
        age_evictor(env, set_, evictor, nr_pages)
    uncharge(env, class_.memcg, nr_pages)
    free_pages(env, set_.nid, nr_pages)


@inlined
def activate(env, set_, nr_pages, now_s):
    """Examined pages that go to the active list with PG_referenced set."""
    bins.resize(env, set_, INACTIVE, -nr_pages)
    bins.add_head(env, set_, ACTIVE, REFERENCED, float(nr_pages), now_s)
    bins.resize(env, set_, ACTIVE, nr_pages)
    workingset_age_nonresident(env, env.lruvec[set_.lruvec], nr_pages)
    env.node[set_.nid].vmstat.pgactivate += nr_pages
    env.class_[set_.class_id].activated_pages += nr_pages


@inlined
def give_up(env, set_, nr_pages, evictor, reason, now_s):
    """Pages nobody used leave the node: to a lower tier with room, else to swap, or dropped.

    Returns how many; what finds no slot is still on the inactive list.
    """
    gone = 0
    if can_demote(env, set_.nid):
        gone = demote_folio_list(env, set_, nr_pages, reason, now_s)
    left = nr_pages - gone
    if left > 0 and env.class_[set_.class_id].anon:
        return gone + swap_out(env, set_, left, evictor, now_s)
    if left > 0:
        evict(env, set_, left, evictor)
    return nr_pages


@inlined
def shrink_folio_list(env, set_, evictor, reason, now_s, fate):
    """What becomes of the isolated pages of one class, by draw `fate`. Returns the number reclaimed.

    Unmapped page cache gets no second chance here: read() protects a page only by activating it.
    """
    k = set_.isolated_pages
    class_ = env.class_[set_.class_id]
    if class_.access == READ:
        bins.del_tail(env, set_, INACTIVE, k)
        return give_up(env, set_, k, evictor, reason, now_s)
    lruvec = env.lruvec[set_.lruvec]
    mean_reclaimed, mean_activated = folio_check_references(env, lruvec, set_, class_, now_s)
    examined = bins.aimed_total(set_)
    nr_reclaimed = 0
    if examined > 0.0:
        nr_reclaimed = rng.draw_binomial(env, rng.FATE, fate, 0, k, mean_reclaimed / examined)
    spared = k - nr_reclaimed
    nr_activated = 0
    if spared > 0 and mean_activated > 0.0:
        ratio = min(1.0, mean_activated / max(examined - mean_reclaimed, mean_activated))
        nr_activated = rng.draw_binomial(env, rng.FATE, fate, 1, spared, ratio)
    nr_kept = spared - nr_activated
    bins.del_tail(env, set_, INACTIVE, k)
    if nr_reclaimed > 0:
        nr_reclaimed = give_up(env, set_, nr_reclaimed, evictor, reason, now_s)
        nr_activated = k - nr_kept - nr_reclaimed
    if nr_activated > 0:
        activate(env, set_, nr_activated, now_s)
    bins.add_head(env, set_, INACTIVE, REFERENCED, float(nr_kept), now_s)
    return nr_reclaimed


@kernel
def scan_cost(env, set_, nr_scanned, nr_reclaimed):
    """CPU seconds of examining and freeing pages of one class."""
    cost = env.cost
    if env.class_[set_.class_id].access == READ:
        return nr_scanned * cost.scan_s + nr_reclaimed * cost.free_s
    return nr_scanned * cost.scan_mapped_s + nr_reclaimed * (cost.free_s + cost.unmap_s)


@inlined
def date_aimed(env, lruvec):
    """Pages met a second time in one descent: their young bits have been clear since it began, or less."""
    for b in range(env.first_aimed, env.last_aimed + 1):
        lruvec.inserted_s[INACTIVE, b] = max(lruvec.inserted_s[INACTIVE, b], env.descent_s)


@kernel
def shrink_inactive_list(env, lru, nr_pages, reason, now_s):
    """Examines nr_pages at the tail of an inactive list. Returns (scanned, reclaimed, CPU seconds)."""
    lruvec = env.lruvec[lru]
    pgdat = env.node[lruvec.nid]
    env.nr_scans += 1
    u, _, _ = rng.uniforms(env, rng.SCAN, env.nr_scans)
    if lruvec.has_mapped:  # pages put back a moment ago must not lie at the tail
        bins.level_bins(env, lruvec, INACTIVE, bins.STRAY_IN_SCAN_RATIO)
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
        freed = shrink_folio_list(env, set_, evictor, reason, now_s + cost_s, fate)
        reclaimed += freed
        cost_s += scan_cost(env, set_, k, freed) + env.pageout_s
        env.pageout_s = 0.0
    count_scan(pgdat.vmstat, lruvec.anon, reason, scanned, reclaimed)
    if env.nr_anon_classes > 0:
        lru_note_cost(env, lruvec, reclaimed if lruvec.anon else 0, scanned - reclaimed)
    env.memcg[lruvec.memcg].pgscan += scanned
    env.memcg[lruvec.memcg].pgsteal += reclaimed
    return scanned, reclaimed, cost_s


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
    u, v, _ = rng.uniforms(env, rng.SCAN, env.nr_scans)
    if lruvec.has_mapped:
        bins.level_bins(env, lruvec, ACTIVE, bins.STRAY_IN_SCAN_RATIO)
    scanned = bins.isolate_lru_folios(env, lruvec, ACTIVE, nr_pages, u)
    cost_s = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        set_ = env.set_[i]
        if set_.isolated_pages > 0:
            rotated = deactivate(env, set_, now_s, v)
            if env.nr_anon_classes > 0 and rotated > 0:
                lru_note_cost(env, lruvec, 0, rotated)
            cost_s += scan_cost(env, set_, set_.isolated_pages, 0)
    if reason <= GLOBAL_DIRECT:
        pgdat.vmstat.pgrefill += scanned
    return cost_s


@inlined
def deactivate(env, set_, now_s, u):
    """Moves the isolated pages of one class from the active tail to the inactive head (or round again).

    Returns how many went round.
    """
    k = set_.isolated_pages
    class_ = env.class_[set_.class_id]
    lruvec = env.lruvec[set_.lruvec]
    rotated = 0
    if class_.access == EXEC:
        rotated = rng.binomial(u, k, exec_young_ratio(env, lruvec, set_, class_, now_s))
    bins.del_tail(env, set_, ACTIVE, k)
    # The flags of what left, per page; a list never holds more fractions than whole pages.
    left = max(env.flag_pages[UNREFERENCED] + env.flag_pages[REFERENCED] + env.flag_pages[FRESH], 1e-300)
    referenced = env.flag_pages[REFERENCED] / left
    moved = k - rotated
    bins.add_head(env, set_, ACTIVE, REFERENCED, rotated * referenced, now_s)
    bins.add_head(env, set_, ACTIVE, UNREFERENCED, rotated * (1.0 - referenced), now_s)
    bins.add_head(env, set_, INACTIVE, REFERENCED, moved * referenced, now_s)
    bins.add_head(env, set_, INACTIVE, UNREFERENCED, moved * (1.0 - referenced), now_s)
    bins.resize(env, set_, ACTIVE, -moved)
    bins.resize(env, set_, INACTIVE, moved)
    workingset_age_nonresident(env, lruvec, rotated)
    env.node[set_.nid].vmstat.pgdeactivate += moved
    return rotated


@inlined
def exec_young_ratio(env, lruvec, set_, class_, now_s):
    """Mean P(young) of the aimed part of an executable class on the active list."""
    aimed = 0.0
    young = 0.0
    for b in range(env.first_aimed, env.last_aimed + 1):
        pages = set_.cells[ACTIVE, UNREFERENCED, b] + set_.cells[ACTIVE, REFERENCED, b]
        touched = young_ratio(env, class_, lruvec.inserted_s[ACTIVE, b], now_s) if pages > 0.0 else 0.0
        young += env.taken_ratio[b] * (pages * touched + set_.cells[ACTIVE, FRESH, b])
        aimed += env.taken_ratio[b] * (pages + set_.cells[ACTIVE, FRESH, b])
    return young / aimed if aimed > 0.0 else 0.0


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
    chunk = SWAP_CLUSTER_MAX * members
    while inactive_pages > 0 or active_pages > 0:
        active_part = min(active_pages, chunk)
        if inactive_pages > 0:
            if starts_second_lap(env, lruvec, members):
                chunk = SWAP_CLUSTER_MAX * members
            part = min(inactive_pages, chunk, pages_to_lap_end(env, lruvec, members))
            _, freed, spent_s = shrink_inactive_list(env, lru, part, reason, now_s + cost_s)
            lruvec.lapped_pages += part
            reclaimed += freed
            cost_s += spent_s
            inactive_pages -= part
            if 2 * freed < part:
                chunk *= 2  # a list that yields little is walked in growing strides
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
def mem_cgroup_below_min(memcg):
    """Effective min covers all the cgroup uses."""
    return memcg.emin_pages > 0.0 and memcg.emin_pages >= memcg.usage_pages


@inlined
def mem_cgroup_below_low(memcg):
    """Effective low covers all the cgroup uses."""
    return memcg.elow_pages > 0.0 and memcg.elow_pages >= memcg.usage_pages


@kernel
def draw_target(env, lru, lst, mean_pages):
    """Whole pages to scan, of a mean that is whole already unless members are many."""
    whole = math.floor(mean_pages)
    if whole == mean_pages:
        return int(whole)
    env.nr_scans += 1
    u, _, _ = rng.uniforms(env, rng.ROUNDING, env.nr_scans)
    return min(rng.round_stochastic(mean_pages, u), env.lruvec[lru].list_pages[lst])


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
            memcg.events_low += members
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


@kernel
def limited_targets(env, lru, priority, type_ratio, is_target, may_deactivate, members):
    """get_scan_count() for a row of lists: whole pages of the (inactive, active) one."""
    if type_ratio <= 0.0:
        return 0, 0
    sc = env.sc
    lruvec = env.lruvec[lru]
    memcg = env.memcg[lruvec.memcg]
    if is_target and members < memcg.nr_members:
        inactive = visited_to_scan(lruvec, INACTIVE, priority, members)
        active = visited_to_scan(lruvec, ACTIVE, priority, members)
    else:
        inactive = nr_to_scan(lruvec, memcg, INACTIVE, priority, sc.low_ignored, is_target, float(members))
        active = nr_to_scan(lruvec, memcg, ACTIVE, priority, sc.low_ignored, is_target, float(members))
    if active > 0.0 and not may_deactivate:
        sc.skipped_deactivate = 1
        active = 0.0
    inactive = part_to_scan(inactive, type_ratio, memcg.nr_members)
    active = part_to_scan(active, type_ratio, memcg.nr_members)
    return (
        min(draw_target(env, lru, INACTIVE, inactive), lruvec.list_pages[INACTIVE]),
        min(draw_target(env, lru, ACTIVE, active), lruvec.list_pages[ACTIVE]),
    )
