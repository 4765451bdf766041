"""Charging, memory.high and memory.max, protection (mm/memcontrol.c, mm/page_counter.c).

Kept: stocks and batches, reclaim after every batch charged over high, the delay, endless retries below max
and the cgroup OOM kill, effective protection with the recursive share. Left out: kernel memory, swap limits,
soft limits, stale statistics.
"""

import numpy as np

from reclaim_env.model.constants import (
    ALL_NODES,
    ANON,
    MAX_RECLAIM_RETRIES,
    MEMCG_CHARGE_BATCH,
    MEMCG_HIGH,
    MEMCG_HIGH_DELAY_IGNORED_S,
    MEMCG_MAX,
    MEMCG_MAX_HIGH_DELAY_S,
    ONE,
    PROACTIVE,
    READER,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.oom_kill import kill_victim
from reclaim_env.model.page_alloc import alloc_pages
from reclaim_env.model.reclaim import try_to_free_mem_cgroup_pages

# Limit reclaim is simulated call by call up to this many steps a charge and slice; beyond, several at a time.
MAX_STEPS = 8
NODE_0 = np.int64(0)


@kernel
def fault_in(env, w, nr_pages, budget_s):
    """Pages for a workload: charged to its cgroup, taken from the nodes (-> env.granted_pages).

    Returns (granted, thread seconds lost in reclaim of any kind).
    """
    if nr_pages <= 0:
        return 0, 0.0
    work = env.workload[w]
    allowed, limit_s = try_charge_memcg(env, w, nr_pages, budget_s)
    granted, lost_s = alloc_pages(env, w, allowed, budget_s - limit_s)
    charge(env, work.memcg, granted)
    work.owed_batches += refill_stock(env.memcg[work.memcg], granted)
    if work.kind == ANON:
        limit_s += handle_over_high(env, w, budget_s - limit_s - lost_s)
    spend(env, w, limit_s)
    return granted, limit_s + lost_s


@kernel
def resume_user_mode_work(env, slice_s):
    """Where readers and streams come back from the kernel: what they read is on the lists by then."""
    env.now_s = env.time_s + slice_s
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.owed_batches > 0:
            spend(env, w, handle_over_high(env, w, work.threads * slice_s - work.stalled_s))


@inlined
def spend(env, w, limit_s):
    """Thread seconds in reclaim for a cgroup's own limit: time the workload lost, but not to the machine."""
    work = env.workload[w]
    work.stalled_s += limit_s
    env.node[work.cpu_node].vmstat.limit_reclaim_s += limit_s


@inlined
def charge(env, g, nr_pages):
    """page_counter_charge(): the cgroup and its ancestors."""
    while g >= 0:
        env.memcg[g].usage_pages += nr_pages
        g = env.memcg[g].parent


@kernel
def tightest_max(env, g):
    """The cgroup, itself or an ancestor, with the least room below memory.max; -1 where nobody has one."""
    found = -1
    room = 1 << 60
    while g >= 0:
        memcg = env.memcg[g]
        if memcg.max_pages >= 0 and memcg.max_pages - memcg.usage_pages < room:
            room = memcg.max_pages - memcg.usage_pages
            found = g
        g = memcg.parent
    return found, max(room, 0)


@inlined
def try_charge_memcg(env, w, nr_pages, budget_s):
    """How much of nr_pages fits below memory.max, reclaiming from the limited cgroup for the rest.

    Where no batch fits pages are charged one by one, so a call is for the fewest there are. After the try
    that drains the stocks and 16 more without progress a task of that cgroup is killed.
    Returns (pages, thread seconds).
    """
    g = env.workload[w].memcg
    spent_s = 0.0
    steps = 0
    limited, room = tightest_max(env, g)
    while room < nr_pages and spent_s < budget_s and steps < MAX_STEPS:
        memcg = env.memcg[limited]
        batch = ((nr_pages - room) // SWAP_CLUSTER_MAX + 1) // (MAX_STEPS - steps) + 1
        memcg.events_max += batch
        freed, cost_s, _ = try_to_free_mem_cgroup_pages(
            env, limited, env.workload[w].cpu_node, SWAP_CLUSTER_MAX, batch, MEMCG_MAX, env.now_s
        )
        spent_s += cost_s
        steps += 1
        if freed > 0:
            memcg.fruitless_retries = 0
        else:
            memcg.fruitless_retries += 1
            if memcg.fruitless_retries > MAX_RECLAIM_RETRIES + 1:
                memcg.fruitless_retries = 0
                kill_victim(env, limited, ALL_NODES)
                break
        limited, room = tightest_max(env, g)
    return min(nr_pages, room), spent_s


@inlined
def refill_stock(memcg, nr_pages):
    """Takes nr_pages from what is charged already; returns how many batches had to be charged for them.

    Identical members draw on one stock: each has its own, but they run dry at random, so that all of them
    together charge a batch every 64 pages.
    """
    missing = nr_pages - memcg.stock_pages
    batches = max(missing + MEMCG_CHARGE_BATCH - 1, 0) // MEMCG_CHARGE_BATCH
    memcg.stock_pages += batches * MEMCG_CHARGE_BATCH - nr_pages
    return batches


@inlined
def charged_pages(memcg, stock_pages):
    """What the counter stands at when a batch is charged: each member looks at its own just then."""
    return memcg.usage_pages + stock_pages + (memcg.nr_members - 1) * MEMCG_CHARGE_BATCH


@inlined
def unread_pages(memcg):
    """What a reader's last batch brought after it was charged; of all members, if each stood where it did.

    What a call takes from a member is read back at one go, by that member, and charged by what it lacks.
    """
    return (memcg.nr_members - 1) * (MEMCG_CHARGE_BATCH - memcg.stock_pages)


@inlined
def handle_over_high(env, w, budget_s):
    """mem_cgroup_handle_over_high() after every batch that was charged. Returns thread seconds.

    All pages of the slice are in use already: when a batch was charged, those of later ones were not. What
    the thread time does not suffice for is done in the next slice.
    """
    work = env.workload[w]
    unread = unread_pages(env.memcg[work.memcg]) if work.kind == READER else 0
    left = work.owed_batches
    step = (left + MAX_STEPS - 1) // MAX_STEPS
    spent_s = 0.0
    is_done = True
    while left > 0 and is_done and spent_s < budget_s:
        calls = min(step, left)
        cost_s, is_done = reclaim_after_charge(
            env, w, calls, (left - calls) * MEMCG_CHARGE_BATCH + unread, budget_s - spent_s
        )
        spent_s += cost_s
        left -= calls if is_done else 0
    work.owed_batches = left
    return spent_s


@inlined
def reclaim_after_charge(env, w, calls, later_pages, budget_s):
    """One call for 64 pages per batch; further ones for 32 while the delay is worth sleeping.

    A task sleeps when 17 calls have freed nothing. Returns (thread seconds, done with these batches?).
    """
    work = env.workload[w]
    spent_s = 0.0
    steps = 0
    wanted = MEMCG_CHARGE_BATCH
    batch = calls
    while True:
        env.sc.same_members = steps > 0
        freed, cost_s = reclaim_high(env, w, wanted, batch, later_pages)
        spent_s += cost_s
        steps += 1
        overage, high_pages = mem_find_max_overage(env, work.memcg, later_pages)
        delay_s = calculate_high_delay(overage, high_pages, MEMCG_CHARGE_BATCH)
        if delay_s <= MEMCG_HIGH_DELAY_IGNORED_S:
            break
        wanted = SWAP_CLUSTER_MAX
        batch = max(overage // SWAP_CLUSTER_MAX // max(MAX_STEPS - steps, 1), calls)
        if freed == 0:
            work.high_fruitless += 1
            batch = calls
        if work.high_fruitless > MAX_RECLAIM_RETRIES:
            work.sleep_debt_s += delay_s * calls
            break
        if spent_s >= budget_s:
            env.sc.same_members = 0
            return spent_s, False
    env.sc.same_members = 0
    work.high_fruitless = 0
    return spent_s, True


@inlined
def reclaim_high(env, w, wanted, batch, later_pages):
    """`batch` calls for the cgroup and for each ancestor above its high: (reclaimed, thread seconds)."""
    work = env.workload[w]
    stock_pages = env.memcg[work.memcg].stock_pages - later_pages
    g = work.memcg
    reclaimed = 0
    spent_s = 0.0
    while g >= 0:
        memcg = env.memcg[g]
        if memcg.high_pages >= 0 and charged_pages(memcg, stock_pages) > memcg.high_pages:
            memcg.events_high += batch
            freed, cost_s, _ = try_to_free_mem_cgroup_pages(
                env, g, work.cpu_node, wanted, batch, MEMCG_HIGH, env.now_s
            )
            reclaimed += freed
            spent_s += cost_s
        g = memcg.parent
    return reclaimed, spent_s


@inlined
def mem_find_max_overage(env, g, later_pages):
    """The worst relative overage of the cgroup and its ancestors: (pages over, high); (0, 1) if none is."""
    stock_pages = env.memcg[g].stock_pages - later_pages
    worst, worst_high = 0, 1
    while g >= 0:
        memcg = env.memcg[g]
        over = charged_pages(memcg, stock_pages) - memcg.high_pages
        high = max(memcg.high_pages, 1)
        if memcg.high_pages >= 0 and over * worst_high > worst * high:
            worst, worst_high = over, high
        g = memcg.parent
    return worst, worst_high


@inlined
def calculate_high_delay(over_pages, high_pages, nr_pages):
    """r^2 seconds per page charged over high, r the relative overage; at most 2 s."""
    ratio = over_pages / high_pages
    return min(ratio * ratio * nr_pages, MEMCG_MAX_HIGH_DELAY_S)


@kernel
def reclaim_to(env, g, target_pages, reason):
    """A write to a limit or to memory.reclaim: reclaim until usage is at target_pages or nothing gives."""
    memcg = env.memcg[g]
    if reason != PROACTIVE:
        memcg.stock_pages = 0  # drain_all_stock()
    tries = 0
    while memcg.usage_pages > target_pages and tries < MAX_RECLAIM_RETRIES:
        wanted = memcg.usage_pages - target_pages
        if reason == PROACTIVE:
            wanted = max(wanted // 4, SWAP_CLUSTER_MAX)
        freed, _, _ = try_to_free_mem_cgroup_pages(env, g, NODE_0, wanted, ONE, reason, env.now_s)
        if freed == 0:
            tries += 1
