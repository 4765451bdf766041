"""Scenario files speak MiB, the model pages."""

from reclaim_env.model.constants import KIB_PER_PAGE, PAGE_BYTES

PAGES_PER_MIB = 1024 * 1024 // PAGE_BYTES


def pages_from_mib(mib: float) -> int:
    """Whole pages, to the nearest. Identical cgroups take this times their count."""
    return round(mib * PAGES_PER_MIB)


def mib_from_pages(pages: float) -> float:
    return pages / PAGES_PER_MIB


def pages_from_kib(kib: float) -> int:
    return int(kib // KIB_PER_PAGE)
