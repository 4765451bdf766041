"""The reference's lower tier: what moves there, down to which mark, who is woken, what its switch resets."""

import pytest

from reclaim_env.reference.allocate import should_retry
from reclaim_env.reference.boot import boot
from reclaim_env.reference.demote import switch_demotion
from reclaim_env.reference.names import (
    ACTIVE_ANON,
    GLOBAL_DIRECT,
    INACTIVE,
    INACTIVE_ANON,
    KSWAPD,
    ROOT,
    RUN,
    SLEEP,
)
from reclaim_env.reference.records import Machine
from reclaim_env.reference.shrink import shrink_inactive

from .machines import PAGES_PER_MIB, audit, scenario, walk

HERE, BELOW = 0, 1  # lruvecs of the one cgroup


def two_tiers(above_mark: int = 1000, mark: str = "min", kernel: str = "7.0", **tables) -> Machine:
    """A hundred cold pages of a process and of a file on node 0; node 1 has so many frees above a mark."""
    pages = [100 / PAGES_PER_MIB, 0]
    task = {"name": "hog", "cpu_node": 0, "initial_mib": pages, "heat": [{"touch_per_s": 0}]}
    idle = {"name": "reader", "cpu_node": 0, "start_s": 1e4, "ops_per_s": 1}
    m = boot(
        scenario(
            node=[{"total_mib": 256, "demotes_to": 1}, {"total_mib": 256}],
            anon=[task],
            reader=[{**idle, "file": [{"mib": 1, "inactive_mib": pages}]}],
            **tables,
        ),
        kernel=kernel,
    )
    m.page["young"] = 0
    lower = m.node[1]
    taken = lower["free_pages"] - lower[f"{mark}_pages"] - above_mark
    lower["free_pages"] -= taken
    lower["kernel_pages"] += taken
    return m


def scanned(m: Machine, lst, nr: int = 32, reason=KSWAPD):
    return shrink_inactive(m, 0, HERE, lst, nr, reason, ROOT, 0.0)[:2]


@pytest.mark.parametrize("lst", [INACTIVE, INACTIVE_ANON])
def test_what_reclaim_would_free_moves_below_and_counts_as_reclaimed(lst):
    m = two_tiers()
    before = int(m.node[0]["free_pages"])
    assert scanned(m, lst) == (32, 32)
    assert len(walk(m, BELOW, lst)) == 32
    assert m.node[0]["free_pages"] == before + 32
    assert (m.node[0]["pgdemote_kswapd"], m.node[0]["pgsteal_kswapd"]) == (32, 32)
    assert m.lruvec["cost"].tolist() == [[0, 0]] * 2  # no write
    audit(m)


def test_a_moved_page_leaves_no_shadow_and_stays_its_cgroups():
    m = two_tiers()
    usage = int(m.memcg[ROOT]["usage_pages"])
    scanned(m, INACTIVE, reason=GLOBAL_DIRECT)
    assert (m.page["shadow"] == -1).all()
    assert (m.memcg[ROOT]["usage_pages"], m.node[0]["pgdemote_direct"]) == (usage, 32)


@pytest.mark.parametrize(("above_low", "phase"), [(32, SLEEP), (31, RUN)])
def test_below_its_low_mark_the_lower_nodes_kswapd_is_woken(above_low, phase):
    m = two_tiers(above_low, "low")
    assert scanned(m, INACTIVE) == (32, 32)
    assert m.node[1]["phase"] == phase


def test_what_finds_no_room_above_the_lower_nodes_min_is_reclaimed_as_usual():
    m = two_tiers(above_mark=10)
    assert scanned(m, INACTIVE) == (32, 32)
    assert (m.node[0]["pgdemote_kswapd"], len(walk(m, BELOW, INACTIVE))) == (10, 10)
    assert scanned(m, INACTIVE_ANON) == (32, 0)  # no swap either
    assert len(walk(m, HERE, ACTIVE_ANON)) == 32
    audit(m)


def test_anonymous_memory_counts_as_reclaimable_while_it_can_move():
    m = two_tiers(demotion_enabled=False)
    m.node[0]["free_pages"] = m.node[0]["min_pages"] - 150
    for on in (True, False):
        switch_demotion(m, on)
        m.thread[0]["no_progress"] = 0
        assert should_retry(m, m.thread[0], 1) == on  # a hundred file pages alone are too few


@pytest.mark.parametrize(("kernel", "failures"), [("6.12", 16), ("6.18", 0), ("7.0", 0)])
def test_demotion_switched_on_clears_every_count_from_6_18_on(kernel, failures):
    m = two_tiers(kernel=kernel, demotion_enabled=False)
    m.node["kswapd_failures"] = 16
    switch_demotion(m, True)
    assert m.node["kswapd_failures"].tolist() == [failures] * 2
    m.node["kswapd_failures"] = 16
    switch_demotion(m, True)  # as it was
    assert m.node["kswapd_failures"].tolist() == [16] * 2
