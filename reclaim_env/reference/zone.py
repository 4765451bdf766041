"""Free pages and watermarks of a node, the wake-up of its kswapd, and the reset of its failure count."""

from .chance import uniform
from .compiled import compiled
from .names import DOZE, FREE_PATH, KSWAPD_STEP, MAX_RECLAIM_RETRIES, RUN
from .queue import schedule


@compiled
def is_above(node, mark_pages):
    """__zone_watermark_ok() at order 0."""
    return node.free_pages - node.unusable_pages > mark_pages


@compiled
def is_balanced(node):
    return is_above(node, node.high_pages)


@compiled
def is_hopeless(node):
    return node.kswapd_failures >= MAX_RECLAIM_RETRIES


@compiled
def take_page(node):
    node.free_pages -= 1
    if not is_balanced(node):
        node.below_high = 1


@compiled
def give_page(m, nid):
    """free_frozen_page_commit(): from 6.18 climbing above high revives all but the last node."""
    node = m.node[nid]
    node.free_pages += 1
    if node.below_high and is_balanced(node):
        node.below_high = 0
        if m.system[0].free_path_reset and is_hopeless(node) and nid + 1 < m.system[0].nr_nodes:
            clear_failures(m, nid, FREE_PATH)


@compiled
def clear_failures(m, nid, reason):
    node = m.node[nid]
    if node.kswapd_failures == 0:
        return
    node.resets[reason] += 1
    if is_hopeless(node):
        node.revivals[reason] += 1
        node.hopeless_s += m.system[0].time_s - node.hopeless_since_s
        node.hopeless_since_s = -1.0
    node.kswapd_failures = 0


@compiled
def note_progress(m, nid, reason):
    """The end of a shrink_node() that freed a page: the reset rule's three masks, in this order."""
    node = m.node[nid]
    node.progress[reason] += 1
    bit = 1 << reason
    if node.always_mask & bit:
        clear_failures(m, nid, reason)
    elif node.balanced_mask & bit:
        if is_balanced(node):
            clear_failures(m, nid, reason)
    elif node.coin_mask & bit and uniform(m) < 0.5:
        clear_failures(m, nid, reason)


@compiled
def wakeup_kswapd(m, nid):
    node = m.node[nid]
    if node.phase == RUN or is_hopeless(node) or (is_balanced(node) and node.boost_pages == 0):
        return
    if node.phase == DOZE:
        node.kswapd_low_wmark_hit_quickly += 1
    start_kswapd(m, nid)


@compiled
def start_kswapd(m, nid):
    m.node[nid].phase = RUN
    m.node[nid].doze_number += 1
    schedule(m, m.system[0].time_s, KSWAPD_STEP, nid)
