"""Watermark boost: marks raised for a while where blocks are being mixed up (mm/page_alloc.c, mm/vmscan.c).

An allocation that steals from a block of another migrate type adds to the boost of the zone and wakes kswapd
though the node is balanced. Every read of a watermark adds the boost, so the marks of the record hold it.
When such allocations come is not of the model: they are events at a rate given by the scenario.
"""

from reclaim_env.model import rng
from reclaim_env.model.access import draw_exponential
from reclaim_env.model.constants import DEF_PRIORITY, PAGEBLOCK_PAGES
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import pgdat_balanced

# A run with a boost to reclaim scans no harder than this.
LOWEST_BOOSTED_PRIORITY = DEF_PRIORITY - 2


@inlined
def begin_boosts(env):
    """Each node's first event, as later ones, comes after an exponential time."""
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        if pgdat.boosts_per_s > 0.0:
            pgdat.next_boost_s = draw_exponential(env, rng.BOOSTS, nid, 0, 1.0 / pgdat.boosts_per_s)


@inlined
def steal_blocks(env, until_s):
    """The events up to then; no decision can influence when they come."""
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        while pgdat.boosts_per_s > 0.0 and pgdat.next_boost_s <= until_s:
            pgdat.vmstat.boosts += 1
            boost_watermark(env, pgdat)
            wakeup_kswapd(pgdat)
            pgdat.next_boost_s += draw_exponential(
                env, rng.BOOSTS, nid, pgdat.vmstat.boosts, 1.0 / pgdat.boosts_per_s
            )


@kernel
def set_boost(pgdat, boost_pages):
    """The boost of the zone, and its marks with it."""
    raised = boost_pages - pgdat.boost_pages
    pgdat.boost_pages = boost_pages
    pgdat.min_wmark_pages += raised
    pgdat.low_wmark_pages += raised
    pgdat.high_wmark_pages += raised
    pgdat.promo_wmark_pages += raised


@inlined
def boost_watermark(env, pgdat):
    """A block more, up to a share of the high watermark as it is without a boost, a block at least."""
    if env.watermark_boost_factor == 0 or pgdat.managed_pages < 4 * PAGEBLOCK_PAGES:
        return
    high = pgdat.high_wmark_pages - pgdat.boost_pages
    most = max(high * env.watermark_boost_factor // 10_000, PAGEBLOCK_PAGES)
    set_boost(pgdat, min(pgdat.boost_pages + PAGEBLOCK_PAGES, most))


@inlined
def begin_boosted_run(pgdat):
    """The boost that a run finds at its start: reclaimed first, subtracted at the end."""
    pgdat.run_boost_pages = pgdat.boost_pages
    pgdat.boost_left_pages = pgdat.boost_pages


@inlined
def forget_boost_below_high(pgdat):
    """A node that is not balanced (any more) is reclaimed in earnest, from the first priority."""
    if pgdat.boost_left_pages > 0 and not pgdat_balanced(pgdat):
        pgdat.boost_left_pages = 0
        pgdat.priority = DEF_PRIORITY


@inlined
def end_boosted_run(pgdat):
    """Subtracts the boost the run began with; what was added meanwhile stays."""
    if pgdat.run_boost_pages > 0:
        set_boost(pgdat, pgdat.boost_pages - min(pgdat.run_boost_pages, pgdat.boost_pages))
        pgdat.boost_left_pages = 0
