"""Reclaim by tasks: a descent from priority 12 to 0, for the allocator or a cgroup's limit (mm/vmscan.c)."""

from .balance import get_scan_count, is_left, prepare_scan_control, snapshot_refaults, stop_smaller
from .compiled import compiled
from .names import DEF_PRIORITY, GLOBAL_DIRECT, ROOT
from .reader import read_meanwhile
from .shrink import age_anon, calculate_protection, is_below_low, is_below_min, scan_round
from .slab import shrink_slab
from .zone import note_progress


@compiled
def try_to_free_pages(m, instance, start, mask, target, wanted, reason):
    """do_try_to_free_pages() with its three further tries. Returns (reclaimed, CPU seconds)."""
    system = m.system[0]
    begun_s = system.spent_s
    system.spent_s += system.direct_entry_s
    full_walk, forced, low_ignored = False, False, False
    while True:
        system.skipped_deactivate, system.skipped_low = 0, 0
        if reason == GLOBAL_DIRECT:
            m.node[start].allocstall += 1
            m.instance[instance].allocstall += 1
        reclaimed = descend(m, start, mask, target, wanted, reason, full_walk, forced, low_ignored)
        if reclaimed > 0:
            return reclaimed, system.spent_s - begun_s
        if not full_walk:
            full_walk = True
        elif system.skipped_deactivate and not forced:
            forced = True
        elif system.skipped_low and not low_ignored:
            forced, low_ignored = False, True
        else:
            return 0, system.spent_s - begun_s


@compiled
def descend(m, start, mask, target, wanted, reason, full_walk, forced, low_ignored):
    """Priorities 12 to 0, every node of the mask once at each."""
    system = m.system[0]
    reclaimed = 0
    for priority in range(DEF_PRIORITY, -1, -1):
        for i in range(system.nr_nodes):
            nid = m.node[start].zonelist[i]
            if not mask >> nid & 1:
                continue
            sc = m.control[system.nr_nodes]
            prepare_scan_control(m, sc, nid, target, priority, forced, False, True)
            freed = shrink_node_memcgs(m, nid, target, full_walk, low_ignored, wanted, reclaimed, reason)
            if freed > 0:
                note_progress(m, nid, reason)
            reclaimed += freed
        if reclaimed >= wanted:
            break
    for nid in range(system.nr_nodes):
        if mask >> nid & 1:
            snapshot_refaults(m, nid, target)
    return reclaimed


@compiled
def shrink_node_memcgs(m, nid, target, full_walk, low_ignored, wanted, before, reason):
    """The walk over the target's subtree: partial ones go on where the last one stopped, to the end."""
    system = m.system[0]
    system.spent_s += system.pass_s
    first, end = target, m.memcg[target].end
    if not full_walk:
        first = m.memcg[target].cursor[nid]
        if not target <= first < end:
            first = target
        for g in range(target, first):
            calculate_protection(m, g, target)
    reclaimed = 0
    g = first
    while g < end:
        if g != ROOT or system.nr_walked == system.nr_memcgs:
            system.spent_s += system.pass_memcg_s
        calculate_protection(m, g, target)
        reclaimed += shrink_one(m, nid, g, target, low_ignored, wanted, reason)
        if g == ROOT:  # whose the pool is
            freed, cost_s = shrink_slab(m, nid, m.control[system.nr_nodes].priority)
            reclaimed += freed
            system.spent_s += cost_s
        g += 1
        if not full_walk and before + reclaimed >= wanted:
            break
    if not full_walk:
        m.memcg[target].cursor[nid] = g if g < end else target
    return reclaimed


@compiled
def shrink_one(m, nid, g, target, low_ignored, wanted, reason):
    """One cgroup: skipped where it is protected, else shrink_lruvec()."""
    row = m.memcg[g]
    if g != target and g != ROOT:
        if is_below_min(row):
            return 0
        if is_below_low(row):
            if not low_ignored:
                m.system[0].skipped_low = 1
                return 0
            row.events_low += 1
    if get_scan_count(m, m.control[m.system[0].nr_nodes], nid, g, target, low_ignored):
        m.system[0].skipped_low = 1
    return shrink_lruvec(m, nid, g, target, wanted, reason)


@compiled
def shrink_lruvec(m, nid, g, target, wanted, reason):
    """Rounds of 32 pages of each list until the targets are used up or enough is freed."""
    system, sc = m.system[0], m.control[m.system[0].nr_nodes]
    proportional = reason == GLOBAL_DIRECT and sc.priority == DEF_PRIORITY
    reclaimed = 0
    while is_left(sc):
        read_meanwhile(m, g)
        _, freed, _ = scan_round(m, sc, nid, g, reason, target)
        reclaimed += freed
        if reclaimed >= wanted and not proportional and not stop_smaller(sc):
            break
    system.spent_s += age_anon(m, nid, g, reason, system.spent_s)
    return reclaimed
