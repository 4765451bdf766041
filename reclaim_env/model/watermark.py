"""The watermark test (mm/page_alloc.c) and what it means for a node (mm/vmscan.c)."""

from reclaim_env.model.kernel import inlined


@inlined
def zone_watermark_ok(pgdat, mark_pages):
    """__zone_watermark_ok() at order 0: strict, and free pages users may not take do not count.

    Left out: lowmem_reserve (a single Normal zone has none), higher orders.
    """
    return pgdat.free_pages - pgdat.unusable_pages > mark_pages


@inlined
def pgdat_balanced(pgdat):
    """mm/vmscan.c: one managed zone, so the node is balanced when that zone passes its high watermark."""
    return zone_watermark_ok(pgdat, pgdat.high_wmark_pages)


@inlined
def pages_above(pgdat, mark_pages):
    """How many pages may be taken before the zone fails `mark_pages`."""
    return max(pgdat.free_pages - pgdat.unusable_pages - mark_pages, 0)
