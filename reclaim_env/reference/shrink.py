"""Scanning one cgroup's lists on one node in chunks of 32 pages (mm/vmscan.c)."""

import math

from .chance import uniform
from .compiled import compiled
from .lists import add_head, forget, unlink
from .names import (
    ACTIVE,
    EXEC,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    PAGES_PER_GIB,
    READ,
    ROOT,
    SWAP_CLUSTER_MAX,
)
from .workingset import age_nonresident, leave_shadow, lruvec_of
from .zone import give_page


@compiled
def inactive_is_low(inactive, active):
    gib = (inactive + active) // PAGES_PER_GIB
    ratio = int(math.sqrt(10.0 * gib)) if gib > 0 else 1
    return inactive * ratio < active


@compiled
def may_deactivate(m, nid, target):
    """prepare_scan_control(), by the target's statistics as last flushed."""
    row = m.lruvec[lruvec_of(m, nid, target)]
    return row.stat_activated != row.snapshot or inactive_is_low(row.stat_pages[0], row.stat_pages[1])


@compiled
def snapshot_refaults(m, nid, target):
    row = m.lruvec[lruvec_of(m, nid, target)]
    row.snapshot = row.stat_activated


@compiled
def calculate_protection(m, g, target):
    """mem_cgroup_calculate_protection(): of a cgroup below the target; its parent's is known."""
    row = m.memcg[g]
    if g == target:
        return
    if row.parent == target:
        row.emin_pages, row.elow_pages = float(max(row.min_pages, 0)), float(max(row.low_pages, 0))
        return
    parent = m.memcg[row.parent]
    claimed_min, claimed_low = 0.0, 0.0
    for child in range(row.parent + 1, parent.end):
        if m.memcg[child].parent == row.parent:
            claimed_min += min(m.memcg[child].usage_pages, max(m.memcg[child].min_pages, 0))
            claimed_low += min(m.memcg[child].usage_pages, max(m.memcg[child].low_pages, 0))
    row.emin_pages = share_of_parent(row, parent, row.min_pages, parent.emin_pages, claimed_min)
    row.elow_pages = share_of_parent(row, parent, row.low_pages, parent.elow_pages, claimed_low)


@compiled
def share_of_parent(row, parent, setting, effective, claimed):
    """effective_protection() with the recursive share."""
    own = float(min(row.usage_pages, max(setting, 0)))
    if claimed > effective:
        return own * effective / claimed
    unprotected = parent.usage_pages - claimed
    if effective <= claimed or unprotected <= 0.0:
        return own
    return own + (effective - claimed) * (row.usage_pages - own) / unprotected


@compiled
def is_below_min(row):
    return row.emin_pages > 0.0 and row.emin_pages >= row.usage_pages


@compiled
def is_below_low(row):
    return row.elow_pages > 0.0 and row.elow_pages >= row.usage_pages


@compiled
def scan_size(m, nid, g, lst, priority, is_target, low_ignored):
    """get_scan_count() for one file list: (pages, kept back by low)."""
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
def touches_at(m, c, spent_s):
    """Touches of a class by now; those that go on while a task reclaims are reckoned by its pace."""
    row = m.class_[c]
    if not row.on or spent_s == 0.0 or m.system[0].reclaimer == row.instance:
        return row.touches
    return row.touches + row.rate_per_s * spent_s


@compiled
def test_and_clear_young(m, page, spent_s):
    """A mapped page: was it touched since its young bit was cleared?"""
    row = m.class_[page.class_]
    now_s = m.system[0].time_s + spent_s
    touches = touches_at(m, page.class_, spent_s)
    since = max(touches - page.cleared_touches, 0.0)
    if m.system[0].tlb_s > 0.0 and since > 0.0:
        since *= max(1.0 - m.system[0].tlb_s / max(now_s - page.cleared_s, 1e-9), 0.0)
    young = page.young == 1 or (
        since > 0.0 and uniform(m) < -math.expm1(since * math.log1p(-1.0 / max(row.pages, 2)))
    )
    page.young, page.cleared_touches, page.cleared_s = 0, touches, now_s
    return young


@compiled
def scan_cost_s(m, access):
    return m.system[0].scan_s if access == READ else m.system[0].scan_mapped_s


@compiled
def uncharge(m, g):
    while g >= 0:
        m.memcg[g].usage_pages -= 1
        g = m.memcg[g].parent


@compiled
def evict(m, p, nid, g, target):
    """__remove_mapping() and the free."""
    m.class_[m.page[p].class_].evicted += 1
    if m.class_[m.page[p].class_].one_touch:
        age_nonresident(m, nid, target)
    else:
        leave_shadow(m, p, nid, target)
    forget(m, p)
    uncharge(m, g)
    give_page(m, nid)


@compiled
def shrink_inactive(m, nid, g, nr, reason, target, spent_s):
    """A chunk of at most 32 pages from the inactive tail. Returns (scanned, reclaimed, CPU seconds)."""
    lruvec = lruvec_of(m, nid, g)
    nr = min(nr, m.lruvec[lruvec].pages[INACTIVE])
    reclaimed = 0
    cost_s = 0.0
    for _ in range(nr):
        p = m.lruvec[lruvec].tail[INACTIVE]
        unlink(m, p)
        freed, page_s = shrink_page(m, p, nid, g, target, spent_s + cost_s)
        reclaimed += freed
        cost_s += page_s
    count_scan(m, nid, g, reason, nr, reclaimed)
    return nr, reclaimed, cost_s


@compiled
def shrink_page(m, p, nid, g, target, spent_s):
    """The fate of an isolated inactive page. Returns (freed, CPU seconds)."""
    page = m.page[p]
    lruvec = lruvec_of(m, nid, g)
    access = m.class_[page.class_].access
    cost_s = scan_cost_s(m, access)
    if page.ready_s > m.system[0].time_s + spent_s:  # locked: its read is under way
        add_head(m, p, lruvec, INACTIVE)
        return 0, cost_s
    if access == READ or not test_and_clear_young(m, page, spent_s):
        page.referenced = 0
        evict(m, p, nid, g, target)
        return 1, cost_s + m.system[0].free_s + (0.0 if access == READ else m.system[0].unmap_s)
    activates = page.referenced == 1 or access == EXEC
    page.referenced = 1
    if not activates:
        add_head(m, p, lruvec, INACTIVE)
        return 0, cost_s
    add_head(m, p, lruvec, ACTIVE)
    age_nonresident(m, nid, g)
    m.node[nid].pgactivate += 1
    m.class_[page.class_].activated += 1
    return 0, cost_s


@compiled
def count_scan(m, nid, g, reason, scanned, reclaimed):
    node = m.node[nid]
    node.pgscan_file += scanned
    node.pgsteal_file += reclaimed
    m.memcg[g].pgscan += scanned
    m.memcg[g].pgsteal += reclaimed
    if reason == KSWAPD:
        node.pgscan_kswapd += scanned
        node.pgsteal_kswapd += reclaimed
    elif reason == GLOBAL_DIRECT:
        node.pgscan_direct += scanned
        node.pgsteal_direct += reclaimed


@compiled
def shrink_active(m, nid, g, nr, reason, spent_s):
    """A chunk from the active tail: young executable pages go round again, the others are deactivated."""
    lruvec = lruvec_of(m, nid, g)
    nr = min(nr, m.lruvec[lruvec].pages[ACTIVE])
    cost_s = 0.0
    for _ in range(nr):
        p = m.lruvec[lruvec].tail[ACTIVE]
        unlink(m, p)
        page = m.page[p]
        access = m.class_[page.class_].access
        cost_s += scan_cost_s(m, access)
        young = access != READ and test_and_clear_young(m, page, spent_s + cost_s)
        if young and access == EXEC:
            add_head(m, p, lruvec, ACTIVE)
            age_nonresident(m, nid, g)
            continue
        page.workingset = 1
        add_head(m, p, lruvec, INACTIVE)
        m.node[nid].pgdeactivate += 1
    if reason <= GLOBAL_DIRECT:
        m.node[nid].pgrefill += nr
    return cost_s
