"""Charging a page to a cgroup, and what its limits do about it (mm/memcontrol.c)."""

from .compiled import compiled, inlined
from .direct import try_to_free_pages
from .names import (
    ALL_NODES,
    CHARGE_BATCH,
    IGNORED_HIGH_DELAY_S,
    MAX_HIGH_DELAY_S,
    MAX_RECLAIM_RETRIES,
    MEMCG_HIGH,
    MEMCG_MAX,
    PROACTIVE,
    SWAP_CLUSTER_MAX,
)
from .oom import kill_victim


@compiled
def over_limit(m, g, nr):
    """The lowest cgroup whose max a charge of nr pages would break; -1: it fits."""
    while g >= 0:
        row = m.memcg[g]
        if row.max_pages >= 0 and row.usage_pages + nr > row.max_pages:
            return g
        g = row.parent
    return -1


@compiled
def page_counter_charge(m, g, nr):
    while g >= 0:
        m.memcg[g].usage_pages += nr
        g = m.memcg[g].parent


@compiled
def drain_stock(m, root):
    for g in range(root, m.memcg[root].end):
        page_counter_charge(m, g, -m.memcg[g].stock_pages)
        m.memcg[g].stock_pages = 0


@inlined
def charge(m, t):
    """try_charge_memcg() for one page of a thread. Returns (charged?, seconds in reclaim)."""
    thread = m.thread[t]
    g = m.instance[thread.instance].memcg
    row = m.memcg[g]
    if row.stock_pages > 0:
        row.stock_pages -= 1
        return True, 0.0
    batch, spent_s = make_room(m, t, g)
    if batch == 0:
        return False, spent_s
    page_counter_charge(m, g, batch)
    row.stock_pages += batch - 1
    above = g
    while above >= 0:
        if m.memcg[above].high_pages >= 0 and m.memcg[above].usage_pages > m.memcg[above].high_pages:
            thread.over_high += batch
            break
        above = m.memcg[above].parent
    return True, spent_s


@compiled
def make_room(m, t, g):
    """How many pages may be charged: a batch, one, or none after an OOM kill. (pages, seconds)"""
    limited = over_limit(m, g, CHARGE_BATCH)
    if limited < 0:
        return CHARGE_BATCH, 0.0
    instance = m.thread[t].instance
    spent_s = 0.0
    retries = MAX_RECLAIM_RETRIES
    drained = False
    while True:
        limited = over_limit(m, g, 1)
        if limited < 0:
            return 1, spent_s
        m.memcg[limited].events_max += 1
        freed, cost_s = try_to_free_pages(
            m, instance, m.instance[instance].cpu_node, ALL_NODES, limited, SWAP_CLUSTER_MAX, MEMCG_MAX
        )
        spent_s += cost_s
        if over_limit(m, g, 1) < 0:
            continue
        if not drained:
            drain_stock(m, limited)
            drained = True
            continue
        if freed > 0:
            continue
        if retries == 0:
            kill_victim(m, limited, ALL_NODES)
            return 0, spent_s
        retries -= 1


@compiled
def high_delay_s(m, g, nr):
    """calculate_high_delay() of the worst overage: r^2 seconds per page charged over high."""
    worst = 0.0
    while g >= 0:
        row = m.memcg[g]
        if row.high_pages >= 0 and row.usage_pages > row.high_pages:
            worst = max(worst, (row.usage_pages - row.high_pages) / max(row.high_pages, 1))
        g = row.parent
    return min(worst * worst * nr, MAX_HIGH_DELAY_S)


@compiled
def reclaim_high(m, instance, g, nr):
    """One call for the cgroup and for each above it that is over its high. (reclaimed, seconds)"""
    reclaimed = 0
    spent_s = 0.0
    while g >= 0:
        row = m.memcg[g]
        if row.high_pages >= 0 and row.usage_pages > row.high_pages:
            row.events_high += 1
            wanted = max(nr, SWAP_CLUSTER_MAX)
            freed, cost_s = try_to_free_pages(
                m, instance, m.instance[instance].cpu_node, ALL_NODES, g, wanted, MEMCG_HIGH
            )
            reclaimed += freed
            spent_s += cost_s
        g = row.parent
    return reclaimed, spent_s


@compiled
def handle_over_high(m, t):
    """mem_cgroup_handle_over_high(), on the way back to user mode. (seconds in reclaim, seconds asleep)"""
    thread = m.thread[t]
    nr = thread.over_high
    if nr == 0:
        return 0.0, 0.0
    thread.over_high = 0
    g = m.instance[thread.instance].memcg
    wanted, retries = nr, MAX_RECLAIM_RETRIES
    spent_s = 0.0
    while True:
        reclaimed, cost_s = reclaim_high(m, thread.instance, g, wanted)
        spent_s += cost_s
        delay_s = high_delay_s(m, g, nr)
        if delay_s <= IGNORED_HIGH_DELAY_S:
            return spent_s, 0.0
        if reclaimed == 0:
            if retries == 0:
                return spent_s, delay_s
            retries -= 1
        wanted = SWAP_CLUSTER_MAX


@compiled
def reclaim_to(m, g, pages, reason):
    """A write to a limit or to memory.reclaim."""
    row = m.memcg[g]
    tries = 0
    while row.usage_pages > pages and tries < MAX_RECLAIM_RETRIES:
        wanted = row.usage_pages - pages
        if reason == PROACTIVE:
            wanted = wanted // 4
        freed, _ = try_to_free_pages(m, 0, 0, ALL_NODES, g, max(wanted, SWAP_CLUSTER_MAX), reason)
        if freed == 0:
            tries += 1
