"""Anonymous pages out to swap and back."""

import math

import pytest

from reclaim_env.model.constants import ACTIVE, FRESH, INACTIVE, KSWAPD, MEMCG_HIGH
from tests.model.audit_anon import anon_adds_up
from tests.model.machines import (
    HOT_PER_S,
    cold,
    file,
    heat_lists,
    reader,
    set_free,
    swapping,
)

ANON_ROW = 1  # of one node and one cgroup: its file lists come first
NOW_S = 1.0
SLICE_S = 0.01


def scan(model, env, pages: int, reason=KSWAPD):
    return model.vmscan.shrink_inactive_list(env, ANON_ROW, pages, reason, NOW_S)


def test_untouched_pages_get_a_slot_each_and_their_frames_are_free(model):
    env = swapping(1000)
    free, usage = int(env.node[0].free_pages), int(env.memcg[0].usage_pages)
    assert scan(model, env, 100)[:2] == (100, 100)
    assert (env.node[0].free_pages, env.memcg[0].usage_pages) == (free + 100, usage - 100)
    assert env.swap.used_pages == env.workload[0].swapped_pages == env.memcg[0].swap_pages == 100
    assert env.workload[0].anon_pages[0] == 900 and heat_lists(env) == (900, 0)
    vmstat = env.node[0].vmstat
    assert (vmstat.pswpout, vmstat.pgscan_anon, vmstat.pgsteal_anon, vmstat.pgsteal_kswapd) == (100,) * 4
    assert vmstat.pgscan_file == 0
    anon_adds_up(env)


def test_touched_pages_stay_on_the_first_look_and_are_activated_on_the_second(model):
    env = swapping(1000)
    env.class_[0].on_rate_per_s = HOT_PER_S
    env.lruvec[ANON_ROW].inserted_s[:] = 0.0
    assert scan(model, env, 1000)[:2] == (1000, 0)
    assert heat_lists(env) == (1000, 0)
    env.time_s = 2.0
    model.vmscan.shrink_inactive_list(env, ANON_ROW, 1000, KSWAPD, 2.0)
    assert heat_lists(env) == (0, 1000)


def test_pages_that_find_no_slot_are_activated(model):
    env = swapping(1000, slots=30)
    assert scan(model, env, 100)[:2] == (100, 30)
    assert heat_lists(env) == (900, 70)
    assert env.node[0].vmstat.pgactivate == 70
    anon_adds_up(env)


def test_what_is_kept_and_what_finds_no_slot_are_different_pages(model):
    env = swapping(1000, slots=30)
    env.class_[0].on_rate_per_s = math.log(2.0)
    env.lruvec[ANON_ROW].inserted_s[:] = 0.0  # a second ago: half of the pages are young
    assert scan(model, env, 400)[1] == 30
    inactive, active = heat_lists(env)
    assert 0 < active < 300 and inactive + active == 970
    anon_adds_up(env)


def test_swap_max_bounds_what_a_cgroup_swaps(model):
    env = swapping(1000, cgroup=[{"name": "box", "memory_swap_max_mib": 0.0625}])
    assert scan(model, env, 100)[1] == 16
    anon_adds_up(env)


def test_limit_reclaim_counts_by_type_only_and_leaves_its_shadows_with_the_cgroup(model):
    env = swapping(1000)
    scan(model, env, 50, MEMCG_HIGH)
    vmstat = env.node[0].vmstat
    assert (vmstat.pgsteal_anon, vmstat.pgsteal_kswapd + vmstat.pgsteal_direct) == (50, 0)
    assert env.set_[0].shadow_pages.sum(axis=1).tolist() == [0, 50]


def test_compressed_swap_keeps_its_part_of_the_memory_and_costs_cpu(model):
    env = swapping(1000, swap={"pool_ratio": 0.3, "page_cpu_us": 3.0})
    node = env.node[0]
    free, kernel = int(node.free_pages), int(node.kernel_pages)
    _, _, cost_s = scan(model, env, 100)
    assert (node.free_pages, node.kernel_pages, node.pool_pages) == (free + 70, kernel + 30, 30)
    assert cost_s == pytest.approx(100 * (0.25e-6 + 0.6e-6 + 0.7e-6 + 3e-6))
    anon_adds_up(env)


def test_reclaimers_sleep_behind_a_tenth_of_a_second_of_writes(model):
    env = swapping(4000, swap={"bandwidth_mib_per_s": 10})  # 390.625 us a page: 256 pages in 100 ms
    env.time_s = NOW_S
    _, _, first_s = scan(model, env, 256)
    assert first_s < 1e-3 and env.write_wait_s == pytest.approx(0.0, abs=1e-9)
    _, _, second_s = scan(model, env, 64)
    assert second_s == pytest.approx(64 / 2560, rel=0.02)
    assert env.write_wait_s == pytest.approx(64 / 2560)
    # Later in the slice the device has written some.
    env.write_wait_s = 0.0
    model.vmscan.shrink_inactive_list(env, ANON_ROW, 64, KSWAPD, NOW_S + 0.04)
    assert env.write_wait_s == pytest.approx(128 / 2560 - 0.04)


def test_waiting_for_writes_is_no_cpu_time_of_kswapd(model):
    env = swapping(30000, swap={"bandwidth_mib_per_s": 4}, rule="always")
    env.time_s = 0.0
    set_free(env, 100)
    env.node[0].kswapd_phase = 1
    for tick in range(30):
        env.time_s = tick * SLICE_S
        model.kswapd.kswapd(env, 0, SLICE_S)
        model.device.serve(env.swap_device, SLICE_S)
    written_s = env.node[0].vmstat.pswpout / 1024
    assert written_s > 0.35  # the queue at its bound, and what was written meanwhile
    assert env.node[0].vmstat.kswapd_cpu_s < 0.05
    assert env.node[0].vmstat.awake_s > 0.25


# Back ------------------------------------------------------------------------------------------------------


def swapped_out(model, pages: int = 1000, out: int = 400, **tables):
    env = swapping(pages, **tables)
    scan(model, env, out)
    return env


def use(model, env, slice_s: float = SLICE_S, budget_s: float = 1.0) -> float:
    return model.swap_in.use_memory(env, 0, slice_s, budget_s)


def test_what_is_touched_in_swap_is_read_back_waited_for_and_counted(model):
    env = swapped_out(model, rate_per_s=HOT_PER_S)
    waited_s = use(model, env)
    wait_s = 50e-6 + 1e-5  # latency, and the request itself
    assert waited_s == pytest.approx(400 * wait_s, rel=1e-6)
    vmstat = env.node[0].vmstat
    counted = (vmstat.pswpin, vmstat.workingset_refault_anon, vmstat.pgmajfault, vmstat.pgpgin)
    assert counted == (400, 400, 400, 1600)
    assert vmstat.refault_wait_s == env.workload[0].refault_wait_s == waited_s
    assert (env.swap.used_pages, env.class_[0].absent_pages, env.workload[0].anon_pages[0]) == (0, 0, 1000)
    assert env.swap_device.submitted_s == pytest.approx(400 * 1e-5 + 400 / 256000)  # reads and earlier writes
    anon_adds_up(env)


def test_silent_and_untouched_pages_stay_in_swap(model):
    env = swapped_out(model, rate_per_s=0.0)
    assert use(model, env) == 0.0
    env = swapped_out(model, rate_per_s=HOT_PER_S)
    env.class_[0].on = 0
    assert use(model, env) == 0.0
    assert env.node[0].vmstat.pswpin == 0


def test_a_touch_rate_brings_back_its_share(model):
    env = swapped_out(model, pages=20000, out=10000, rate_per_s=10.0)
    use(model, env)
    expected = 10000 * -math.expm1(-0.1)
    assert env.node[0].vmstat.pswpin == pytest.approx(expected, abs=5 * math.sqrt(expected))


def test_threads_that_are_too_few_for_their_misses_slow_everything_down(model):
    env = swapped_out(model, rate_per_s=HOT_PER_S)
    waited_s = use(model, env, budget_s=0.006)
    assert env.node[0].vmstat.pswpin == pytest.approx(100, abs=1)
    assert waited_s == pytest.approx(0.006, rel=0.02)
    assert env.class_[0].rate_per_s == pytest.approx(HOT_PER_S / 4, rel=0.02)


@pytest.mark.parametrize("recent", [True, False])
def test_a_recent_refault_comes_back_active_and_costs_its_type_an_io(model, recent):
    env = swapped_out(model, out=100, rate_per_s=HOT_PER_S)
    env.node[0].stat_list_pages[:] = 0
    env.node[0].stat_anon_list_pages[ACTIVE] = 100 if recent else 99
    env.node[0].anon_cost = env.node[0].file_cost = 0.0
    use(model, env)
    assert heat_lists(env) == ((900, 100) if recent else (1000, 0))
    assert env.node[0].vmstat.workingset_activate_anon == env.node[0].workingset_activate_anon == 100 * recent
    assert (env.node[0].anon_cost > 0) == recent
    assert env.set_[0].cells[ACTIVE if recent else INACTIVE, FRESH].sum() == pytest.approx(100)


@pytest.mark.parametrize(("slots", "of_file", "of_anon"), [(1000, 30 + 5 + 7, 30 + 20 + 5), (0, 30, 30 + 20)])
def test_a_refault_distance_is_held_against_what_the_page_could_displace(model, slots, of_file, of_anon):
    env = swapping(1000, slots=1024, reader=[reader(cgroup="box", files=[file(10)])])
    env.swap.used_pages = 1024 - slots
    env.node[0].stat_list_pages[:] = (20, 30)
    env.node[0].stat_anon_list_pages[:] = (7, 5)
    pages = [model.workingset.workingset_pages(env, env.set_[i], 0) for i in (0, 1)]
    assert pages == [of_file, of_anon]


def test_readahead_brings_neighbours_that_nobody_has_touched(model):
    env = swapped_out(model, out=1000, rate_per_s=0.05, swap={"readahead_pages": 8})
    use(model, env, slice_s=1.0)
    vmstat = env.node[0].vmstat
    assert vmstat.pswpin > 3 * vmstat.pgmajfault > 0
    fresh = env.set_[0].cells[:, FRESH].sum()
    assert fresh <= vmstat.pgmajfault + 1e-6 or heat_lists(env)[1] > 0


# Growth, exit ----------------------------------------------------------------------------------------------


def test_new_pages_keep_the_shares_of_the_heats_and_enter_young_at_the_inactive_head(model):
    two = [{"share": 1, "touch_per_s": 5}, {"share": 3, "touch_per_s": 0}]
    task = {"name": "job", "cgroup": "box", "cpu_node": 0, "initial_mib": [4], "heat": two, "threads": 4}
    env = swapping(anon=[task])
    assert [int(env.class_[c].pages) for c in (0, 1)] == [256, 768]
    for _ in range(10):
        model.anon.touch(env, 0, 64, 1.0)
    assert [int(env.class_[c].pages) for c in (0, 1)] == [416, 1248]
    assert heat_lists(env, heat=1) == (1248, 0)
    for _ in range(40):
        model.anon.touch(env, 0, 2, 1.0)
    assert [int(env.class_[c].pages) for c in (0, 1)] == pytest.approx([436, 1308], abs=1)
    anon_adds_up(env)


def test_an_exit_frees_frames_and_slots_alike(model):
    env = swapped_out(model, 1000, 400)
    env.workload[0].dying = 1
    model.anon.run_anon(env, 0, 50 * env.cost.anon_free_s)
    assert env.workload[0].swapped_pages + env.workload[0].anon_pages[0] == 950
    assert env.workload[0].swapped_pages == pytest.approx(380, abs=1)
    anon_adds_up(env)
    model.anon.run_anon(env, 0, 1.0)
    assert env.workload[0].dying == env.swap.used_pages == env.node[0].anon_list_pages.sum() == 0
    anon_adds_up(env)


def test_the_oom_killer_counts_pages_in_swap(model):
    small = {"name": "small", "cpu_node": 0, "initial_mib": [3], "heat": [{"touch_per_s": 0}]}
    large = {**small, "name": "large", "initial_mib": [2]}
    env = swapping(anon=[small, large])
    env.workload[1].swapped_pages = 512
    assert model.oom_kill.kill_victim(env, -1, -1)
    assert [int(env.workload[w].dying) for w in (0, 1)] == [0, 1]


def test_churned_pages_are_freed_before_they_reach_a_list(model):
    env = swapping(1000)
    env.workload[0].churn_pages_per_s = 256 / SLICE_S
    free = int(env.node[0].free_pages)
    model.anon.run_anon(env, 0, SLICE_S)
    assert heat_lists(env) == (1000, 0) and env.node[0].free_pages == free
    assert env.node[0].vmstat.pgalloc_normal == 256


# Both types ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swappiness", [0, 60, 200])
def test_direct_reclaim_takes_from_both_types_by_swappiness(model, swappiness):
    tables = {"reader": [reader(cgroup="box", files=[file(20000, 10000)])], "swappiness": swappiness}
    env = swapping(20000, **tables)
    cold(env, 0)
    env.node[0].stat_workingset_activate = 1  # files refault: no trimming
    reclaimed, _, _ = model.reclaim.try_to_free_pages(env, 0, 1, 1, NOW_S)
    files, anon = int(env.node[0].vmstat.pgsteal_file), int(env.node[0].vmstat.pgsteal_anon)
    assert reclaimed == files + anon >= 32
    assert (anon == 0) == (swappiness == 0) and (files == 0) == (swappiness == 200)
    assert swappiness != 60 or 1.5 * anon < files


def test_kswapd_with_swap_makes_progress_where_files_are_gone(model):
    env = swapping(50000, rule="always")
    set_free(env, 300)
    env.node[0].kswapd_phase = 1
    model.kswapd.kswapd(env, 0, 0.1)
    assert env.node[0].vmstat.pswpout > 400
    assert env.node[0].vmstat.kswapd_fruitless_runs == 0
    without = swapping(50000, rule="always")
    without.swap.on = 0
    set_free(without, 300)
    without.node[0].kswapd_phase = 1
    model.kswapd.kswapd(without, 0, 0.1)
    assert without.node[0].vmstat.pgscan_anon == 0
    assert without.node[0].vmstat.kswapd_fruitless_runs == 16
