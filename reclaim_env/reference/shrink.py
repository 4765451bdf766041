"""Scanning one cgroup's lists on one node in chunks of 32 pages (mm/vmscan.c)."""

import math

from .balance import inactive_is_low
from .chance import uniform
from .compiled import compiled, inlined
from .demote import demote
from .device import submit_write
from .lists import add_head, forget, unlink
from .names import (
    ACTIVE,
    ACTIVE_ANON,
    ANON_TYPE,
    EXEC,
    FILE,
    GLOBAL_DIRECT,
    INACTIVE,
    INACTIVE_ANON,
    KSWAPD,
    NOWHERE,
    READ,
    SWAP_CLUSTER_MAX,
)
from .slots import can_age_anon_pages, charge_slot, nr_swap_pages
from .touch import catch_up, is_in_use
from .workingset import age_nonresident, leave_shadow, lru_note_cost, lruvec_of
from .zone import give_page

# What becomes of a page that reclaim looked at
KEPT, RECLAIMED, WRITTEN = range(3)


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


@inlined
def touches_at(m, c, spent_s):
    """Touches of a file when the round began; of a heat, of each of its pages, at this moment of it."""
    row = m.class_[c]
    if not row.anon:
        return row.touches
    catch_up(m, c)
    row.touches = row.use_s * row.touch_per_s
    if spent_s == 0.0 or not is_in_use(m, row) or is_held_up_by_reclaim(m, row.instance):
        return row.touches
    return row.touches + row.touch_per_s * spent_s


@compiled
def is_held_up_by_reclaim(m, w):
    """The process's last thread that waits for no page is the one that reclaims."""
    t = m.system[0].running
    if t == NOWHERE or m.thread[t].instance != w or m.thread[t].in_op:
        return False
    return m.instance[w].nr_waiting + 1 >= m.instance[w].nr_threads


@compiled
def test_and_clear_young(m, page, spent_s):
    """A mapped page: was it touched since its young bit was cleared?"""
    row = m.class_[page.class_]
    now_s = m.system[0].time_s + spent_s
    touches = touches_at(m, page.class_, spent_s)
    since = max(touches - page.cleared_touches, 0.0)
    if m.system[0].tlb_s > 0.0 and since > 0.0:
        since *= max(1.0 - m.system[0].tlb_s / max(now_s - page.cleared_s, 1e-9), 0.0)
    missed_by_one = -1.0 if row.anon else math.log1p(-1.0 / max(row.pages, 2))
    young = page.young == 1 or (since > 0.0 and uniform(m) < -math.expm1(since * missed_by_one))
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


@inlined
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
def scan_round(m, sc, nid, g, reason, target):
    """At most 32 pages of each list, anonymous memory first. Returns as shrink_list().

    A round is one step of kswapd's: its lists are reckoned from its beginning. A task's descent goes on.
    """
    system = m.system[0]
    scanned, reclaimed, cost_s = 0, 0, 0.0
    for kind in (ANON_TYPE, FILE):
        for lst in (2 * kind, 2 * kind + 1):
            nr = min(sc.to_scan[lst], SWAP_CLUSTER_MAX)
            if nr == 0:
                continue
            sc.to_scan[lst] -= nr
            begun_s = 0.0 if reason == KSWAPD else system.spent_s
            examined, freed, list_s = shrink_list(m, sc, nid, g, lst, nr, reason, target, begun_s)
            scanned += examined
            reclaimed += freed
            cost_s += list_s
            system.spent_s += list_s
    return scanned, reclaimed, cost_s


@inlined
def shrink_list(m, sc, nid, g, lst, nr, reason, target, spent_s):
    """A chunk of one list. Returns (inactive pages scanned, reclaimed, seconds)."""
    if lst % 2 == INACTIVE:
        return shrink_inactive(m, nid, g, lst, nr, reason, target, spent_s)
    if not sc.may_deactivate[lst // 2]:
        m.system[0].skipped_deactivate = 1
        return 0, 0, 0.0
    return 0, 0, shrink_active(m, nid, g, lst, nr, reason, spent_s)


@inlined
def shrink_inactive(m, nid, g, lst, nr, reason, target, spent_s):
    """A chunk of at most 32 pages from an inactive tail. Returns (scanned, reclaimed, seconds)."""
    lruvec = lruvec_of(m, nid, g)
    nr = min(nr, m.lruvec[lruvec].pages[lst])
    reclaimed, written = 0, 0
    cost_s = 0.0
    for _ in range(nr):
        p = m.lruvec[lruvec].tail[lst]
        unlink(m, p)
        fate, page_s = shrink_page(m, p, nid, g, lst, reason, target, spent_s + cost_s)
        reclaimed += fate > KEPT
        written += fate == WRITTEN
        cost_s += page_s
    count_scan(m, nid, g, lst // 2, reason, nr, reclaimed)
    lru_note_cost(m, nid, g, lst // 2, written, nr - reclaimed)
    return nr, reclaimed, cost_s


@inlined
def shrink_page(m, p, nid, g, lst, reason, target, spent_s):
    """An isolated inactive page is kept, reclaimed or written. Returns (its fate, seconds)."""
    page = m.page[p]
    lruvec = lruvec_of(m, nid, g)
    access = m.class_[page.class_].access
    cost_s = scan_cost_s(m, access)
    if page.ready_s > m.system[0].time_s + spent_s:  # locked: its read is under way
        add_head(m, p, lruvec, lst)
        return KEPT, cost_s
    if access == READ or not test_and_clear_young(m, page, spent_s):
        page.referenced = 0
        fate, leave_s = give_up(m, p, nid, g, reason, target, spent_s + cost_s)
        if fate > KEPT:
            cost_s = cost_s + m.system[0].free_s + (0.0 if access == READ else m.system[0].unmap_s)
        return fate, cost_s + leave_s
    activates = page.referenced == 1 or access == EXEC
    page.referenced = 1
    if activates:
        activate(m, p, nid, g)
    else:
        add_head(m, p, lruvec, lst)
    return KEPT, cost_s


@inlined
def give_up(m, p, nid, g, reason, target, spent_s):
    """A page nobody used goes to a lower tier, or is dropped, or gets a slot; without one it is activated.

    Returns (its fate, seconds beyond freeing it).
    """
    if demote(m, p, nid, g, reason):
        return RECLAIMED, m.system[0].migrate_s
    if not m.class_[m.page[p].class_].anon:
        evict(m, p, nid, g, target)
        return RECLAIMED, 0.0
    if nr_swap_pages(m, g) == 0:
        activate(m, p, nid, g)
        return KEPT, 0.0
    return WRITTEN, swap_out(m, p, nid, g, target, spent_s)


@compiled
def activate(m, p, nid, g):
    row = m.class_[m.page[p].class_]
    add_head(m, p, lruvec_of(m, nid, g), ACTIVE_ANON if row.anon else ACTIVE)
    age_nonresident(m, nid, g)
    m.node[nid].pgactivate += 1
    row.activated += 1


@compiled
def swap_out(m, p, nid, g, target, spent_s):
    """add_to_swap() and pageout(): free as soon as its write is queued. Seconds."""
    c = m.page[p].class_
    row = m.class_[c]
    catch_up(m, c)
    row.evicted += 1
    leave_shadow(m, p, nid, target)
    forget(m, p)
    one = m.instance[row.instance]
    one.anon_pages[nid] -= 1
    uncharge(m, g)
    give_page(m, nid)
    m.node[nid].pswpout += 1
    charge_slot(m, one, nid, 1)
    wait_s = submit_write(m, spent_s)
    m.system[0].write_wait_s += wait_s
    return wait_s + m.system[0].swap_cpu_s


@inlined
def count_scan(m, nid, g, kind, reason, scanned, reclaimed):
    node = m.node[nid]
    if kind == FILE:
        node.pgscan_file += scanned
        node.pgsteal_file += reclaimed
    else:
        node.pgscan_anon += scanned
        node.pgsteal_anon += reclaimed
    m.memcg[g].pgscan += scanned
    m.memcg[g].pgsteal += reclaimed
    if reason == KSWAPD:
        node.pgscan_kswapd += scanned
        node.pgsteal_kswapd += reclaimed
    elif reason == GLOBAL_DIRECT:
        node.pgscan_direct += scanned
        node.pgsteal_direct += reclaimed


@compiled
def shrink_active(m, nid, g, lst, nr, reason, spent_s):
    """A chunk from an active tail: young executable pages go round again, the others are deactivated."""
    lruvec = lruvec_of(m, nid, g)
    nr = min(nr, m.lruvec[lruvec].pages[lst])
    cost_s = 0.0
    rotated = 0
    for _ in range(nr):
        p = m.lruvec[lruvec].tail[lst]
        unlink(m, p)
        page = m.page[p]
        access = m.class_[page.class_].access
        cost_s += scan_cost_s(m, access)
        young = access != READ and test_and_clear_young(m, page, spent_s + cost_s)
        if young and access == EXEC:
            add_head(m, p, lruvec, lst)
            age_nonresident(m, nid, g)
            rotated += 1
            continue
        page.workingset = 1
        add_head(m, p, lruvec, lst - 1)
        m.node[nid].pgdeactivate += 1
    if reason <= GLOBAL_DIRECT:
        m.node[nid].pgrefill += nr
    lru_note_cost(m, nid, g, lst // 2, 0, rotated)
    return cost_s


@compiled
def age_anon(m, nid, g, reason, spent_s):
    """The end of shrink_lruvec(): a few active anonymous pages where the inactive ones are low. Seconds."""
    pages = m.lruvec[lruvec_of(m, nid, g)].stat_pages
    if not can_age_anon_pages(m, nid) or not inactive_is_low(pages[INACTIVE_ANON], pages[ACTIVE_ANON]):
        return 0.0
    return shrink_active(m, nid, g, ACTIVE_ANON, SWAP_CLUSTER_MAX, reason, spent_s)
