"""Which lists reclaim turns to: inactive or active, files or anonymous memory (mm/vmscan.c, mm/swap.c).

Anonymous lists are weighed only where memory can leave them: swap that is on, or a lower tier.
"""

import math

from reclaim_env.model.constants import ACTIVE, BY_KSWAPD, INACTIVE, PAGES_PER_GIB, SWAP_CLUSTER_MAX
from reclaim_env.model.hierarchy import in_subtree
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.migrate import can_demote
from reclaim_env.model.rows import anon_row
from reclaim_env.model.swap_slots import nr_swap_pages


@kernel
def inactive_is_low(inactive_pages, active_pages):
    """mm/vmscan.c: is the inactive list too short for the active one (ratio isqrt(10 GiB), at least 1)?"""
    gib = (inactive_pages + active_pages) // PAGES_PER_GIB
    ratio = int(math.sqrt(10.0 * gib)) if gib > 0 else 1
    return inactive_pages * ratio < active_pages


@inlined
def can_reclaim_anon_pages(env, g, nid):
    """Could a page of the cgroup (-1: of anybody) leave this node's anonymous lists now?"""
    return env.nr_anon_classes > 0 and (can_demote(env, nid) or nr_swap_pages(env, g) > 0)


@inlined
def can_age_anon_pages(env, nid):
    """Are the anonymous lists kept in balance? Swap may be full for that."""
    return env.nr_anon_classes > 0 and (env.swap.on or can_demote(env, nid))


@inlined
def zone_reclaimable_pages(env, nid):
    """Pages of a node that reclaim may turn to: files, and anonymous memory if it can leave."""
    pages = both_lists(env.node[nid].list_pages)
    if can_reclaim_anon_pages(env, -1, nid):
        pages += both_lists(env.node[nid].anon_list_pages)
    return pages


@inlined
def longest_list(env, lru):
    """Pages of the longest list that a pass over the cgroup may scan; a protected one counts as a cluster."""
    longest = max(env.lruvec[lru].list_pages[INACTIVE], env.lruvec[lru].list_pages[ACTIVE])
    if env.nr_anon_classes > 0:
        anon = env.lruvec[anon_row(env, lru)]
        longest = max(longest, anon.list_pages[INACTIVE], anon.list_pages[ACTIVE])
    memcg = env.memcg[env.lruvec[lru].memcg]
    if longest > 0 and max(memcg.elow_pages, memcg.emin_pages) > 0.0:
        longest = max(longest, SWAP_CLUSTER_MAX)
    return longest


@inlined
def both_lists(list_pages):
    return list_pages[INACTIVE] + list_pages[ACTIVE]


@kernel
def prepare_scan_control(env, who, root, nid, priority, deactivate_file, forced, trim_forbidden):
    """prepare_scan_control() for passes over both types -> the node's scan_balance[who].

    root: the cgroup at its limit, -1 for the node. List sizes as last flushed, as for the file lists.
    """
    pgdat = env.node[nid]
    balance = pgdat.scan_balance[who]
    inactive_file = 0
    inactive_anon = 0
    active_anon = 0
    if root < 0:
        changed = pgdat.stat_workingset_activate_anon != pgdat.activate_snapshot_anon
        inactive_file = pgdat.stat_list_pages[INACTIVE]
        inactive_anon = pgdat.stat_anon_list_pages[INACTIVE]
        active_anon = pgdat.stat_anon_list_pages[ACTIVE]
        balance.anon_cost = pgdat.anon_cost
        balance.file_cost = pgdat.file_cost
    else:
        target = env.lruvec[nid * env.nr_memcgs + root]
        changed = target.stat_workingset_activate_anon != target.activate_snapshot_anon
        for g in range(env.nr_memcgs):
            if in_subtree(env, g, root):
                row = nid * env.nr_memcgs + g
                inactive_file += env.lruvec[row].stat_list_pages[INACTIVE]
                inactive_anon += env.lruvec[anon_row(env, row)].stat_list_pages[INACTIVE]
                active_anon += env.lruvec[anon_row(env, row)].stat_list_pages[ACTIVE]
        balance.anon_cost = target.anon_cost
        balance.file_cost = target.file_cost
    balance.deactivate_anon = forced or changed or inactive_is_low(inactive_anon, active_anon)
    balance.cache_trim = not deactivate_file and not trim_forbidden and inactive_file >> priority > 0
    balance.file_is_tiny = root < 0 and file_is_tiny(pgdat, priority, balance.deactivate_anon)


@inlined
def file_is_tiny(pgdat, priority, deactivate_anon):
    """Dropping every file page would not bring the node to high, and cold anonymous pages are at hand."""
    file_pages = pgdat.list_pages[INACTIVE] + pgdat.list_pages[ACTIVE]
    enough = file_pages + pgdat.free_pages > pgdat.high_wmark_pages
    return not enough and not deactivate_anon and pgdat.anon_list_pages[INACTIVE] >> priority > 0


@kernel
def scan_ratios(env, who, g, nid, root, priority):
    """get_scan_count(): the parts of a cgroup's shifted (anonymous lists, file lists) to be scanned.

    FILE (0, 1) where nothing anonymous can leave, or kswapd reclaims a boost only; EQUAL (1, 1) at
    priority 0; ANON (1, 0) where files are too few; FILE again where there are files nobody uses; else by
    cost and swappiness.
    """
    if not can_reclaim_anon_pages(env, g, nid) or (root >= 0 and env.swappiness == 0):
        return 0.0, 1.0
    if who == BY_KSWAPD and env.node[nid].boost_left_pages > 0:
        return 0.0, 1.0
    if priority == 0 and env.swappiness > 0:
        return 1.0, 1.0
    balance = env.node[nid].scan_balance[who]
    if balance.file_is_tiny:
        return 1.0, 0.0
    if balance.cache_trim:
        return 0.0, 1.0
    return cost_ratios(env.swappiness, balance.anon_cost, balance.file_cost)


@kernel
def cost_ratios(swappiness, anon_cost, file_cost):
    """The dearer a type was lately, the less it is scanned; swappiness of 200 is all anonymous memory."""
    total = anon_cost + file_cost
    anon = total + anon_cost
    file = total + file_cost
    weight_anon = swappiness * (anon + file + 1.0) / (anon + 1.0)
    weight_file = (200.0 - swappiness) * (anon + file + 1.0) / (file + 1.0)
    return weight_anon / (weight_anon + weight_file), weight_file / (weight_anon + weight_file)


@inlined
def part_to_scan(mean_pages, ratio, nr_members):
    """A list's target after its ratio: floored for a cgroup, a mean for N of them."""
    if ratio == 1.0 or nr_members > 1:
        return mean_pages * ratio
    return math.floor(mean_pages * ratio)


@kernel
def lru_note_cost(env, lruvec, nr_io, nr_rotated):
    """lru_note_cost(): IO counts 32 a page, a page put back 1; up the cgroups to the node.

    Both costs are halved when they exceed a quarter of the pages they are about: an old price fades.
    """
    cost = float(nr_io * SWAP_CLUSTER_MAX + nr_rotated)
    g = lruvec.memcg
    while g >= 0:
        holder = env.lruvec[lruvec.nid * env.nr_memcgs + g]
        add_cost(holder, lruvec.anon, cost, subtree_pages(env, lruvec.nid, g))
        g = env.memcg[g].parent
    pgdat = env.node[lruvec.nid]
    pages = both_lists(pgdat.list_pages) + both_lists(pgdat.anon_list_pages)
    add_cost(pgdat, lruvec.anon, cost, pages)


@kernel
def add_cost(holder, anon, cost, pages):
    if anon:
        holder.anon_cost += cost
    else:
        holder.file_cost += cost
    if holder.anon_cost + holder.file_cost > pages // 4:
        holder.anon_cost /= 2.0
        holder.file_cost /= 2.0


@kernel
def subtree_pages(env, nid, root):
    """Pages on the lists of a cgroup and those below it, on one node."""
    pages = 0
    for g in range(env.nr_memcgs):
        if in_subtree(env, g, root):
            row = nid * env.nr_memcgs + g
            pages += both_lists(env.lruvec[row].list_pages)
            pages += both_lists(env.lruvec[anon_row(env, row)].list_pages)
    return pages
