"""Watermarks at boot, by the model's integer arithmetic (reclaim_env/model/wmark_setup.py)."""

from collections.abc import Sequence
from typing import NamedTuple

from reclaim_env.model.constants import DMA_ZONES
from reclaim_env.model.wmark_setup import calculate_min_free_kib, recommended_min_free_kib, zone_wmarks


class Watermarks(NamedTuple):
    """Of one Normal zone, in pages."""

    min_pages: int
    low_pages: int
    high_pages: int
    promo_pages: int


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
    lowmem_pages = sum(node_pages)
    return tuple(
        Watermarks(*zone_wmarks(pages, lowmem_pages, min_free_kib, watermark_scale_factor))
        for pages in node_pages
    )
