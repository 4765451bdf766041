"""Limited reclaim: descents by tasks, for the allocator or for a cgroup's limit (mm/vmscan.c).

Kept: priorities 12 to 0, every allowed node once per priority, partial walks, the further attempts (full
walk, deactivation forced, low protection ignored). Left out: the back-off sleeps.
"""

import math

from reclaim_env.model.constants import (
    ACTIVE,
    ALL_NODES,
    BY_TASK,
    DEF_PRIORITY,
    GLOBAL_DIRECT,
    INACTIVE,
    NR_LISTS,
    ROOT,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.hierarchy import in_subtree, last_of_walk
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import inactive_is_low, longest_list, prepare_scan_control
from reclaim_env.model.page_counter import has_children, mem_cgroup_calculate_protection
from reclaim_env.model.reset_rule import kswapd_try_clear_hopeless
from reclaim_env.model.scan_count import member_shift
from reclaim_env.model.slab import shrink_slab_by_tasks
from reclaim_env.model.vmscan import shrink_one

# Passes of a descent down to this priority may be made as one, where each list is visited once.
LOWEST_MERGED = 3


@inlined
def try_to_free_pages(env, start, mask, batch, now_s):
    """`batch` direct-reclaim calls of the allocator at once, on every node of the mask.

    Returns (reclaimed, thread seconds, calls): each call aims at SWAP_CLUSTER_MAX pages.
    """
    return do_try_to_free_pages(env, ROOT, start, mask, SWAP_CLUSTER_MAX, batch, GLOBAL_DIRECT, now_s)


@inlined
def try_to_free_mem_cgroup_pages(env, root, start, nr_pages, batch, reason, now_s):
    """`batch` calls at once for a cgroup at its limit, each for max(nr_pages, SWAP_CLUSTER_MAX) pages."""
    return do_try_to_free_pages(
        env, root, start, ALL_NODES, max(nr_pages, SWAP_CLUSTER_MAX), batch, reason, now_s
    )


@kernel
def do_try_to_free_pages(env, root, start, mask, target, batch, reason, now_s):
    """Descents until one frees something, with the protection that holds against this reclaimer."""
    is_tree = root >= 0 and has_children(env, root)
    if is_tree:
        mem_cgroup_calculate_protection(env, root)
    reclaimed, spent_s, calls = descend_harder(env, root, start, mask, target, batch, reason, now_s)
    if is_tree:
        mem_cgroup_calculate_protection(env, ROOT)
    return reclaimed, spent_s, calls


@inlined
def descend_harder(env, root, start, mask, target, batch, reason, now_s):
    """A descent; if it freed nothing, again with a full walk, with deactivation forced, with low ignored."""
    sc = env.sc
    sc.full_walk = 0
    sc.force_deactivate = 0
    sc.low_ignored = 0
    if not sc.same_members:
        begin_lap(env, root, batch)
    spent_s = 0.0
    calls = 0
    while True:
        spent_s += batch * env.cost.direct_entry_s
        calls += batch
        sc.skipped_deactivate = 0
        sc.skipped_low = 0
        reclaimed, cost_s = descend(env, root, start, mask, target, batch, reason, now_s + spent_s)
        spent_s += cost_s
        if reclaimed > 0:
            return reclaimed, spent_s, calls
        if not sc.full_walk:
            sc.full_walk = 1
        elif sc.skipped_deactivate and not sc.force_deactivate:
            sc.force_deactivate = 1
        elif sc.skipped_low and not sc.low_ignored:
            sc.force_deactivate = 0
            sc.low_ignored = 1
        else:
            return 0, spent_s, calls


@inlined
def begin_lap(env, root, batch):
    """A call meets lists that are new to it; of a crowd at its limit, those of as many members as call."""
    for row in range(env.nr_lruvecs):
        lruvec = env.lruvec[row]
        if in_subtree(env, lruvec.memcg, root):
            nr_members = env.memcg[lruvec.memcg].nr_members
            lruvec.lap_pages, lruvec.lapped_pages = lruvec.list_pages[INACTIVE], 0
            for lst in range(NR_LISTS):
                pages = lruvec.list_pages[lst] * min(batch, nr_members) + nr_members // 2
                lruvec.visited_pages[lst] = pages // nr_members


@inlined
def descend(env, root, start, mask, target, batch, reason, now_s):
    """Priorities 12 to 0 until the targets are met: (reclaimed, seconds)."""
    sc = env.sc
    total = 0
    env.descent_s = now_s
    first, empty_pass_s = first_priority(env, root, start, mask, batch)
    last = last_merged(env, root, mask, first, target, batch)
    spent_s = (DEF_PRIORITY - first) * empty_pass_s
    for nid in range(env.nr_nodes):
        env.node[nid].tasks_deactivate = sc.force_deactivate or may_deactivate(env, root, nid)
    priority = first
    while priority >= 0:
        sc.nr_merged = 0
        if priority > last and not is_midway(env, root, mask):
            sc.nr_merged = priority - last
            priority = last
        for i in range(env.nr_nodes):
            nid = env.node[start].zonelist[i]
            if not mask >> nid & 1:
                continue
            allowed = env.node[nid].tasks_deactivate
            if env.nr_anon_classes > 0:
                prepare_scan_control(env, BY_TASK, root, nid, priority, allowed, sc.force_deactivate, False)
            reclaimed, cost_s = shrink_node(
                env, nid, root, priority, allowed, target, batch, total, reason, now_s + spent_s
            )
            spent_s += cost_s
            total += reclaimed
            if reclaimed > 0:
                kswapd_try_clear_hopeless(env, nid, reason, min(batch * (1 + sc.nr_merged), reclaimed))
        if total >= target * batch:
            break
        priority -= 1
    take_snapshot(env, root, mask)
    return total, spent_s


@inlined
def first_priority(env, root, start, mask, batch):
    """The first priority at which any list is as long as one shift, and what each pass before it costs.

    Passes over lists that are too short examine nothing: they are booked, not walked.
    """
    longest = 0
    walked = 0
    nr_nodes = 0
    for i in range(env.nr_nodes):
        nid = env.node[start].zonelist[i]
        if not mask >> nid & 1:
            continue
        nr_nodes += 1
        if root < 0:
            longest = max(longest, env.node[nid].slab_objects)
        for g in range(env.nr_memcgs):
            if in_subtree(env, g, root):
                longest = max(longest, longest_list(env, nid * env.nr_memcgs + g))
                walked += batch if g == root else batch * env.memcg[g].nr_members
    first = DEF_PRIORITY
    while first > 0 and longest >> first == 0:
        first -= 1
    return first, batch * nr_nodes * env.cost.pass_s + walked * env.cost.pass_memcg_s


@inlined
def last_merged(env, root, mask, first, target, batch):
    """Down to which priority the first passes of a descent are made as one, unless a walk is midway.

    Together they examine less than a quarter of each list, and one call fewer pages than it wants: none of
    them can be the last, and none meets what another put back.
    """
    if env.nr_anon_classes > 0 or (root < 0 and has_slab(env)):
        return first
    pages = 0  # inactive ones that a call finds
    for g in range(env.nr_memcgs):
        if in_subtree(env, g, root):
            nr_members = env.memcg[g].nr_members if g == root else 1
            for nid in range(env.nr_nodes):
                if mask >> nid & 1:
                    pages += env.lruvec[nid * env.nr_memcgs + g].list_pages[INACTIVE] // nr_members
    visits = batch if root < 0 else -(-batch // env.memcg[root].nr_members)  # of each list, by all calls
    lowest = LOWEST_MERGED
    while visits >> (lowest - LOWEST_MERGED) > 1:
        lowest += 1
    last = first
    while last > lowest and pages >> (last - 2) < target:
        last -= 1
    return last


@inlined
def has_slab(env):
    """Does any node have slab that could be reclaimed?"""
    objects = 0
    for nid in range(env.nr_nodes):
        objects += env.node[nid].slab_objects
    return objects > 0


@inlined
def may_deactivate(env, root, nid):
    """prepare_scan_control(): as last flushed, refaults activated or the inactive list is low."""
    if root < 0:
        pgdat = env.node[nid]
        changed = pgdat.stat_workingset_activate != pgdat.activate_snapshot
        return changed or inactive_is_low(pgdat.stat_list_pages[INACTIVE], pgdat.stat_list_pages[ACTIVE])
    target = env.lruvec[nid * env.nr_memcgs + root]
    if target.stat_workingset_activate != target.activate_snapshot:
        return True
    inactive = 0
    active = 0
    for g in range(env.nr_memcgs):
        if in_subtree(env, g, root):
            inactive += env.lruvec[nid * env.nr_memcgs + g].stat_list_pages[INACTIVE]
            active += env.lruvec[nid * env.nr_memcgs + g].stat_list_pages[ACTIVE]
    nr_members = env.memcg[root].nr_members
    return inactive_is_low(inactive // nr_members, active // nr_members)


@inlined
def take_snapshot(env, root, mask):
    """The end of a descent: activations by refault are news only once, on each node."""
    for nid in range(env.nr_nodes):
        if not mask >> nid & 1:
            continue
        if root < 0:
            env.node[nid].activate_snapshot = env.node[nid].stat_workingset_activate
            env.node[nid].activate_snapshot_anon = env.node[nid].stat_workingset_activate_anon
        else:
            target = env.lruvec[nid * env.nr_memcgs + root]
            target.activate_snapshot = target.stat_workingset_activate
            target.activate_snapshot_anon = target.stat_workingset_activate_anon


@inlined
def shrink_node(env, nid, root, priority, allowed, target, batch, total, reason, now_s):
    """One node at one priority, or at several made as one: cgroups from the shared cursor on.

    It ends when the calls have their pages. A partial walk ends where the tree ends, and the next begins at
    its root; a full one leaves the cursor alone. Returns (reclaimed, seconds).
    """
    is_full = env.sc.full_walk
    nr_passes = 1 + env.sc.nr_merged
    reclaimed = 0
    walked = 0
    spent_s = batch * nr_passes * env.cost.pass_s
    first = root if root >= 0 else env.first_memcg
    last = last_of_walk(env, root)
    g = first if is_full else walk_cursor(env, nid, root)
    visits_slab = root < 0 and g == first  # the pool is the root's
    while True:
        if in_subtree(env, g, root):
            members = batch
            if g != root:
                members = members_to_walk(env, nid, g, priority, target * batch - total - reclaimed, batch)
            walked += members * nr_passes
            freed, cost_s = shrink_one(
                env, nid, g, root, priority, allowed, target, members, reason, now_s + spent_s
            )
            reclaimed += freed
            spent_s += cost_s
        if g == last:
            g = first
            break
        g = (g + 1) % env.nr_memcgs
        if not is_full and total + reclaimed >= target * batch:
            break
    if not is_full:
        set_walk_cursor(env, nid, root, g)
    if visits_slab:
        wanted = target * batch - total - reclaimed
        freed, cost_s = shrink_slab_by_tasks(env, nid, priority, wanted, batch)
        reclaimed += freed
        spent_s += cost_s
    return reclaimed, spent_s + walked * env.cost.pass_memcg_s


@inlined
def walk_cursor(env, nid, root):
    """mem_cgroup_iter(): where the last partial walk over this subtree and node stopped."""
    return env.node[nid].reclaim_cursor if root < 0 else env.lruvec[nid * env.nr_memcgs + root].reclaim_cursor


@inlined
def is_midway(env, root, mask):
    """Did the last partial walk over this subtree stop before its end, on any node?"""
    if env.sc.full_walk:
        return False
    begin = root if root >= 0 else env.first_memcg
    midway = False
    for nid in range(env.nr_nodes):
        midway |= (mask >> nid & 1) != 0 and walk_cursor(env, nid, root) != begin
    return midway


@inlined
def set_walk_cursor(env, nid, root, g):
    if root < 0:
        env.node[nid].reclaim_cursor = g
    else:
        env.lruvec[nid * env.nr_memcgs + root].reclaim_cursor = g


@inlined
def members_to_walk(env, nid, g, priority, wanted_pages, batch):
    """How many of a cgroup's members the calls visit until they have their pages; one each at least."""
    memcg = env.memcg[g]
    if memcg.nr_members == 1 or wanted_pages <= 0:
        return batch
    each = member_shift(env.lruvec[nid * env.nr_memcgs + g], INACTIVE, memcg.nr_members, priority)
    everybody = memcg.nr_members * batch
    if each * everybody <= wanted_pages:
        return everybody
    return min(max(int(math.ceil(wanted_pages / each)), batch), everybody)
