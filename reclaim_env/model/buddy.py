"""Taking and giving back free pages (mm/page_alloc.c), and the reset that lies on the free path."""

from reclaim_env.model.constants import FREE_PATH
from reclaim_env.model.kernel import kernel
from reclaim_env.model.reset_rule import kswapd_clear_hopeless, kswapd_test_hopeless
from reclaim_env.model.watermark import zone_watermark_ok


@kernel
def rmqueue(pgdat, nr_pages):
    """Takes pages off the free list. Left out: per-CPU lists, migrate types (but for their boost)."""
    pgdat.free_pages -= nr_pages
    pgdat.vmstat.pgalloc_normal += nr_pages
    if not zone_watermark_ok(pgdat, pgdat.high_wmark_pages):
        pgdat.below_high = 1


@kernel
def free_pages(env, nid, nr_pages):
    """Gives pages back. From 6.18 a node that climbs above high here is no longer hopeless, if a node
    with a larger id exists (free_frozen_page_commit(): next_memory_node())."""
    pgdat = env.node[nid]
    pgdat.free_pages += nr_pages
    pgdat.vmstat.pgfree += nr_pages
    if pgdat.below_high and zone_watermark_ok(pgdat, pgdat.high_wmark_pages):
        pgdat.below_high = 0
        if env.free_path_reset and kswapd_test_hopeless(pgdat) and nid + 1 < env.nr_nodes:
            kswapd_clear_hopeless(env, pgdat, FREE_PATH)
