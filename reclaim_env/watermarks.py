"""Watermarks at boot, in the kernel's integer arithmetic: each division floors where mm/ floors."""

from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple

from reclaim_env.model.constants import (
    MIN_FREE_KIB_CEILING,
    MIN_FREE_KIB_FLOOR,
    THP_MIN_FREE_PAGES_PER_ZONE,
)
from reclaim_env.units import KIB_PER_PAGE

DMA_ZONES = 2  # DMA and DMA32, both on node 0


class Watermarks(NamedTuple):
    """Of one Normal zone, in pages."""

    min_pages: int
    low_pages: int
    high_pages: int
    promo_pages: int


def calculate_min_free_kib(lowmem_pages: int) -> int:
    """mm/page_alloc.c:calculate_min_free_kbytes(), before a user or khugepaged raises it."""
    lowmem_kib = lowmem_pages * KIB_PER_PAGE
    return min(max(isqrt(16 * lowmem_kib), MIN_FREE_KIB_FLOOR), MIN_FREE_KIB_CEILING)


def recommended_min_free_kib(lowmem_pages: int, nr_zones: int) -> int:
    """mm/khugepaged.c:set_recommended_min_free_kbytes(): room against fragmentation for huge pages."""
    return min(THP_MIN_FREE_PAGES_PER_ZONE * nr_zones, lowmem_pages // 20) * KIB_PER_PAGE


def boot_min_free_kib(node_pages: Sequence[int], thp: bool) -> int:
    """vm.min_free_kbytes of a machine nobody tuned; node_pages: managed pages of each node."""
    lowmem_pages = sum(node_pages)
    min_free_kib = calculate_min_free_kib(lowmem_pages)
    if not thp:
        return min_free_kib
    return max(min_free_kib, recommended_min_free_kib(lowmem_pages, len(node_pages) + DMA_ZONES))


def setup_per_zone_wmarks(
    node_pages: Sequence[int], min_free_kib: int, watermark_scale_factor: int
) -> tuple[Watermarks, ...]:
    """mm/page_alloc.c:__setup_per_zone_wmarks() with one Normal zone per node and no boost."""
    min_free_pages = min_free_kib // KIB_PER_PAGE
    lowmem_pages = sum(node_pages)
    return tuple(
        _zone_wmarks(pages, min_free_pages * pages // lowmem_pages, watermark_scale_factor)
        for pages in node_pages
    )


def _zone_wmarks(managed_pages: int, min_pages: int, watermark_scale_factor: int) -> Watermarks:
    gap_pages = max(min_pages // 4, managed_pages * watermark_scale_factor // 10_000)
    return Watermarks(*(min_pages + step * gap_pages for step in range(4)))
