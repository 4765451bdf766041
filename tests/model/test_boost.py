"""Watermark boost: how it grows, what a run with a boost does, and what its failure counts."""

import pytest

from reclaim_env.model.constants import DOZE, RUN, SLEEP, UNREFERENCED
from tests.model.machines import file, machine, mib, one_file, one_run, plain, reader, set_flag, set_free
from tests.model.plain import as_records

MARKS = ("min", "low", "high", "promo")
BALANCED, UNBALANCED = 5000, 700  # free pages; high is 768
BLOCK = 512


def marks(env) -> list[int]:
    return [int(env.node[0][f"{name}_wmark_pages"]) for name in MARKS]


def boosted(env, pages: int = BLOCK):
    """The same machine with a boost, balanced or not as it was."""
    env.node[0].boost_pages = pages
    for name in MARKS:
        env.node[0][f"{name}_wmark_pages"] += pages
    return env


def test_a_steal_raises_every_mark_by_a_block_up_to_one_and_a_half_times_high(model):
    env = plain()
    before = marks(env)
    grown = []
    for _ in range(4):
        model.boost.boost_watermark(env, env.node[0])
        grown.append(int(env.node[0].boost_pages))
    assert grown == [512, 1024, 1152, 1152]  # high is 768
    assert marks(env) == [mark + 1152 for mark in before]


@pytest.mark.parametrize(("factor", "most"), [(0, 0), (5000, 512), (30_000, 2304)])
def test_the_factor_caps_a_boost_at_a_share_of_high_or_a_block_and_zero_forbids_it(model, factor, most):
    env = plain(watermark_boost_factor=factor)
    for _ in range(10):
        model.boost.boost_watermark(env, env.node[0])
    assert env.node[0].boost_pages == most


@pytest.mark.parametrize(
    ("boost_pages", "failures", "wakes"),
    [(0, 0, False), (BLOCK, 0, True), (BLOCK, 15, True), (BLOCK, 16, False)],
)
def test_a_boost_wakes_the_kswapd_of_a_balanced_node_unless_it_has_given_up(
    model, boost_pages, failures, wakes
):
    env = boosted(plain(), boost_pages)
    set_free(env, BALANCED)
    env.node[0].kswapd_failures = failures
    model.wakeup.wakeup_kswapd(env.node[0])
    assert env.node[0].kswapd_phase == (RUN if wakes else SLEEP)


def test_balanced_means_above_high_and_the_boost(model):
    env = boosted(plain())
    set_free(env, 768 + BLOCK)
    assert not model.watermark.pgdat_balanced(env.node[0])
    set_free(env, 768 + BLOCK + 1)
    assert model.watermark.pgdat_balanced(env.node[0])


def test_a_boosted_run_scans_no_harder_than_priority_10_and_ends_when_the_boost_is_reclaimed(model):
    env = one_file(inactive=56_000)
    set_flag(env, UNREFERENCED)
    set_free(boosted(env, 128), BALANCED)
    passes = one_run(model, env)
    assert [priority for priority, _, _ in passes] == [12, 11, 10, 10]
    assert [reclaimed for _, _, reclaimed in passes] == [13, 27, 54, 54]
    assert marks(env) == [512, 640, 768, 896]
    assert (env.node[0].kswapd_phase, env.node[0].kswapd_failures) == (DOZE, 0)


@pytest.mark.parametrize(("kernel", "failures"), [("6.12", 1), ("6.18", 1), ("6.19", 0), ("7.0", 0)])
def test_a_boosted_run_stops_at_the_first_fruitless_pass_a_failure_until_6_18(model, kernel, failures):
    env = boosted(protected(model, kernel))
    set_free(env, BALANCED)
    assert one_run(model, env) == []
    assert env.node[0].priority == 12
    vmstat = env.node[0].vmstat
    assert vmstat.kswapd_fruitless_runs == vmstat.boosted_fruitless_runs == 1
    assert (env.node[0].kswapd_failures, env.node[0].kswapd_phase) == (failures, DOZE)
    assert env.node[0].boost_pages == 0


@pytest.mark.parametrize(("kernel", "failures"), [("6.18", 1), ("6.19", 0)])
def test_below_high_the_boost_is_forgotten_and_the_run_goes_down_to_priority_1(model, kernel, failures):
    env = boosted(protected(model, kernel))
    set_free(env, UNBALANCED)
    assert one_run(model, env) == []
    assert env.node[0].priority == 0
    assert env.node[0].kswapd_failures == failures  # begun with a boost, whatever it did after


def protected(model, kernel: str):
    """4000 cold pages that kswapd may not look at."""
    box = {"name": "box", "memory_low_mib": 20}
    env = plain(kernel=kernel, cgroup=[box], reader=[reader(cgroup="box", files=[file(4000)])])
    model.page_counter.mem_cgroup_calculate_protection(env, -1)
    return env


def test_a_boost_added_during_a_run_stays_for_the_next(model):
    env = boosted(plain())
    set_free(env, BALANCED)
    model.kswapd_run.begin_run(env.node[0])
    model.boost.boost_watermark(env, env.node[0])
    model.kswapd_run.end_run(env, env.node[0], 1.0, False)
    assert env.node[0].boost_pages == BLOCK


def test_a_balanced_node_without_a_boost_is_not_scanned(model):
    env = one_file(inactive=56_000)
    set_free(env, BALANCED)
    assert one_run(model, env) == []
    assert env.node[0].kswapd_failures == 0


def test_an_atomic_allocation_does_not_see_the_boost(model):
    burst = {"name": "net", "cpu_node": 0, "burst_kib": 400, "every_ms": 1000, "hold_ms": 50}
    env = boosted(plain(atomic=[burst]), 1000)
    set_free(env, 400)
    model.anon.alloc_atomic(env, env.workload[0], env.node[0])
    assert env.node[0].free_pages == 300  # 3/8 of min is 192


def test_blocks_are_stolen_at_the_scenarios_rate_and_at_the_same_moments_under_every_rule(model):
    boosts = {}
    for rule in ("always", "never"):
        machines = machine(rule, node=[{"total_mib": 256, "boosts_per_s": 100}])
        model.tick.start_episode(as_records(machines)[0])
        boosts[rule] = [0]
        for _ in range(100):
            model.tick.step_rows(as_records(machines), 1)
            boosts[rule].append(int(machines["node"]["vmstat"]["boosts"][0, 0]))
    assert boosts["always"] == boosts["never"]
    assert 60 < boosts["always"][-1] < 140


def test_a_block_stolen_within_a_tick_is_reclaimed_by_the_run_that_follows(model):
    env = one_file(inactive=56_000, node=[{"total_mib": 256, "boosts_per_s": 20}])
    set_free(env, BALANCED)
    model.tick.start_episode(env)
    env.time_s = 0.0
    env.node[0].next_boost_s = 0.9 * env.tick_s
    model.tick.tick(env)
    assert (env.node[0].vmstat.boosts, env.node[0].vmstat.pageoutrun) == (1, 1)


def test_tasks_meet_no_boost_that_kswapd_reclaims_within_the_slice(model):
    stream = {"name": "log", "cgroup": "", "cpu_node": 0, "mib_per_s": 40}
    node = {"total_mib": 256, "boosts_per_s": 20}
    machines = machine("always", node=[node], stream=[{**stream, "inactive_mib": [mib(56_000)]}])
    env = as_records(machines)[0]
    set_free(env, 1000)  # high is 768: with a block more, low is above it
    model.tick.start_episode(env)
    model.tick.step_rows(as_records(machines), 100)
    assert env.node[0].vmstat.boosts > 5
    assert env.node[0].vmstat.allocstall == 0
