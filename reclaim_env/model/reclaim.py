"""Limited reclaim: descents by tasks, for the allocator or for a cgroup's limit (mm/vmscan.c).

Kept: priorities 12 to 0, every allowed node once per priority, partial walks, the second and third
attempts (full walk with deactivation, low protection ignored). Left out: the back-off sleeps.
"""

import math

from reclaim_env.model.constants import (
    ACTIVE,
    ALL_NODES,
    DEF_PRIORITY,
    GLOBAL_DIRECT,
    INACTIVE,
    ROOT,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.hierarchy import in_subtree
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.reset_rule import kswapd_try_clear_hopeless
from reclaim_env.model.vmscan import inactive_is_low, member_shift, shrink_one


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
    """A descent; if it freed nothing, again with deactivation forced, and with low ignored."""
    spent_s = 0.0
    force_deactivate = False
    low_ignored = False
    calls = 0
    while True:
        spent_s += batch * env.cost.direct_entry_s
        calls += batch
        reclaimed, cost_s, skipped_active, skipped_low = descend(
            env, root, start, mask, target, batch, reason, force_deactivate, low_ignored, now_s + spent_s
        )
        spent_s += cost_s
        if reclaimed > 0:
            return reclaimed, spent_s, calls
        if skipped_active and not force_deactivate:
            force_deactivate = True
        elif skipped_low and not low_ignored:
            low_ignored = True
        else:
            return 0, spent_s, calls


@inlined
def descend(env, root, start, mask, target, batch, reason, force_deactivate, low_ignored, now_s):
    """Priorities 12 to 0 until the targets are met: (reclaimed, seconds, skipped active?, skipped low?)."""
    total = 0
    skipped_active = False
    skipped_low = False
    first, empty_pass_s = prepare_descent(env, root, start, mask, batch)
    spent_s = (DEF_PRIORITY - first) * empty_pass_s
    for priority in range(first, -1, -1):
        for i in range(env.nr_nodes):
            nid = env.node[start].zonelist[i]
            if not mask >> nid & 1:
                continue
            allowed = force_deactivate or may_deactivate(env, root, nid)
            reclaimed, cost_s, low = shrink_node(
                env, nid, root, priority, allowed, low_ignored, target, batch, total, reason, now_s + spent_s
            )
            skipped_active |= not allowed
            skipped_low |= low
            spent_s += cost_s
            total += reclaimed
            if reclaimed > 0:
                kswapd_try_clear_hopeless(env, nid, reason, min(batch, reclaimed))
        if total >= target * batch:
            break
    take_snapshot(env, root, start, mask)
    return total, spent_s, skipped_active, skipped_low


@inlined
def prepare_descent(env, root, start, mask, batch):
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
        for g in range(env.nr_memcgs):
            if in_subtree(env, g, root):
                lruvec = env.lruvec[nid * env.nr_memcgs + g]
                lruvec.lapped_pages = 0
                longest = max(longest, lruvec.list_pages[INACTIVE], lruvec.list_pages[ACTIVE])
                walked += batch if g == root else batch * env.memcg[g].nr_members
    first = DEF_PRIORITY
    while first > 0 and longest >> first == 0:
        first -= 1
    return first, batch * nr_nodes * env.cost.pass_s + walked * env.cost.pass_memcg_s


@inlined
def may_deactivate(env, root, nid):
    """prepare_scan_control(): as last flushed, refaults activated or the inactive list is low."""
    pgdat = env.node[nid]
    if root < 0:
        changed = pgdat.stat_workingset_activate != pgdat.activate_snapshot
        return changed or inactive_is_low(pgdat.stat_list_pages[INACTIVE], pgdat.stat_list_pages[ACTIVE])
    memcg = env.memcg[root]
    if memcg.stat_workingset_activate != memcg.activate_snapshot:
        return True
    inactive = 0
    active = 0
    for g in range(env.nr_memcgs):
        if in_subtree(env, g, root):
            inactive += env.lruvec[nid * env.nr_memcgs + g].stat_list_pages[INACTIVE]
            active += env.lruvec[nid * env.nr_memcgs + g].stat_list_pages[ACTIVE]
    return inactive_is_low(inactive // memcg.nr_members, active // memcg.nr_members)


@inlined
def take_snapshot(env, root, start, mask):
    """The end of a descent: activations by refault are news only once."""
    if root >= 0:
        env.memcg[root].activate_snapshot = env.memcg[root].stat_workingset_activate
        return
    for nid in range(env.nr_nodes):
        if mask >> nid & 1:
            env.node[nid].activate_snapshot = env.node[nid].stat_workingset_activate


@inlined
def shrink_node(env, nid, root, priority, allowed, low_ignored, target, batch, total, reason, now_s):
    """One node at one priority: cgroups from the shared cursor, until the calls have their pages.

    Returns (reclaimed, seconds, skipped for low?).
    """
    pgdat = env.node[nid]
    reclaimed = 0
    walked = 0
    skipped_low = False
    spent_s = batch * env.cost.pass_s
    g = pgdat.reclaim_cursor % env.nr_memcgs if root < 0 else root
    for _ in range(env.nr_memcgs):
        if in_subtree(env, g, root):
            members = batch
            if g != root:
                members = members_to_walk(env, nid, g, priority, target * batch - total - reclaimed, batch)
            walked += members
            freed, cost_s, low = shrink_one(
                env, nid, g, root, priority, allowed, low_ignored, target, members, reason, now_s + spent_s
            )
            reclaimed += freed
            spent_s += cost_s
            skipped_low |= low > 0
        g = (g + 1) % env.nr_memcgs
        if total + reclaimed >= target * batch:
            break
    if root < 0:
        pgdat.reclaim_cursor = g
    return reclaimed, spent_s + walked * env.cost.pass_memcg_s, skipped_low


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
