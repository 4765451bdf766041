"""Anonymous memory of workloads: targets over time, churn, bursts, exit; and atomic bursts."""

from reclaim_env.model import latency, rng
from reclaim_env.model.anon_lru import free_listed, lru_add_new
from reclaim_env.model.buddy import free_pages, rmqueue
from reclaim_env.model.constants import MEMCG_CHARGE_BATCH
from reclaim_env.model.demand import begin_slice, is_running
from reclaim_env.model.hierarchy import uncharge
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.memcontrol import fault_in
from reclaim_env.model.oom_kill import held_pages
from reclaim_env.model.page_alloc import free_anon
from reclaim_env.model.refault import read_back, run_readers
from reclaim_env.model.swap_in import use_memory
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import pages_above

# Churn of one slice is done in so many pieces at most.
MAX_PIECES = 8


@inlined
def begin_bursts(env):
    """Bursts of different workloads are not in step: each starts at a phase of its own."""
    for w in range(env.nr_workloads):
        work = env.workload[w]
        work.phase_s = work.period_s * rng.timeless_uniform(env, rng.PHASES, 1024 + w, 0)


@inlined
def target_pages(env, work):
    """What a workload wants to have resident now: its schedule, and its burst while one is held."""
    now_s = env.time_s
    last = work.nr_breakpoints - 1
    pages = work.breakpoint_pages[last]
    for i in range(last):
        begin_s = work.breakpoint_s[i]
        end_s = work.breakpoint_s[i + 1]
        if begin_s <= now_s < end_s:
            part = (now_s - begin_s) / (end_s - begin_s)
            pages = work.breakpoint_pages[i] + part * (
                work.breakpoint_pages[i + 1] - work.breakpoint_pages[i]
            )
    if work.burst_pages > 0 and (now_s + work.phase_s) % work.period_s < work.hold_s:
        pages += work.burst_pages
    return int(pages)


@kernel
def run_anon(env, w, slice_s):
    """One slice of an anonymous workload: die, restart, or follow the target and churn."""
    work = env.workload[w]
    budget_s = begin_slice(work, slice_s)
    have = held_pages(env, work)
    if work.dying:
        give_back(env, w, have, min(have, int(slice_s / env.cost.anon_free_s)))
        work.dying = held_pages(env, work) > 0
        return
    if env.time_s < work.restart_at_s:
        return
    if env.nr_anon_classes > 0:
        budget_s = max(budget_s - use_memory(env, w, slice_s, budget_s), 0.0)
    wanted = target_pages(env, work) - have
    work.carry_pages += work.churn_pages_per_s * slice_s
    # Whole charge batches: what a shorter tick leaves over waits for the next.
    churned = min(int(work.carry_pages // MEMCG_CHARGE_BATCH) * MEMCG_CHARGE_BATCH, have)
    work.carry_pages %= MEMCG_CHARGE_BATCH
    speed_pages = int(budget_s / env.cost.anon_fault_s)
    touch(env, w, min(max(wanted, 0), speed_pages), budget_s)
    churn(env, w, min(churned, speed_pages), budget_s)
    surplus = max(-wanted, 0)
    give_back(env, w, held_pages(env, work), min(surplus, int(work.threads * slice_s / env.cost.anon_free_s)))


@inlined
def churn(env, w, nr_pages, budget_s):
    """Memory freed and touched again, a charge batch at a time: touched first, as threads out of step do."""
    piece = max(nr_pages // MAX_PIECES, MEMCG_CHARGE_BATCH)
    pause_s = env.slice_s * piece / max(nr_pages, piece)
    memcg = env.workload[w].memcg
    is_limited = env.memcg[memcg].high_pages >= 0
    if is_limited and nr_pages > 0:
        run_readers(env, memcg, env.slice_s)
    while nr_pages > 0 and env.workload[w].stalled_s < budget_s:
        part = min(piece, nr_pages)
        if env.nr_anon_classes > 0:
            touch_briefly(env, w, part, budget_s - env.workload[w].stalled_s)
        else:
            have = held_pages(env, env.workload[w])
            touch(env, w, part, budget_s - env.workload[w].stalled_s)
            gained = held_pages(env, env.workload[w]) - have
            give_back(env, w, have + gained, gained)
        nr_pages -= part
        if is_limited:
            read_back(env, memcg, pause_s)
        env.now_s += pause_s


@kernel
def touch(env, w, nr_pages, budget_s):
    """Faults nr_pages in, to stay; an operation is pages_per_op pages touched."""
    if nr_pages == 0:
        return
    fault_anon(env, w, nr_pages, budget_s)
    work = env.workload[w]
    for nid in range(env.nr_nodes):
        work.anon_pages[nid] += env.granted_pages[nid]
        env.memcg[work.memcg].anon_pages[nid] += env.granted_pages[nid]
    if env.nr_anon_classes > 0:
        lru_add_new(env, w)


@inlined
def touch_briefly(env, w, nr_pages, budget_s):
    """Faults nr_pages in and frees the same ones, before they are on any list."""
    fault_anon(env, w, nr_pages, budget_s)
    memcg = env.workload[w].memcg
    for nid in range(env.nr_nodes):
        if env.granted_pages[nid] > 0:
            uncharge(env, memcg, env.granted_pages[nid])
            free_pages(env, nid, env.granted_pages[nid])


@kernel
def fault_anon(env, w, nr_pages, budget_s):
    """fault_in() for anonymous memory, with its operations and their latency."""
    work = env.workload[w]
    stalls_before = work.allocstall
    granted, lost_s = fault_in(env, w, nr_pages, budget_s)
    nr_ops = granted / work.pages_per_op
    work.ops += nr_ops
    stalls = max(work.allocstall - stalls_before, 1)
    stalled = min(float(stalls), nr_ops) if lost_s > 0.0 else 0.0
    base_s = work.pages_per_op * env.cost.anon_fault_s
    latency.record(work, base_s, nr_ops - stalled)
    latency.record(work, base_s + lost_s / stalls, stalled)


@kernel
def give_back(env, w, have, nr_pages):
    """Frees pages of a workload, from each node in proportion to what it has there."""
    if nr_pages <= 0 or have == 0:
        return
    if env.nr_anon_classes > 0:
        free_listed(env, w, have, nr_pages)
        return
    work = env.workload[w]
    left = nr_pages
    for nid in range(env.nr_nodes):
        pages = work.anon_pages[nid]
        if pages == 0:
            continue
        part = min(left * pages // have, pages)
        have -= pages
        left -= part
        if part > 0:
            free_anon(env, w, nid, part)


@inlined
def run_atomic(env, w):
    """Bursts that may not sleep: down to 3/8 of min, failed where that is too little. Held, then freed."""
    work = env.workload[w]
    pgdat = env.node[work.cpu_node]
    running = is_running(env, work)
    since_s = env.time_s + work.phase_s
    burst = int(since_s / work.period_s)
    held = work.anon_pages[work.cpu_node]
    if held > 0 and (not running or burst >= work.nr_bursts or since_s % work.period_s >= work.hold_s):
        work.anon_pages[work.cpu_node] = 0
        pgdat.kernel_pages -= held
        free_pages(env, work.cpu_node, held)
    if running and burst >= work.nr_bursts:
        work.nr_bursts = burst + 1
        alloc_atomic(env, work, pgdat)


@inlined
def alloc_atomic(env, work, pgdat):
    """One burst: above low at will; below, kswapd is woken and the reserve used, whatever the boost."""
    wanted = work.burst_pages
    if pages_above(pgdat, pgdat.low_wmark_pages) < wanted:
        wakeup_kswapd(pgdat)
    min_pages = pgdat.min_wmark_pages - pgdat.boost_pages
    reserve = min_pages - min_pages // 2
    reserve -= reserve // 4
    got = min(pages_above(pgdat, reserve), wanted)
    rmqueue(pgdat, got)
    pgdat.kernel_pages += got
    work.anon_pages[work.cpu_node] += got
    work.ops += 1.0
    if got < wanted:
        work.lost_ops += 1.0
        pgdat.vmstat.atomic_fail += 1
