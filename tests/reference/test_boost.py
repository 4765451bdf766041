"""Watermark boosts of the reference: how far marks rise, which runs they begin, what their failure counts."""

import pytest

from reclaim_env.reference.boost import begin_boosted, end_boosted, raise_marks, steal_block
from reclaim_env.reference.kswapd import kswapd_step
from reclaim_env.reference.names import DOZE, KSWAPD_STEP, RUN, SLEEP
from reclaim_env.reference.queue import take_first
from reclaim_env.reference.zone import start_kswapd

from .machines import one_file

BLOCK = 512


def stolen(m, times: int):
    m.steal.resize(times, refcheck=False)
    for i in range(times):
        steal_block(m, i)
    return m.node[0]


def boosted_run(kernel: str, inactive: int, unusable: int = 0):
    """One run of kswapd from a boost to its end."""
    m = one_file(inactive=inactive, kernel=kernel)
    node = m.node[0]
    raise_marks(node, BLOCK)
    node["unusable_pages"] += unusable
    start_kswapd(m, 0)
    while node["phase"] == RUN and node["pageoutrun"] < 2:
        m.system[0]["time_s"], kind, _ = take_first(m)
        assert kind == KSWAPD_STEP
        kswapd_step(m, 0)
    return node


@pytest.mark.parametrize(("factor", "most"), [(15_000, 1152), (5_000, 512), (0, 0)])
def test_a_block_a_steal_up_to_a_share_of_high(factor, most):
    m = one_file(watermark_boost_factor=factor)
    high = int(m.node[0]["high_pages"])
    assert high == 768
    node = stolen(m, 5)
    assert node["boost_pages"] == most
    assert node["high_pages"] == high + most


@pytest.mark.parametrize(("failures", "phase"), [(0, RUN), (16, SLEEP)])
def test_a_boost_wakes_the_kswapd_of_a_balanced_node_unless_it_has_given_up(failures, phase):
    m = one_file()
    m.node[0]["kswapd_failures"] = failures
    assert stolen(m, 1)["phase"] == phase


@pytest.mark.parametrize(("kernel", "failures"), [("6.12", 1), ("6.18", 1), ("6.19", 0), ("7.0", 0)])
def test_a_boosted_run_makes_one_gentle_pass_and_from_6_19_on_counts_no_failure(kernel, failures):
    node = boosted_run(kernel, inactive=500)  # none of them at priority 12
    assert (node["pageoutrun"], node["pgscan_kswapd"], node["phase"]) == (1, 0, DOZE)
    assert (node["kswapd_fruitless_runs"], node["kswapd_failures"]) == (1, failures)
    assert node["boost_pages"] == 0


def test_a_boost_is_reclaimed_at_priority_ten_at_the_lowest():
    node = boosted_run("7.0", inactive=6000)
    assert node["pgsteal_kswapd"] >= BLOCK
    assert node["priority"] == 10


def test_a_node_below_its_mark_forgets_the_boost_and_reclaims_in_earnest():
    plain = one_file(inactive=500).node[0]
    node = boosted_run("7.0", inactive=500, unusable=int(plain["free_pages"] - plain["high_pages"]))
    assert node["pgsteal_kswapd"] > 300  # priority 10 would find none of 500


def test_what_is_added_during_a_run_outlives_it():
    m = one_file()
    node = m.node[0]
    raise_marks(node, BLOCK)
    begin_boosted(node)
    raise_marks(node, BLOCK)
    end_boosted(node)
    assert node["boost_pages"] == BLOCK
