"""kswapd: every row of the state table, one run, and the failure count."""

import numpy as np
import pytest

from reclaim_env.model.constants import ACTIVE, DOZE, INACTIVE, RUN, SLEEP, UNREFERENCED
from tests.model.machines import (
    HOT_PER_S,
    file,
    lists,
    one_file,
    one_run,
    passes_one_by_one,
    plain,
    reader,
    set_flag,
    set_free,
)

BALANCED, UNBALANCED = 5000, 700  # free pages; high is 768


def node_in(phase: np.int64, free: int, failures: int = 0):
    env = plain()
    set_free(env, free)
    env.node[0].kswapd_phase = phase
    env.node[0].kswapd_failures = failures
    env.node[0].doze_left_s = 0.004
    return env


@pytest.mark.parametrize("phase", [SLEEP, DOZE])
@pytest.mark.parametrize(
    ("free", "failures", "wakes"),
    [(UNBALANCED, 0, True), (UNBALANCED, 15, True), (UNBALANCED, 16, False), (BALANCED, 0, False)],
)
def test_a_wake_is_accepted_below_high_unless_kswapd_has_given_up(model, phase, free, failures, wakes):
    env = node_in(phase, free, failures)
    node = env.node[0]
    model.wakeup.wakeup_kswapd(node)
    assert node.kswapd_phase == (RUN if wakes else phase)
    assert node.vmstat.kswapd_low_wmark_hit_quickly == (wakes and phase == DOZE)
    assert node.vmstat.kswapd_high_wmark_hit_quickly == 0


@pytest.mark.parametrize(
    ("free", "failures", "after", "hits"),
    [(UNBALANCED, 0, RUN, 1), (UNBALANCED, 15, RUN, 1), (UNBALANCED, 16, SLEEP, 0), (BALANCED, 0, SLEEP, 0)],
)
def test_a_doze_that_runs_out_ends_in_sleep_unless_there_is_work(model, free, failures, after, hits):
    env = node_in(DOZE, free, failures)
    model.kswapd.end_doze(env.node[0])
    assert env.node[0].kswapd_phase == after
    assert env.node[0].vmstat.kswapd_high_wmark_hit_quickly == hits
    assert env.node[0].vmstat.kswapd_low_wmark_hit_quickly == 0


@pytest.mark.parametrize(
    ("free", "failures", "after", "hits"),
    [(UNBALANCED, 0, RUN, 1), (UNBALANCED, 14, RUN, 1), (UNBALANCED, 15, DOZE, 0), (BALANCED, 0, DOZE, 0)],
)
def test_a_run_that_ends_is_followed_by_the_next_or_by_a_doze(model, free, failures, after, hits):
    env = node_in(RUN, free, failures)
    env.node[0].in_run = 1
    model.kswapd_run.end_run(env, env.node[0], 1.0, False)
    node = env.node[0]
    assert (node.kswapd_phase, node.in_run, node.kswapd_failures) == (after, 0, failures + 1)
    assert node.vmstat.kswapd_high_wmark_hit_quickly == hits
    if after == DOZE:
        assert node.doze_left_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("reclaimed", "was_balanced", "counts"), [(0, False, 1), (1, False, 0), (0, True, 0)]
)
def test_only_a_run_that_reclaimed_nothing_and_found_the_node_short_is_a_failure(
    model, reclaimed, was_balanced, counts
):
    env = node_in(RUN, UNBALANCED)
    env.node[0].run_reclaimed_pages = reclaimed
    model.kswapd_run.end_run(env, env.node[0], 1.0, was_balanced)
    assert env.node[0].kswapd_failures == env.node[0].vmstat.kswapd_fruitless_runs == counts


def test_sixteen_empty_runs_take_as_long_as_their_passes_then_kswapd_dozes_and_sleeps(model):
    env = node_in(RUN, UNBALANCED)
    node = env.node[0]
    run_s = 12 * 21e-6
    model.kswapd.kswapd(env, 0, 14.9 * run_s)
    assert (node.kswapd_phase, node.vmstat.pageoutrun, node.kswapd_failures) == (RUN, 15, 15)
    model.kswapd.kswapd(env, 0, 1.1 * run_s)
    assert (node.kswapd_phase, node.kswapd_failures, node.vmstat.pageoutrun) == (DOZE, 16, 16)
    assert node.vmstat.kswapd_cpu_s == pytest.approx(16 * run_s, abs=run_s / 2)
    model.kswapd.kswapd(env, 0, 0.0985)
    assert node.kswapd_phase == DOZE
    model.kswapd.kswapd(env, 0, 0.002)
    assert node.kswapd_phase == SLEEP
    assert node.vmstat.pageoutrun == 16
    assert node.vmstat.kswapd_high_wmark_hit_quickly == 15


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_what_is_left_of_a_slice_in_which_kswapd_begins_to_doze_is_the_dozes(model, share):
    env = node_in(RUN, UNBALANCED, failures=15)
    node = env.node[0]
    node.kswapd_cpu_share_ratio = share
    run_s, slice_s = 12 * 21e-6 / share, 0.01
    model.kswapd.kswapd(env, 0, slice_s)
    assert node.kswapd_phase == DOZE
    assert node.vmstat.awake_s == pytest.approx(run_s)
    assert node.doze_left_s == pytest.approx(0.1 - (slice_s - run_s))


@pytest.mark.parametrize("phase", [SLEEP, DOZE])
def test_cpu_time_that_was_overdrawn_is_paid_back_asleep(model, phase):
    env = node_in(phase, BALANCED)
    env.node[0].doze_left_s, env.node[0].cpu_carry_s = 0.1, -0.015
    for left_s in (-0.005, 0.0):
        model.kswapd.kswapd(env, 0, 0.01)
        assert env.node[0].cpu_carry_s == pytest.approx(left_s)


def test_a_hopeless_sleeper_runs_again_only_with_a_reset_and_a_wake(model):
    env = node_in(SLEEP, UNBALANCED, failures=16)
    node = env.node[0]
    for _ in range(20):
        model.wakeup.wakeup_kswapd(node)
        model.kswapd.kswapd(env, 0, 0.01)
    assert (node.vmstat.pageoutrun, node.vmstat.kswapd_cpu_s) == (0, 0)
    node.kswapd_failures = 0
    model.kswapd.kswapd(env, 0, 0.01)
    assert node.vmstat.pageoutrun == 0  # clearing the count wakes nobody
    model.wakeup.wakeup_kswapd(node)
    model.kswapd.kswapd(env, 0, 0.01)
    assert node.vmstat.pageoutrun > 0


def test_a_reset_during_the_doze_needs_no_wake(model):
    env = node_in(DOZE, UNBALANCED, failures=16)
    env.node[0].kswapd_failures = 0
    model.kswapd.kswapd(env, 0, 0.005)
    assert env.node[0].kswapd_phase == RUN
    assert env.node[0].vmstat.pageoutrun > 0


def test_a_run_on_a_balanced_node_scans_nothing_and_is_no_failure(model):
    env = one_file(inactive=8000)
    assert one_run(model, env) == []
    node = env.node[0]
    assert (node.kswapd_failures, node.vmstat.pageoutrun, node.vmstat.pgscan_file) == (0, 1, 0)
    assert node.kswapd_phase == DOZE


def test_a_run_stops_between_passes_as_soon_as_the_node_is_balanced(model):
    env = one_file(inactive=8192)
    set_free(env, 766)  # three short of more than 768; passes take 2, then 3
    assert one_run(model, env) == [(12, 2, 2), (11, 3, 3)]
    assert env.node[0].free_pages == 771
    assert env.node[0].kswapd_failures == 0


def test_priority_stays_where_a_pass_examines_high_wmark_pages_and_frees_some(model):
    env = one_file(inactive=16384)
    node = env.node[0]
    set_free(env, 0)
    node.high_wmark_pages = 950
    node.unusable_pages = 1 << 40  # never balanced
    passes = one_run(model, env)
    expected, size, priority = [], 16384, 12
    while priority >= 1:
        scanned = size >> priority
        if scanned:
            expected.append((priority, scanned, scanned))
        size -= scanned
        priority -= scanned < 950
    assert passes == expected
    assert sum(p == 3 for p, _, _ in passes) > 5
    assert node.kswapd_failures == 0


def test_priority_falls_after_a_pass_that_freed_nothing_however_much_it_examined(model):
    env = one_file("mmap", inactive=16384, rate_per_s=HOT_PER_S)
    node = env.node[0]
    set_free(env, 0)
    node.stat_workingset_activate = 1  # deactivation allowed: no cache-trim retry
    passes = one_run(model, env)
    assert [priority for priority, _, _ in passes] == list(range(12, 0, -1))
    assert [scanned for _, scanned, _ in passes] == [16384 >> p for p in range(12, 0, -1)]  # about one lap
    assert (node.kswapd_failures, node.vmstat.pageoutrun) == (1, 1)


# Of pages that are always touched between two looks: evicted, activated and, of active ones, rotated.
FATES = {"read": (1.0, 0.0, 0.0), "mmap": (0.0, 0.0, 0.0), "exec": (0.0, 1.0, 1.0)}


def under_pressure(access: str, inactive: int, active: int = 0):
    """A node far below high whose kswapd knows what becomes of the pages."""
    env = one_file(access, inactive=inactive, active=active, rate_per_s=HOT_PER_S)
    set_free(env, 0)
    env.node[0].high_wmark_pages = 20000
    lruvec = env.lruvec[0]
    lruvec.evicted_ratio, lruvec.activated_ratio, lruvec.rotated_ratio = FATES[access]
    return env


@pytest.mark.parametrize(("inactive", "active", "passes"), [(6000, 9000, 2), (200, 250, 1)])
@pytest.mark.parametrize("access", FATES)
def test_passes_made_as_one_are_what_they_are_one_by_one(model, access, inactive, active, passes):
    found = []
    for merged in (False, True):
        env = under_pressure(access, inactive, active)
        made = one_run(model, env, merged=merged)
        assert len(made) <= passes if merged else len(made) > 6
        vmstat = env.node[0].vmstat
        found.append([vmstat.pgscan_kswapd, vmstat.pgsteal_kswapd, vmstat.pgrefill, vmstat.pageoutrun])
        found[-1] += [vmstat.progress[0], env.node[0].kswapd_failures]
    one_by_one, at_once = np.array(found, float)
    assert at_once[:3] == pytest.approx(one_by_one[:3], rel=0.01, abs=2)
    assert list(at_once[3:]) == list(one_by_one[3:])


def test_passes_made_as_one_meet_what_came_to_a_crowds_lists_once(model):
    """Nothing leaves the lists here, so each pass examines as much of them, shifted, as there is."""
    pages = 4096  # of each member's list, half of them come since the last scan
    files = [file(pages, pages, size=2 * pages)]
    env = plain(cgroup=[{"name": "box", "count": 2}], reader=[reader(cgroup="box", files=files)])
    node, lruvec = env.node[0], env.lruvec[0]
    lruvec.settled_pages[:] = pages
    lruvec.evicted_ratio, lruvec.activated_ratio, lruvec.rotated_ratio = 0.0, 0.0, 1.0
    node.pass_may_deactivate, node.pass_first_priority, node.priority = 1, 6, 2
    expected = 2 * sum(pages >> priority for priority in range(6, 1, -1))
    for found in model.kswapd_pass.pass_targets(node, lruvec, env.memcg[0]):
        assert found == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(("access", "fate"), FATES.items())
def test_kswapd_remembers_what_became_of_the_pages_it_examined(model, access, fate):
    env = one_file(access, inactive=300, active=100 if access == "exec" else 0, rate_per_s=HOT_PER_S)
    env.node[0].stat_workingset_activate = 1  # deactivation allowed: no second try without cache trim
    set_free(env, 0)
    one_run(model, env, merged=True)
    lruvec = env.lruvec[0]
    assert (lruvec.evicted_ratio, lruvec.activated_ratio, lruvec.rotated_ratio) == fate


@pytest.mark.parametrize("pages", [8192, 400])
def test_passes_that_could_balance_the_node_are_made_one_by_one(model, pages):
    env = one_file(inactive=pages)
    set_free(env, 766)  # three short; the passes made as one would free half the list
    one_run(model, env, merged=True)
    assert env.node[0].free_pages <= 772


def test_passes_made_as_one_cost_what_each_of_them_costs(model):
    spent = []
    env = under_pressure("mmap", 6000)
    with passes_one_by_one(model):
        spent.append(sum(model.kswapd.balance_pgdat_step(env, 0, 0.0) for _ in range(11)))
    assert env.node[0].priority == 1
    env = under_pressure("mmap", 6000)
    spent.append(model.kswapd.balance_pgdat_step(env, 0, 0.0))
    assert env.node[0].priority == 1
    assert spent[1] == pytest.approx(spent[0], rel=0.01)


def test_a_fruitless_run_of_trim_passes_is_repeated_once_without_them(model):
    env = one_file("mmap", inactive=16384, rate_per_s=HOT_PER_S)
    set_free(env, 0)
    passes = one_run(model, env)
    priorities = [priority for priority, _, _ in passes]
    assert priorities[:12] == list(range(12, 0, -1))
    assert priorities[12] in (12, 11) and priorities[12:] == list(range(priorities[12], 0, -1))
    assert (env.node[0].kswapd_failures, env.node[0].vmstat.pageoutrun) == (1, 1)


def test_active_pages_are_scanned_only_when_the_inactive_list_is_low_or_refaults_activate(model):
    for inactive, activated, refills in ((8000, 0, False), (8000, 1, True), (3000, 0, True)):
        env = one_file(inactive=inactive, active=4000)
        set_free(env, 0)
        env.node[0].stat_workingset_activate = activated
        one_run(model, env)
        assert (env.node[0].vmstat.pgrefill > 0) == refills
        assert env.node[0].activate_snapshot == activated


def test_kswapd_breaks_neither_min_nor_low(model):
    for protection in ("memory_min_mib", "memory_low_mib"):
        env = one_file(inactive=8000, cgroup=[{"name": "box", protection: 100}])
        set_free(env, 0)
        model.page_counter.mem_cgroup_calculate_protection(env, -1)
        assert one_run(model, env) == []
        assert env.node[0].kswapd_failures == 1
        assert env.node[0].vmstat.pgscan_file == 0


def test_a_protected_list_is_looked_at_as_if_it_had_a_cluster(model):
    for low_mib, first_priority in ((0, 3), (5 / 256, 5)):
        env = one_file(inactive=10, cgroup=[{"name": "box", "memory_low_mib": low_mib}])
        set_free(env, 0)
        model.page_counter.mem_cgroup_calculate_protection(env, -1)
        assert one_run(model, env)[0] == (first_priority, 1, 1)


def test_a_long_pass_is_spread_over_ticks_within_the_cpu_granted(model):
    env = one_file("mmap", inactive=40000)
    set_flag(env, UNREFERENCED)
    set_free(env, 0)
    node = env.node[0]
    node.kswapd_cpu_share_ratio = 0.5
    node.high_wmark_pages = 10**6
    node.kswapd_phase = RUN
    env.lruvec[0].evicted_ratio = 1.0  # kswapd knows what a page costs
    chunk_s = 2e-3
    for tick in range(1, 11):
        env.time_s = tick * 0.002
        model.kswapd.kswapd(env, 0, 0.002)
        granted_s = tick * 0.001
        assert node.vmstat.kswapd_cpu_s <= granted_s + chunk_s
        assert node.vmstat.kswapd_cpu_s >= granted_s - 1e-6
    assert node.vmstat.awake_s == pytest.approx(0.02)
    assert 0 < lists(env)[0] < 40000
    assert env.node[0].list_pages[INACTIVE] + env.node[0].list_pages[ACTIVE] == sum(lists(env))
