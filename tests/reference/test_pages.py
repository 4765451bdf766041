"""The fate of single pages, and the rounding of scans, by hand."""

import pytest

from reclaim_env.reference.balance import inactive_is_low, scan_size
from reclaim_env.reference.lists import add_head, unlink
from reclaim_env.reference.names import ACTIVE, INACTIVE, KSWAPD, ROOT
from reclaim_env.reference.shrink import shrink_active, shrink_inactive

from .machines import audit, one_file, walk

BOX = 1  # the cgroup's row, and on one node its lruvec


def test_a_list_keeps_its_pages_and_their_order():
    m = one_file(inactive=5)
    order = walk(m, BOX, INACTIVE)
    unlink(m, order[2])
    add_head(m, order[2], BOX, INACTIVE)
    assert walk(m, BOX, INACTIVE) == [order[2], order[0], order[1], order[3], order[4]]
    audit(m)


@pytest.mark.parametrize(
    ("pages", "priority", "size"), [(100, 12, 0), (4095, 12, 0), (4096, 12, 1), (1, 1, 0)]
)
def test_each_list_is_shifted_for_itself(pages, priority, size):
    m = one_file(inactive=pages)
    assert scan_size(m, 0, BOX, INACTIVE, priority, False, False) == (size, False)


def test_low_keeps_its_part_of_a_list_out_of_the_scan():
    m = one_file(inactive=1000)
    m.memcg[BOX]["elow_pages"] = 500
    assert scan_size(m, 0, BOX, INACTIVE, 0, False, False) == (1000 - 1000 * 500 // 1001, True)
    assert scan_size(m, 0, BOX, INACTIVE, 0, False, True) == (1000, False)
    m.memcg[BOX]["elow_pages"] = 999  # to no less than 32 pages before the shift
    assert scan_size(m, 0, BOX, INACTIVE, 0, False, False) == (32, True)


@pytest.mark.parametrize(
    ("access", "young", "referenced", "fate"),
    [
        ("read", 0, 1, "evicted"),
        ("mmap", 0, 1, "evicted"),
        ("mmap", 1, 0, "kept"),
        ("mmap", 1, 1, "activated"),
        ("exec", 1, 0, "activated"),
        ("exec", 0, 0, "evicted"),
    ],
)
def test_fate_of_an_examined_inactive_page(access, young, referenced, fate):
    m = one_file(access, inactive=1)
    p = walk(m, BOX, INACTIVE)[0]
    m.page["young"][p], m.page["referenced"][p] = young, referenced
    scanned, reclaimed, _ = shrink_inactive(m, 0, BOX, INACTIVE, 32, KSWAPD, ROOT, 0.0)
    assert (scanned, reclaimed) == (1, int(fate == "evicted"))
    assert walk(m, BOX, ACTIVE) == ([p] if fate == "activated" else [])
    assert walk(m, BOX, INACTIVE) == ([p] if fate == "kept" else [])
    assert m.node[0]["pgscan_kswapd"] == 1
    audit(m)


def test_a_page_under_read_is_put_back():
    m = one_file("read", inactive=1)
    m.page["ready_s"] = 1.0
    assert shrink_inactive(m, 0, BOX, INACTIVE, 32, KSWAPD, ROOT, 0.0)[:2] == (1, 0)


def test_an_eviction_leaves_the_evictors_clock_as_shadow():
    m = one_file("read", inactive=2)
    m.lruvec[0]["nonresident_age"] = 7
    last = walk(m, BOX, INACTIVE)[-1]
    shrink_inactive(m, 0, BOX, INACTIVE, 2, KSWAPD, ROOT, 0.0)
    assert (m.page["shadow"][last], m.page["shadow_age"][last]) == (0, 7)
    assert m.lruvec["nonresident_age"].tolist() == [9, 0]  # the root's, as it is the root that reclaims


@pytest.mark.parametrize(("access", "lst"), [("exec", ACTIVE), ("mmap", INACTIVE), ("read", INACTIVE)])
def test_only_young_executable_pages_stay_active(access, lst):
    m = one_file(access, active=3)
    shrink_active(m, 0, BOX, ACTIVE, 32, KSWAPD, 0.0)
    assert len(walk(m, BOX, lst)) == 3
    assert m.node[0]["pgrefill"] == 3
    audit(m)


@pytest.mark.parametrize(("gib", "ratio"), [(0.5, 1), (1, 3), (10, 10), (100, 31), (128, 35)])
def test_inactive_ratio_by_size(gib, ratio):
    total = int(gib * 262_144)
    inactive = total // (ratio + 1)
    assert not inactive_is_low(inactive + 1, total - inactive - 1)
    assert inactive_is_low(inactive - 1, total - inactive + 1)
