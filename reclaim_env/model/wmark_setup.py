"""The integer arithmetic of the watermarks, each division floored where mm/ floors it.

Plain functions that call none of each other: at boot reclaim_env/watermarks.py calls them as they are, and
memory_hotplug.py compiles them.
"""

import math

from reclaim_env.model.constants import (
    KIB_PER_PAGE,
    MIN_FREE_KIB_CEILING,
    MIN_FREE_KIB_FLOOR,
    THP_MIN_FREE_PAGES_PER_ZONE,
)


def calculate_min_free_kib(lowmem_pages):
    """mm/page_alloc.c:calculate_min_free_kbytes(), before a user or khugepaged raises it.

    The root of a whole number below 2**52 is floored right: it is not rounded up to the next one.
    """
    root = int(math.sqrt(16.0 * KIB_PER_PAGE * lowmem_pages))
    return min(max(root, MIN_FREE_KIB_FLOOR), MIN_FREE_KIB_CEILING)


def recommended_min_free_kib(lowmem_pages, nr_zones):
    """mm/khugepaged.c:set_recommended_min_free_kbytes(): room against fragmentation for huge pages."""
    return min(THP_MIN_FREE_PAGES_PER_ZONE * nr_zones, lowmem_pages // 20) * KIB_PER_PAGE


def zone_wmarks(managed_pages, lowmem_pages, min_free_kib, watermark_scale_factor):
    """mm/page_alloc.c:__setup_per_zone_wmarks() for one Normal zone: (min, low, high, promo) in pages."""
    min_pages = min_free_kib // KIB_PER_PAGE * managed_pages // lowmem_pages
    gap_pages = max(min_pages // 4, managed_pages * watermark_scale_factor // 10_000)
    return min_pages, min_pages + gap_pages, min_pages + 2 * gap_pages, min_pages + 3 * gap_pages
