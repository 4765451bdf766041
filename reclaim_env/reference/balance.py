"""Which lists a pass turns to and how much of each it scans (mm/vmscan.c, mm/swap.c)."""

import math

from .compiled import compiled, inlined
from .names import (
    ACTIVE,
    ACTIVE_ANON,
    ANON_TYPE,
    BY_COST,
    EQUAL,
    FILE,
    INACTIVE,
    INACTIVE_ANON,
    MAX_SWAPPINESS,
    NR_LISTS,
    ONLY_ANON,
    ONLY_FILE,
    PAGES_PER_GIB,
    ROOT,
    SWAP_CLUSTER_MAX,
)
from .slots import can_reclaim_anon_pages
from .workingset import lruvec_of


@compiled
def inactive_is_low(inactive, active):
    gib = (inactive + active) // PAGES_PER_GIB
    ratio = int(math.sqrt(10.0 * gib)) if gib > 0 else 1
    return inactive * ratio < active


@compiled
def reclaimable_pages(m, nid):
    """zone_reclaimable_pages()."""
    pages = m.node[nid].list_pages
    found = pages[INACTIVE] + pages[ACTIVE]
    if can_reclaim_anon_pages(m, nid, ROOT):
        found += pages[INACTIVE_ANON] + pages[ACTIVE_ANON]
    return found


@compiled
def prepare_scan_control(m, sc, nid, target, priority, forced, trim_forbidden, may_swap):
    """What a pass goes by: the target's statistics, as last flushed."""
    row = m.lruvec[lruvec_of(m, nid, target)]
    sc.priority, sc.may_swap = priority, may_swap
    for kind in range(2):
        changed = row.stat_activated[kind] != row.snapshot[kind]
        low = inactive_is_low(row.stat_pages[2 * kind], row.stat_pages[2 * kind + 1])
        sc.may_deactivate[kind] = forced or changed or low
    trims = not sc.may_deactivate[FILE] and not trim_forbidden
    sc.trim = trims and row.stat_pages[INACTIVE] >> priority > 0
    sc.file_is_tiny = target == ROOT and file_is_tiny(m.node[nid], sc)
    anon, file = row.cost[ANON_TYPE], row.cost[FILE]
    anon, file = 2 * anon + file, anon + 2 * file
    swappiness = m.system[0].swappiness
    sc.weight[ANON_TYPE] = swappiness * (anon + file + 1) // (anon + 1)
    sc.weight[FILE] = (MAX_SWAPPINESS - swappiness) * (anon + file + 1) // (file + 1)


@compiled
def file_is_tiny(node, sc):
    """All files and free pages together are not enough, and there is cold anonymous memory."""
    pages = node.list_pages
    short = pages[INACTIVE] + pages[ACTIVE] + node.free_pages <= node.high_pages
    return short and not sc.may_deactivate[ANON_TYPE] and pages[INACTIVE_ANON] >> sc.priority > 0


@inlined
def balance_of(m, sc, nid, g, target):
    """The first answer that fits."""
    swappiness = m.system[0].swappiness
    if not sc.may_swap or not can_reclaim_anon_pages(m, nid, g):
        return ONLY_FILE
    if target != ROOT and swappiness == 0:
        return ONLY_FILE
    if sc.priority == 0 and swappiness > 0:
        return EQUAL
    if sc.file_is_tiny:
        return ONLY_ANON
    return ONLY_FILE if sc.trim else BY_COST


@inlined
def get_scan_count(m, sc, nid, g, target, low_ignored):
    """-> sc.to_scan. Returns whether memory.low kept back a part of it."""
    how = balance_of(m, sc, nid, g, target)
    is_kept_back = False
    for lst in range(NR_LISTS):
        kind = lst // 2
        pages, is_kept_back = scan_size(m, nid, g, lst, sc.priority, g == target, low_ignored)
        if how == (ONLY_ANON if kind == FILE else ONLY_FILE):
            pages = 0
        elif how == BY_COST:
            pages = pages * sc.weight[kind] // (sc.weight[FILE] + sc.weight[ANON_TYPE])
        sc.to_scan[lst] = sc.target_pages[lst] = pages
    return is_kept_back


@inlined
def scan_size(m, nid, g, lst, priority, is_target, low_ignored):
    """A list's share at a priority, before its type's: (pages, kept back by low)."""
    pages = m.lruvec[lruvec_of(m, nid, g)].pages[lst]
    row = m.memcg[g]
    if is_target or g == ROOT or (row.emin_pages <= 0.0 and row.elow_pages <= 0.0):
        return pages >> priority, False
    kept_back = not low_ignored and row.elow_pages > row.emin_pages
    protection = row.elow_pages if kept_back else row.emin_pages
    size = max(float(row.usage_pages), protection)
    pages -= int(pages * protection / (size + 1.0))
    return max(pages, SWAP_CLUSTER_MAX) >> priority, kept_back


@compiled
def scan_nothing(sc):
    for lst in range(NR_LISTS):
        sc.to_scan[lst] = 0


@compiled
def is_left(sc):
    """Active anonymous pages alone are no reason to go on."""
    return sc.to_scan[INACTIVE_ANON] > 0 or sc.to_scan[ACTIVE] > 0 or sc.to_scan[INACTIVE] > 0


@compiled
def stop_smaller(sc):
    """Enough is reclaimed: the type with less left is done with, the other goes on to the same part of its
    target. Returns False where one of them was done with before."""
    file = sc.to_scan[INACTIVE] + sc.to_scan[ACTIVE]
    anon = sc.to_scan[INACTIVE_ANON] + sc.to_scan[ACTIVE_ANON]
    if file == 0 or anon == 0:
        return False
    smaller = ANON_TYPE if file > anon else FILE
    wanted = sc.target_pages[2 * smaller] + sc.target_pages[2 * smaller + 1]
    left_percent = min(file, anon) * 100 // (wanted + 1)
    for lst in range(NR_LISTS):
        if lst // 2 == smaller:
            sc.to_scan[lst] = 0
            continue
        scanned = sc.target_pages[lst] - sc.to_scan[lst]
        sc.to_scan[lst] = max(sc.target_pages[lst] * (100 - left_percent) // 100 - scanned, 0)
    return True


@compiled
def snapshot_refaults(m, nid, target):
    row = m.lruvec[lruvec_of(m, nid, target)]
    for kind in range(2):
        row.snapshot[kind] = row.stat_activated[kind]
