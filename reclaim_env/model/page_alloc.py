"""The allocator: zonelists, watermarks, direct reclaim and its retries (mm/page_alloc.c).

Kept: order-0 user allocations in bulk, local-first fallback, bind, interleave, low then min, waking every
allowed kswapd, direct reclaim with its retries, throttling, the way to the OOM killer.
Left out: per-CPU lists, orders, THP, cpusets beyond the mask, the skip of nodes whose kswapd is awake.
"""

from reclaim_env.model.buddy import free_pages, rmqueue
from reclaim_env.model.constants import (
    ALL_NODES,
    INTERLEAVE,
    LOW_WMARK,
    MAX_RECLAIM_RETRIES,
    MIN_WMARK,
    ONE,
)
from reclaim_env.model.hierarchy import uncharge
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import zone_reclaimable_pages
from reclaim_env.model.oom_kill import out_of_memory
from reclaim_env.model.reclaim import try_to_free_pages
from reclaim_env.model.reset_rule import kswapd_test_hopeless
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import pages_above

# Direct reclaim is simulated call by call up to this many steps an allocation and slice; more calls
# than that go several at a time.
MAX_STEPS = 8


@inlined
def alloc_pages(env, w, nr_pages, budget_s):
    """Takes up to nr_pages for a workload -> env.granted_pages. Returns (granted, thread seconds lost).

    budget_s: thread seconds the workload can spend in reclaim within this slice.
    """
    for nid in range(env.nr_nodes):
        env.granted_pages[nid] = 0
    work = env.workload[w]
    if work.policy != INTERLEAVE:
        return alloc_from(env, w, work.cpu_node, nr_pages, budget_s)
    return alloc_interleaved(env, w, nr_pages, budget_s)


@inlined
def alloc_interleaved(env, w, nr_pages, budget_s):
    """Page by page round the mask, each share in one go; the next call goes on where this one ended."""
    work = env.workload[w]
    nr_nodes = 0
    for nid in range(env.nr_nodes):
        nr_nodes += work.node_mask >> nid & 1
    granted = 0
    lost_s = 0.0
    nid = work.interleave_next
    for turn in range(nr_nodes):
        nid = next_node(env, work, nid)
        part = nr_pages // nr_nodes
        if turn < nr_pages % nr_nodes:
            part += 1
            work.interleave_next = nid
        got, spent_s = alloc_from(env, w, nid, part, budget_s - lost_s)
        granted += got
        lost_s += spent_s
    return granted, lost_s


@inlined
def next_node(env, work, nid):
    """The next node of the mask, round robin."""
    for _ in range(env.nr_nodes):
        nid = (nid + 1) % env.nr_nodes
        if work.node_mask >> nid & 1:
            break
    return nid


@kernel
def alloc_from(env, w, start, nr_pages, budget_s):
    """One node's zonelist: fast path at low, then the slow path."""
    mask = allowed_nodes(env.workload[w])
    granted = get_page_from_freelist(env, start, mask, nr_pages, LOW_WMARK)
    if granted == nr_pages:
        return granted, 0.0
    got, lost_s = alloc_pages_slowpath(env, w, start, nr_pages - granted, budget_s)
    return granted + got, lost_s


@inlined
def allowed_nodes(work):
    """The nodes an allocation may fall back to: interleaving says only where each page is tried first."""
    return ALL_NODES if work.policy == INTERLEAVE else work.node_mask


@inlined
def mark_pages(pgdat, mark):
    """The watermark an allocation must leave standing."""
    return pgdat.min_wmark_pages if mark == MIN_WMARK else pgdat.low_wmark_pages


@kernel
def get_page_from_freelist(env, start, mask, nr_pages, mark):
    """Walks the zonelist of `start` within the mask and takes what lies above the watermark."""
    granted = 0
    for i in range(env.nr_nodes):
        if granted == nr_pages:
            break
        nid = env.node[start].zonelist[i]
        if not mask >> nid & 1:
            continue
        pgdat = env.node[nid]
        got = min(pages_above(pgdat, mark_pages(pgdat, mark)), nr_pages - granted)
        if got > 0:
            rmqueue(pgdat, got)
            zone_statistics(env, start, nid, got)
            env.granted_pages[nid] += got
            granted += got
        elif nr_pages > granted:
            pgdat.below_high = 1
    return granted


@inlined
def zone_statistics(env, wanted, got_from, nr_pages):
    """numa_hit, numa_miss and numa_foreign."""
    if wanted == got_from:
        env.node[got_from].vmstat.numa_hit += nr_pages
        return
    env.node[got_from].vmstat.numa_miss += nr_pages
    env.node[wanted].vmstat.numa_foreign += nr_pages


@kernel
def wake_all_kswapds(env, mask):
    for nid in range(env.nr_nodes):
        if mask >> nid & 1:
            wakeup_kswapd(env.node[nid])


@inlined
def alloc_pages_slowpath(env, w, start, nr_pages, budget_s):
    """__alloc_pages_slowpath(): wake kswapd, take down to min, then reclaim directly and retry.

    The tasks of a workload wait together: while they get nothing, all its thread time is lost.
    """
    work = env.workload[w]
    mask = allowed_nodes(work)
    wake_all_kswapds(env, mask)
    granted = get_page_from_freelist(env, start, mask, nr_pages, MIN_WMARK)
    lost_s = 0.0
    step = 0
    batch = ONE
    while granted < nr_pages and lost_s < budget_s:
        if not throttle_direct_reclaim(env, start, mask):
            env.node[start].vmstat.pgscan_direct_throttle += waiting_threads(work, nr_pages - granted)
            lost_s = budget_s
            break
        freed, spent_s, calls = try_to_free_pages(
            env, start, mask, batch, env.now_s + lost_s / max(work.threads, 1.0)
        )
        lost_s += spent_s
        step += 1
        work.allocstall += calls
        env.node[start].vmstat.allocstall += calls
        wake_all_kswapds(env, mask)
        granted += get_page_from_freelist(env, start, mask, nr_pages - granted, MIN_WMARK)
        if freed > 0:
            work.no_progress_loops = 0
            batch = next_batch(
                nr_pages - granted, freed // calls, step, (budget_s - lost_s) * calls / spent_s
            )
        elif not should_reclaim_retry(env, w, mask):
            out_of_memory(env, w, mask)
            break
    charge_stall(env, w, start, lost_s)
    return granted, lost_s


@inlined
def next_batch(wanted_pages, pages_per_call, step, affordable_calls):
    """How many direct-reclaim calls to simulate at once next."""
    needed = wanted_pages // max(pages_per_call, 1) + 1
    steps_left = max(MAX_STEPS - step, 1)
    return max(min(needed // steps_left, int(affordable_calls)), 1)


@inlined
def waiting_threads(work, nr_pages):
    return int(min(work.threads, float(nr_pages)))


@inlined
def charge_stall(env, w, start, lost_s):
    """Thread seconds in, or kept waiting by, direct reclaim."""
    work = env.workload[w]
    work.stall_s += lost_s
    work.stalled_s += lost_s
    env.node[start].vmstat.stall_s += lost_s


@inlined
def throttle_direct_reclaim(env, start, mask):
    """allow_direct_reclaim() on the first usable node: below half of min tasks wait for a kswapd that lives.

    Returns whether the caller may go on. The watermark counts only if the node has anything to reclaim.
    """
    for i in range(env.nr_nodes):
        nid = env.node[start].zonelist[i]
        if not mask >> nid & 1:
            continue
        pgdat = env.node[nid]
        if kswapd_test_hopeless(pgdat):
            return True
        reclaimable = zone_reclaimable_pages(env, nid)
        if reclaimable == 0 or pgdat.free_pages > pgdat.min_wmark_pages // 2:
            return True
        wakeup_kswapd(pgdat)
        return False
    return True


@inlined
def should_reclaim_retry(env, w, mask):
    """After a fruitless descent: try again up to 16 times, if some node could reach min by reclaim at all."""
    work = env.workload[w]
    work.no_progress_loops += 1
    if work.no_progress_loops > MAX_RECLAIM_RETRIES:
        return False
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        available = pgdat.free_pages - pgdat.unusable_pages + zone_reclaimable_pages(env, nid)
        if mask >> nid & 1 and available > pgdat.min_wmark_pages:
            return True
    return False


@inlined
def free_anon(env, w, nid, nr_pages):
    """Anonymous pages of a workload given back on one node."""
    work = env.workload[w]
    work.anon_pages[nid] -= nr_pages
    env.memcg[work.memcg].anon_pages[nid] -= nr_pages
    uncharge(env, work.memcg, nr_pages)
    free_pages(env, nid, nr_pages)
