"""Watermarks against the kernel's arithmetic: the worked examples and a live host, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim_env.model.wmark_setup import calculate_min_free_kib
from reclaim_env.units import mib_from_pages, pages_from_mib
from reclaim_env.watermarks import Watermarks, boot_min_free_kib, setup_per_zone_wmarks

GIB_128 = pages_from_mib(131_072)
SEED = (pages_from_mib(128_222), pages_from_mib(127_984))
GIB_IN_KIB = 1024 * 1024


@pytest.mark.parametrize(
    ("node_pages", "thp", "min_free_kib"),
    [
        ((GIB_128,), False, 46_340),
        ((GIB_128,), True, 67_584),
        ((GIB_128,) * 2, False, 65_536),
        ((GIB_128,) * 2, True, 90_112),
        ((GIB_128,) * 4, True, 135_168),
        (SEED, True, 90_112),
        ((65_536,), False, 2048),
    ],
)
def test_min_free_is_that_of_the_worked_examples(node_pages, thp, min_free_kib):
    assert boot_min_free_kib(node_pages, thp) == min_free_kib


def test_huge_pages_claim_at_most_a_twentieth_of_memory():
    assert boot_min_free_kib((65_536,), thp=True) == 65_536 // 20 * 4


def test_min_free_is_clamped():
    assert calculate_min_free_kib(1) == 128
    assert calculate_min_free_kib(2**40) == 262_144


@pytest.mark.parametrize(
    ("node_pages", "min_free_kib", "scale_factor", "wanted_mib"),
    [
        ((GIB_128,), 46_340, 10, [(45, 176, 307, 438)]),
        ((GIB_128,), 67_584, 10, [(66, 197, 328, 459)]),
        ((GIB_128,) * 2, 65_536, 10, [(32, 163, 294, 425)] * 2),
        ((GIB_128,) * 2, 90_112, 10, [(44, 175, 306, 437)] * 2),
        ((GIB_128,) * 4, 135_168, 10, [(33, 164, 295, 426)] * 4),
        (SEED, 90_112, 10, [(44, 172, 300, 429), (44, 172, 300, 428)]),
        (SEED, 90_112, 50, [(44, 685, 1326, 1967), (44, 684, 1324, 1964)]),
        (SEED, 90_112, 100, [(44, 1326, 2608, 3891), (44, 1324, 2604, 3883)]),
        (SEED, 90_112, 150, [(44, 1967, 3891, 5814), (44, 1964, 3883, 5803)]),
        (SEED, 2 * GIB_IN_KIB, 10, [(1025, 1281, 1537, 1794), (1023, 1279, 1535, 1790)]),
        (SEED, GIB_IN_KIB, 50, [(512, 1154, 1795, 2436), (512, 1151, 1791, 2431)]),
    ],
)
def test_watermarks_are_those_of_the_worked_examples(node_pages, min_free_kib, scale_factor, wanted_mib):
    found = setup_per_zone_wmarks(node_pages, min_free_kib, scale_factor)
    assert [tuple(round(mib_from_pages(mark)) for mark in zone) for zone in found] == wanted_mib


def test_toy_node_is_exact_to_the_page():
    assert setup_per_zone_wmarks((65_536,), 2048, 10) == (Watermarks(512, 640, 768, 896),)


def test_live_host_is_exact_to_the_page():
    """The Normal zone of a host with other zones: 13142 of its 16896 pages of min are this zone's."""
    lowmem_pages = 2_719_744 * 16_896 // 13_142
    (normal, _) = setup_per_zone_wmarks((2_719_744, lowmem_pages - 2_719_744), 67_584, 10)
    assert normal == Watermarks(13_142, 16_427, 19_712, 22_997)


@given(
    st.lists(st.integers(65_536, 2**40), min_size=1, max_size=8),
    st.integers(128, 2**32),
    st.integers(1, 3000),
)
def test_watermarks_rise_evenly_and_min_never_exceeds_min_free(node_pages, min_free_kib, scale_factor):
    zones = setup_per_zone_wmarks(node_pages, min_free_kib, scale_factor)
    assert 0 <= min_free_kib // 4 - sum(zone.min_pages for zone in zones) < len(zones)
    for zone, pages in zip(zones, node_pages, strict=True):
        gap_pages = zone.low_pages - zone.min_pages
        assert gap_pages == max(zone.min_pages // 4, pages * scale_factor // 10_000)
        assert zone.high_pages - zone.low_pages == zone.promo_pages - zone.high_pages == gap_pages
