"""Charging, memory.high and memory.max, protection (mm/memcontrol.c, mm/page_counter.c).

Kept: reclaim after every charge batch over high, the delay, endless retries below max and the cgroup OOM
kill, effective protection with the recursive share. Left out: kernel memory, swap limits, soft limits,
stale statistics.
"""

import numpy as np

from reclaim_env.model.constants import (
    ALL_NODES,
    MAX_RECLAIM_RETRIES,
    MEMCG_CHARGE_BATCH,
    MEMCG_HIGH,
    MEMCG_HIGH_DELAY_IGNORED_S,
    MEMCG_MAX,
    MEMCG_MAX_HIGH_DELAY_S,
    ONE,
    PROACTIVE,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.page_alloc import alloc_pages, kill_victim
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
    allowed, limit_s = try_charge_memcg(env, w, nr_pages, budget_s)
    granted, lost_s = alloc_pages(env, w, allowed, budget_s - limit_s)
    charge(env, env.workload[w].memcg, granted)
    high_s = handle_over_high(env, w, granted, budget_s - limit_s - lost_s)
    spend(env, w, limit_s + high_s)
    return granted, limit_s + lost_s + high_s


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

    After 16 fruitless tries a task of that cgroup is killed. Returns (pages, thread seconds).
    """
    g = env.workload[w].memcg
    spent_s = 0.0
    steps = 0
    limited, room = tightest_max(env, g)
    while room < nr_pages and spent_s < budget_s and steps < MAX_STEPS:
        memcg = env.memcg[limited]
        batch = ((nr_pages - room) // MEMCG_CHARGE_BATCH + 1) // (MAX_STEPS - steps) + 1
        memcg.events_max += batch
        freed, cost_s, _ = try_to_free_mem_cgroup_pages(
            env, limited, env.workload[w].cpu_node, MEMCG_CHARGE_BATCH, batch, MEMCG_MAX, env.now_s
        )
        spent_s += cost_s
        steps += 1
        if freed > 0:
            memcg.fruitless_retries = 0
        else:
            memcg.fruitless_retries += 1
            if memcg.fruitless_retries > MAX_RECLAIM_RETRIES:
                memcg.fruitless_retries = 0
                memcg.events_oom_kill += kill_victim(env, limited, ALL_NODES)
                break
        limited, room = tightest_max(env, g)
    return min(nr_pages, room), spent_s


@inlined
def charged_ahead(memcg):
    """What the counter stands at when a task charges: a batch more than is used, for each member."""
    return memcg.usage_pages + memcg.nr_members * MEMCG_CHARGE_BATCH


@inlined
def handle_over_high(env, w, nr_pages, budget_s):
    """mem_cgroup_handle_over_high(): for the cgroup and each ancestor above its high."""
    g = env.workload[w].memcg
    spent_s = 0.0
    while g >= 0:
        memcg = env.memcg[g]
        if memcg.high_pages >= 0 and charged_ahead(memcg) > memcg.high_pages:
            memcg.uncharged_pages += nr_pages
            spent_s += reclaim_high(env, w, g, budget_s - spent_s)
        else:
            memcg.uncharged_pages = 0
        g = memcg.parent
    return spent_s


@inlined
def reclaim_high(env, w, g, budget_s):
    """One call per charge batch, then the delay its overage earns. Returns thread seconds of reclaim."""
    memcg = env.memcg[g]
    owed = memcg.uncharged_pages // MEMCG_CHARGE_BATCH
    if owed == 0:
        return 0.0
    spent_s = 0.0
    done = 0
    batch = (owed + MAX_STEPS - 1) // MAX_STEPS
    progress = True
    while done < owed and spent_s < budget_s:
        freed, cost_s, _ = try_to_free_mem_cgroup_pages(
            env,
            g,
            env.workload[w].cpu_node,
            MEMCG_CHARGE_BATCH,
            min(batch, owed - done),
            MEMCG_HIGH,
            env.now_s,
        )
        done += batch
        spent_s += cost_s
        progress = freed > 0
    done = min(done, owed)
    memcg.events_high += done
    memcg.uncharged_pages -= done * MEMCG_CHARGE_BATCH
    return spent_s + penalise(env, w, g, done, progress, budget_s - spent_s)


@inlined
def high_delay(usage_pages, high_pages, over_pages):
    """calculate_high_delay(): r^2 seconds per page charged over high, r the relative overage; at most 2 s."""
    ratio = (usage_pages - high_pages) / max(high_pages, 1)
    return min(ratio * ratio * over_pages, MEMCG_MAX_HIGH_DELAY_S)


@inlined
def penalise(env, w, g, calls, progress, budget_s):
    """Reclaims on while the delay is worth sleeping and reclaim gets anywhere; else the tasks sleep it."""
    memcg = env.memcg[g]
    spent_s = 0.0
    steps = 0
    while memcg.usage_pages > memcg.high_pages and spent_s < budget_s:
        delay_s = high_delay(memcg.usage_pages, memcg.high_pages, MEMCG_CHARGE_BATCH)
        if delay_s <= MEMCG_HIGH_DELAY_IGNORED_S:
            return spent_s
        if not progress or steps == MAX_STEPS:
            env.workload[w].sleep_debt_s += delay_s * calls
            return spent_s
        freed, cost_s, _ = try_to_free_mem_cgroup_pages(
            env, g, env.workload[w].cpu_node, SWAP_CLUSTER_MAX, calls, MEMCG_HIGH, env.now_s
        )
        spent_s += cost_s
        steps += 1
        progress = freed > 0
    return spent_s


@kernel
def reclaim_to(env, g, target_pages, reason):
    """A write to a limit or to memory.reclaim: reclaim until usage is at target_pages or nothing gives."""
    memcg = env.memcg[g]
    tries = 0
    while memcg.usage_pages > target_pages and tries < MAX_RECLAIM_RETRIES:
        wanted = memcg.usage_pages - target_pages
        if reason == PROACTIVE:
            wanted = max(wanted // 4, SWAP_CLUSTER_MAX)
        freed, _, _ = try_to_free_mem_cgroup_pages(env, g, NODE_0, wanted, ONE, reason, env.now_s)
        if freed == 0:
            tries += 1


@inlined
def mem_cgroup_calculate_protection(env):
    """effective_protection() of every cgroup, parents first, with the recursive share of the unclaimed."""
    for g in range(env.nr_memcgs):
        memcg = env.memcg[g]
        if memcg.parent < 0:
            memcg.emin_pages = float(max(memcg.min_pages, 0))
            memcg.elow_pages = float(max(memcg.low_pages, 0))
            continue
        parent = env.memcg[memcg.parent]
        if parent.emin_pages <= 0.0 and parent.elow_pages <= 0.0:
            memcg.emin_pages = 0.0
            memcg.elow_pages = 0.0
            continue
        claimed_min, claimed_low = claimed_by_children(env, memcg.parent)
        memcg.emin_pages = effective_protection(
            memcg, parent, memcg.min_pages, parent.emin_pages, claimed_min
        )
        memcg.elow_pages = effective_protection(
            memcg, parent, memcg.low_pages, parent.elow_pages, claimed_low
        )


@inlined
def claimed_by_children(env, parent):
    """Sums over a cgroup's children of what they use of their own min and low."""
    claimed_min = 0.0
    claimed_low = 0.0
    for g in range(env.nr_memcgs):
        if env.memcg[g].parent == parent:
            claimed_min += min(env.memcg[g].usage_pages, max(env.memcg[g].min_pages, 0))
            claimed_low += min(env.memcg[g].usage_pages, max(env.memcg[g].low_pages, 0))
    return claimed_min, claimed_low


@kernel
def effective_protection(memcg, parent, setting, parent_effective, claimed):
    """What of its own setting a cgroup gets under its parent's effective protection."""
    protected = float(min(memcg.usage_pages, max(setting, 0)))
    if claimed > parent_effective:
        return protected * parent_effective / claimed
    unclaimed = parent_effective - claimed
    if unclaimed <= 0.0 or parent.usage_pages <= claimed:
        return protected
    return protected + unclaimed * (memcg.usage_pages - protected) / (parent.usage_pages - claimed)
