"""Watermark boosts: a stolen block raises the marks, kswapd reclaims it (mm/page_alloc.c, mm/vmscan.c)."""

from .compiled import compiled
from .names import BOOST, DEF_PRIORITY, PAGEBLOCK
from .queue import schedule
from .zone import is_balanced, wakeup_kswapd


@compiled
def raise_marks(node, pages):
    """Every read of a watermark adds the boost: the marks of the record hold it."""
    node.boost_pages += pages
    node.min_pages += pages
    node.low_pages += pages
    node.high_pages += pages


@compiled
def steal_block(m, i):
    """boost_watermark(), and the wake-up that follows it. The moment is the trace's."""
    nid = m.steal[i].node
    node = m.node[nid]
    if i + 1 < m.steal.shape[0]:
        schedule(m, m.steal[i + 1].at_s, BOOST, i + 1)
    factor = m.system[0].boost_factor
    if factor > 0 and node.managed_pages >= 4 * PAGEBLOCK:
        most = max((node.high_pages - node.boost_pages) * factor // 10_000, PAGEBLOCK)
        raise_marks(node, min(node.boost_pages + PAGEBLOCK, most) - node.boost_pages)
    wakeup_kswapd(m, nid)


@compiled
def begin_boosted(node):
    """What a run finds of a boost is its to reclaim, and goes with its end."""
    node.run_boost_pages = node.boost_pages
    node.boost_left_pages = node.boost_pages


@compiled
def forget_boost(node):
    """A node below its high mark is reclaimed in earnest."""
    if node.boost_left_pages > 0 and not is_balanced(node):
        node.boost_left_pages = 0
        node.priority = DEF_PRIORITY


@compiled
def end_boosted(node):
    raise_marks(node, -min(node.run_boost_pages, node.boost_pages))
    node.boost_left_pages = 0
