"""One page for a thread: zonelist, watermarks, direct reclaim, throttling, OOM (mm/page_alloc.c)."""

from .balance import reclaimable_pages
from .compiled import compiled, inlined
from .direct import try_to_free_pages
from .kswapd import allow_direct_reclaim
from .names import (
    ALL_NODES,
    GLOBAL_DIRECT,
    MAX_RECLAIM_RETRIES,
    NOWHERE,
    ROOT,
    RUN,
    SWAP_CLUSTER_MAX,
)
from .oom import kill_victim
from .zone import is_above, is_hopeless, start_kswapd, take_page, wakeup_kswapd


@compiled
def from_freelist(m, start, mask, at_min):
    """get_page_from_freelist(): the node of the page, or NOWHERE."""
    for i in range(m.system[0].nr_nodes):
        nid = m.node[start].zonelist[i]
        if not mask >> nid & 1:
            continue
        node = m.node[nid]
        if is_above(node, node.min_pages if at_min else node.low_pages):
            take_page(node)
            if nid == start:
                node.numa_hit += 1
            else:
                node.numa_miss += 1
                m.node[start].numa_foreign += 1
            return nid
        node.below_high = 1
    return NOWHERE


@compiled
def first_node(m, w):
    """Where the page is tried first; interleaving goes round the mask."""
    one = m.instance[w]
    if not one.interleaves:
        return one.cpu_node
    for _ in range(m.system[0].nr_nodes):
        one.interleave_next = (one.interleave_next + 1) % m.system[0].nr_nodes
        if one.node_mask >> one.interleave_next & 1:
            break
    return one.interleave_next


@inlined
def alloc_page(m, t):
    """__alloc_pages(). Returns (node or NOWHERE, seconds in reclaim); NOWHERE: the thread must wait."""
    thread = m.thread[t]
    one = m.instance[thread.instance]
    start = first_node(m, thread.instance)
    mask = ALL_NODES if one.interleaves else one.node_mask
    nid = from_freelist(m, start, mask, False)
    if nid != NOWHERE:
        return nid, 0.0
    return slow_path(m, t, start, mask)


@compiled
def slow_path(m, t, start, mask):
    """__alloc_pages_slowpath(): wake, min, reclaim, and again until it is hopeless."""
    thread = m.thread[t]
    spent_s = 0.0
    while True:
        for nid in range(m.system[0].nr_nodes):
            if mask >> nid & 1:
                wakeup_kswapd(m, nid)
        got = from_freelist(m, start, mask, True)
        if got != NOWHERE:
            thread.no_progress = 0
            return got, spent_s
        if is_throttled(m, t, start, mask):
            return NOWHERE, spent_s
        freed, cost_s = try_to_free_pages(
            m, thread.instance, start, mask, ROOT, SWAP_CLUSTER_MAX, GLOBAL_DIRECT
        )
        spent_s += cost_s
        got = from_freelist(m, start, mask, True)
        if got != NOWHERE:
            thread.no_progress = 0
            return got, spent_s
        if freed > 0:
            thread.no_progress = 0
        elif not should_retry(m, thread, mask):
            out_of_memory(m, thread, mask)
            return NOWHERE, spent_s


@compiled
def is_throttled(m, t, start, mask):
    """throttle_direct_reclaim() on the first usable node."""
    for i in range(m.system[0].nr_nodes):
        nid = m.node[start].zonelist[i]
        if not mask >> nid & 1:
            continue
        if allow_direct_reclaim(m, nid):
            return False
        node = m.node[nid]
        if node.phase != RUN and not is_hopeless(node):
            start_kswapd(m, nid)
        node.pgscan_direct_throttle += 1
        node.throttled += 1
        m.thread[t].waits_for = nid
        return True
    return False


@compiled
def should_retry(m, thread, mask):
    """should_reclaim_retry()."""
    thread.no_progress += 1
    if thread.no_progress > MAX_RECLAIM_RETRIES:
        return False
    for nid in range(m.system[0].nr_nodes):
        node = m.node[nid]
        available = node.free_pages - node.unusable_pages + reclaimable_pages(m, nid)
        if mask >> nid & 1 and available > node.min_pages:
            return True
    return False


@compiled
def out_of_memory(m, thread, mask):
    """__alloc_pages_may_oom(): a last look at high, then a victim."""
    thread.no_progress = 0
    for nid in range(m.system[0].nr_nodes):
        if mask >> nid & 1 and is_above(m.node[nid], m.node[nid].high_pages):
            return
    one = m.instance[thread.instance]
    kill_victim(m, ROOT, mask if one.bound else ALL_NODES)
