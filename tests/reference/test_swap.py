"""Anonymous pages of the reference where there is swap: what is scanned, who gets a slot, what comes back."""

from typing import Any

import numpy as np
import pytest

from reclaim_env.reference.anon import free_some, swap_in
from reclaim_env.reference.balance import balance_of, get_scan_count, prepare_scan_control, stop_smaller
from reclaim_env.reference.boot import boot, run
from reclaim_env.reference.direct import descend
from reclaim_env.reference.names import (
    ACTIVE_ANON,
    ALL_NODES,
    ANON_TYPE,
    BY_COST,
    EQUAL,
    FILE,
    GLOBAL_DIRECT,
    INACTIVE,
    INACTIVE_ANON,
    KSWAPD,
    ONLY_ANON,
    ONLY_FILE,
    ROOT,
)
from reclaim_env.reference.records import Machine
from reclaim_env.reference.shrink import age_anon, shrink_inactive
from reclaim_env.reference.workingset import flush_statistics, lru_note_cost, workingset_pages

from .machines import PAGES_PER_MIB, audit, scenario, walk

BOX = 1
NVME = {"latency_us": 80, "bandwidth_mib_per_s": 2000, "iops_per_s": 400_000}


def swapping(slots: int = 1000, inactive: int = 100, files: int = 0, **fields: Any) -> Machine:
    """A process of so many inactive pages that nobody touches, in a cgroup with files."""
    heat = {"touch_per_s": 0, "active_ratio": 0}
    task = {"name": "hog", "cgroup": "box", "cpu_node": 0, "initial_mib": [inactive / PAGES_PER_MIB]}
    tables: dict[str, Any] = {
        "swap": {"mib": slots / PAGES_PER_MIB, **NVME, **fields.pop("swap", {})},
        "cgroup": [{"name": "box", **fields.pop("cgroup", {})}],
        "anon": [{**task, **fields.pop("task", {}), "heat": fields.pop("heat", [heat])}],
    }
    if files:
        file = {"mib": files / PAGES_PER_MIB, "inactive_mib": [files / PAGES_PER_MIB]}
        idle = {"name": "reader", "cgroup": "box", "cpu_node": 0, "start_s": 1e4, "ops_per_s": 1}
        tables["reader"] = [{**idle, "file": [file]}]
    return boot(scenario(**tables, **fields))


def all_cold(m: Machine) -> Machine:
    m.page["young"] = 0
    return m


def scanned(m: Machine, nr: int):
    return shrink_inactive(m, 0, BOX, INACTIVE_ANON, nr, KSWAPD, ROOT, 0.0)


def balance(m: Machine, priority: int, target: int | np.int64 = ROOT) -> int:
    sc = m.control[0]
    prepare_scan_control(m, sc, 0, target, priority, False, False, True)
    return balance_of(m, sc, 0, BOX, target)


def test_untouched_pages_get_a_slot_each_while_there_are_any_and_are_activated_after():
    m = all_cold(swapping(slots=20))
    assert scanned(m, 32)[:2] == (32, 20)
    assert (m.node[0]["pswpout"], m.system[0]["swap_used_pages"]) == (20, 20)
    assert len(walk(m, BOX, ACTIVE_ANON)) == 12
    audit(m)


def test_a_cgroup_gets_no_more_slots_than_its_own_limit():
    m = all_cold(swapping(cgroup={"memory_swap_max_mib": 5 / PAGES_PER_MIB}))
    assert scanned(m, 32)[:2] == (32, 5)
    audit(m)


def test_a_young_page_stays_and_goes_active_at_the_second_look():
    m = swapping(inactive=1)
    assert scanned(m, 1)[:2] == (1, 0)
    assert m.page["referenced"][walk(m, BOX, INACTIVE_ANON)[0]] == 1
    m.page["young"] = 1
    scanned(m, 1)
    assert len(walk(m, BOX, ACTIVE_ANON)) == 1


def test_compressed_pages_keep_their_part_of_the_nodes_memory():
    m = all_cold(swapping(swap={"pool_ratio": 0.33}))
    before = int(m.node[0]["free_pages"])
    scanned(m, 32)
    assert (m.node[0]["pool_pages"], m.node[0]["free_pages"]) == (11, before + 21)
    free_some(m, 0, 100)
    assert m.node[0]["pool_pages"] == 0
    audit(m)


def test_who_reclaims_sleeps_behind_more_than_a_tenth_of_a_second_of_writes():
    m = all_cold(swapping(swap={"bandwidth_mib_per_s": 10 / PAGES_PER_MIB}))  # ten pages a second
    assert m.system[0]["write_wait_s"] == 0
    scanned(m, 1)
    assert m.system[0]["write_wait_s"] == 0
    scanned(m, 1)
    assert m.system[0]["write_wait_s"] == pytest.approx(0.1, abs=1e-4)


def test_the_first_answer_that_fits_says_what_is_scanned():
    m = swapping(inactive=3000, files=3000)
    assert balance(m, 12) == BY_COST  # lists too short at this priority to have any spare
    assert balance(m, 5) == ONLY_FILE  # cold files in plenty
    assert balance(m, 0) == EQUAL
    m.node[0]["high_pages"] = m.node[0]["managed_pages"]
    assert balance(m, 5) == ONLY_ANON  # all files together would not do
    assert balance(m, 5, BOX) == ONLY_FILE  # a limit does not ask about the node
    m.system[0]["swappiness"] = 0
    assert balance(m, 0, BOX) == ONLY_FILE
    m.system[0]["swap_used_pages"] = m.system[0]["swap_pages"]
    assert balance(m, 5) == ONLY_FILE


@pytest.mark.parametrize(
    ("swappiness", "costs", "weights"),  # floored, as the kernel divides
    [
        (60, (0, 0), (60, 140)),
        (60, (0, 100), (89, 417)),
        (60, (100, 0), (178, 209)),
        (200, (0, 9), (200, 0)),
    ],
)
def test_types_are_scanned_by_swappiness_and_against_what_they_cost(swappiness, costs, weights):
    m = swapping(inactive=4000, files=4000, swappiness=swappiness)
    m.lruvec[ROOT]["cost"] = costs  # of files, of anonymous memory
    sc = m.control[0]
    prepare_scan_control(m, sc, 0, ROOT, 2, True, False, True)
    get_scan_count(m, sc, 0, BOX, ROOT, False)
    assert sc["to_scan"][INACTIVE_ANON] == 1000 * weights[0] // sum(weights)
    assert sc["to_scan"][INACTIVE] == 1000 * weights[1] // sum(weights)


def test_with_enough_reclaimed_the_smaller_type_stops_and_the_other_goes_as_far():
    m = swapping()
    sc = m.control[0]
    sc["target_pages"], sc["to_scan"] = (1000, 0, 100, 0), (936, 0, 36, 0)
    assert stop_smaller(sc)
    assert sc["to_scan"].tolist() == [650 - 64, 0, 0, 0]  # 35 of 101 were left of the other
    assert not stop_smaller(sc)


def test_costs_rise_by_32_a_write_and_fade_beyond_a_quarter_of_the_lists():
    m = all_cold(swapping(inactive=1000))
    scanned(m, 4)
    assert [row["cost"].tolist() for row in m.lruvec[:2]] == [[0, 4 * 32]] * 2
    lru_note_cost(m, 0, BOX, FILE, 4, 0)
    assert m.lruvec[ROOT]["cost"].tolist() == [64, 64]


def test_a_few_pages_are_deactivated_where_the_inactive_list_is_low():
    m = swapping(inactive=100, heat=[{"touch_per_s": 0, "active_ratio": 0.6}])
    age_anon(m, 0, BOX, KSWAPD, 0.0)
    assert len(walk(m, BOX, ACTIVE_ANON)) == 60 - 32
    age_anon(m, 0, BOX, KSWAPD, 0.0)
    assert len(walk(m, BOX, ACTIVE_ANON)) == 0  # by the statistics as last flushed
    flush_statistics(m)
    assert age_anon(m, 0, BOX, KSWAPD, 0.0) == 0.0


def test_a_refault_is_held_against_both_types():
    m = swapping(inactive=100, files=30, heat=[{"touch_per_s": 0, "active_ratio": 0.2}])
    assert workingset_pages(m, 0, ANON_TYPE) == 30 + 20
    assert workingset_pages(m, 0, FILE) == 100
    m.system[0]["swap_on"] = 0
    assert (workingset_pages(m, 0, ANON_TYPE), workingset_pages(m, 0, FILE)) == (30, 0)


def test_a_recent_page_comes_back_active_and_frees_its_slot():
    m = all_cold(swapping(heat=[{"touch_per_s": 1, "active_ratio": 0.5}]))
    scanned(m, 10)
    queued_s = 10 / (2000 * PAGES_PER_MIB)
    assert swap_in(m, 0, 0) == (True, pytest.approx(queued_s + 80e-6 + 1 / 400_000, rel=0.02))
    assert (m.node[0]["pswpin"], m.node[0]["workingset_activate_anon"]) == (1, 1)
    assert (m.system[0]["swap_used_pages"], m.instance[0]["nr_waiting"]) == (9, 1)
    audit(m)


def test_direct_reclaim_takes_both_types_and_is_progress():
    m = all_cold(swapping(inactive=1000, files=1000))
    m.lruvec["stat_activated"] = 1  # refaults: no cache is trimmed
    descend(m, 0, ALL_NODES, ROOT, 32, GLOBAL_DIRECT, False, False, False)
    assert m.node[0]["pgsteal_anon"] > 0 and m.node[0]["pgsteal_file"] > 0
    assert m.node[0]["progress"][GLOBAL_DIRECT] > 0
    audit(m)


@pytest.mark.slow
def test_what_is_touched_in_swap_is_read_back_at_its_rate():
    task = {"name": "hog", "cgroup": "box", "cpu_node": 0, "initial_mib": [4], "threads": 8}
    m = all_cold(swapping(slots=2000, task=task, heat=[{"touch_per_s": 1.0}]))
    scanned(m, 1000)
    run(m, 0.5)
    assert m.node[0]["pswpin"] == pytest.approx(1000 * (1 - np.exp(-0.5)), abs=60)  # four standard errors
    audit(m)


@pytest.mark.slow
def test_threads_that_all_wait_touch_nothing_meanwhile():
    slow = {"latency_us": 10_000, "iops_per_s": 1e6}
    task = {"name": "hog", "cgroup": "box", "cpu_node": 0, "initial_mib": [4], "threads": 2}
    m = all_cold(swapping(slots=2000, swap=slow, task=task, heat=[{"touch_per_s": 1000.0}]))
    scanned(m, 1000)
    run(m, 0.5)
    assert m.node[0]["pswpin"] == pytest.approx(2 * 50, abs=5)


def crowded() -> Machine:
    """Cgroups with limits of slots, heats that fall silent, a stream, swap that comes late, a kill."""
    heats = [{"touch_per_s": rate, "active_ratio": 0.5, "on_s": 0.4, "off_s": 0.2} for rate in (0.2, 20, 0)]
    size = [[0, 20], [1, 60], [2, 10], [3, 70]]
    task = {"cpu_node": 0, "initial_mib": [20], "schedule": size, "threads": 4, "heat": heats}
    return boot(
        scenario(
            node=[{"total_mib": 256, "kernel_mib": 190}],
            swap={"mib": 20, "on": False, "readahead_pages": 8, "page_cpu_us": 2, "pool_ratio": 0.4, **NVME},
            event=[{"at_s": 0.5, "kind": "swapon"}],
            cgroup=[
                {"name": "top", "memory_swap_max_mib": 15},
                {"name": "box", "parent": "top", "count": 2, "memory_high_mib": 25, "memory_swap_max_mib": 9},
                {"name": "free"},
            ],
            anon=[{**task, "name": "in", "cgroup": "box"}, {**task, "name": "out", "churn_mib_per_s": 20}],
            reader=[
                {"name": "web", "cgroup": "free", "cpu_node": 0, "ops_per_s": 3000, "file": [{"mib": 10}]}
            ],
            stream=[{"name": "log", "cpu_node": 0, "mib_per_s": 30}],
        ),
        seed=4,
    )


@pytest.mark.slow
def test_pages_slots_and_charges_are_conserved_in_a_crowded_machine():
    m = crowded()
    for until_s in np.arange(0.25, 3.51, 0.25):
        run(m, float(until_s))
        audit(m)
        if until_s < 0.5:
            assert m.node[0]["pgscan_anon"] == 0
    assert m.node[0]["pswpin"] > 100 and m.node[0]["oom_kill"] > 0
