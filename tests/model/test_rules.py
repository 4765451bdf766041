"""The rules that ask more than whose progress it was: signals, other counts, probes, a retry without low."""

import pytest

from reclaim_env.model.constants import (
    FREE_PATH,
    GLOBAL_DIRECT,
    KSWAPD,
    MEMCG_HIGH,
    MEMCG_MAX,
    OTHER,
    PROACTIVE,
    RUN,
    SLEEP,
)
from reclaim_env.reset_rules import KERNEL_RULES, RULES, rule_of
from tests.model.machines import one_file, one_run, plain, set_free

ANY = (KSWAPD, GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE)
FILE = 4096  # pages on the machine's one list
# Ratios to the deficit: file pages below 0.7 of it, between, and above 1.02; 0: the node is balanced
SMALL, MIDDLE, LARGE, BALANCED = 0.5, 0.8, 1.1, 0.0
CHEAP, AFFORDABLE, DEAR = 0.0, 0.1, 1.0  # refaults per page reclaimed; break-even is 0.0102 here
NONE, POOR, GOOD = None, 0.4, 0.6  # direct reclaim's efficiency

# Rule -> (file / deficit, refaults / steals, direct efficiency) -> does progress by anyone reset?
SIGNALS = {
    "refault_gated": {
        (SMALL, CHEAP, NONE): True,
        (LARGE, DEAR, GOOD): False,
        (BALANCED, DEAR, GOOD): False,
        (BALANCED, AFFORDABLE, NONE): True,
    },
    "aware": {
        (SMALL, CHEAP, NONE): False,
        (SMALL, CHEAP, POOR): False,
        (SMALL, CHEAP, GOOD): True,
        (MIDDLE, CHEAP, NONE): True,
        (MIDDLE, AFFORDABLE, NONE): True,
        (LARGE, DEAR, GOOD): False,
        (BALANCED, CHEAP, NONE): True,
        (BALANCED, DEAR, NONE): False,
    },
    "price": {
        (SMALL, CHEAP, NONE): False,
        (LARGE, CHEAP, NONE): False,
        (SMALL, CHEAP, POOR): False,
        (SMALL, CHEAP, GOOD): True,
        (SMALL, AFFORDABLE, GOOD): False,
        (BALANCED, CHEAP, NONE): True,
        (BALANCED, AFFORDABLE, NONE): False,
    },
    "gap": {
        (SMALL, CHEAP, GOOD): False,
        (MIDDLE, CHEAP, GOOD): False,
        (LARGE, CHEAP, NONE): True,
        (LARGE, AFFORDABLE, GOOD): False,
        (BALANCED, CHEAP, NONE): True,
        (BALANCED, DEAR, NONE): False,
    },
    "gap_stall": {
        (MIDDLE, CHEAP, GOOD): False,
        (LARGE, CHEAP, NONE): False,
        (LARGE, CHEAP, POOR): True,
        (LARGE, AFFORDABLE, GOOD): False,
        (BALANCED, CHEAP, NONE): False,
        (BALANCED, CHEAP, GOOD): True,
    },
}
# What resets where kswapd has given up; the rest of these rules is in what they count and when they probe.
BASED_ON = {
    "threshold": "always",
    "decrement": "always",
    "partial": "always",
    "never_gives_up": "always",
    "retry_low": "always",
    "always_timer": "always",
    "timer": "never",
    "balanced_timer": "balanced",
    "backoff": "balanced",
    "allocated": "always",
    "allocated_free": "always",
}


def gap(env, file_per_deficit: float) -> None:
    """Sets the watermarks and free memory so that the file pages are so many times the deficit."""
    node = env.node[0]
    missing = round(FILE / file_per_deficit) if file_per_deficit else -1
    node.high_wmark_pages = 40_000
    set_free(env, node.high_wmark_pages + node.unusable_pages - missing)


def seen(env, refaults_per_steal: float, efficiency: float | None) -> None:
    """Sets the running means: 1000 pages reclaimed a second, of them so many refaulted."""
    node = env.node[0]
    node.steal_2s_per_s = node.steal_20s_per_s = 1000.0
    node.refault_2s_per_s = node.refault_20s_per_s = 1000.0 * refaults_per_steal
    if efficiency is not None:
        node.direct_scan_2s_per_s, node.direct_steal_2s_per_s = 100.0, 100.0 * efficiency


@pytest.mark.parametrize("rule", SIGNALS)
def test_truth_table_of_the_signals(model, rule):
    for (file_per_deficit, refaults, efficiency), resets in SIGNALS[rule].items():
        for reason in ANY:
            env = one_file(inactive=FILE, rule=rule)
            gap(env, file_per_deficit)
            seen(env, refaults, efficiency)
            env.node[0].kswapd_failures = 16
            model.reset_rule.kswapd_try_clear_hopeless(env, 0, reason, 1)
            assert env.node[0].vmstat.revivals[reason] == resets, (file_per_deficit, refaults, efficiency)
        assert not model.reset_rule.rule_allows(env, env.node[0], 0, FREE_PATH)


@pytest.mark.parametrize("rule", BASED_ON)
def test_whose_progress_resets_under_the_other_rules(rule):
    masks = ("always", "balanced", "coin", "signalled")
    ours, base = RULES[rule], RULES[BASED_ON[rule]]
    assert [getattr(ours, mask) for mask in masks] == [getattr(base, mask) for mask in masks]


def test_every_rule_has_a_truth_table():
    assert set(RULES) == {*KERNEL_RULES, *SIGNALS, *BASED_ON}


def test_protected_file_pages_close_no_gap(model):
    for low_mib, resets in ((0, True), (8, False)):
        env = one_file(inactive=FILE, rule="gap", cgroup=[{"name": "box", "memory_low_mib": low_mib}])
        model.page_counter.mem_cgroup_calculate_protection(env, -1)
        gap(env, LARGE)
        seen(env, CHEAP, NONE)
        assert model.reset_rule.rule_allows(env, env.node[0], 0, KSWAPD) == resets


def test_refaults_must_be_cheap_over_both_windows(model):
    for window in ("2s", "20s"):
        env = one_file(inactive=FILE, rule="gap")
        gap(env, LARGE)
        seen(env, CHEAP, NONE)
        env.node[0][f"refault_{window}_per_s"] = 500.0
        assert not model.reset_rule.rule_allows(env, env.node[0], 0, KSWAPD)


def test_break_even_is_a_calls_part_in_reads(model):
    env = one_file(inactive=FILE)
    # 5 us to enter, 20 us a pass, 1 us for the one cgroup; 80 us a read
    assert model.reset_signal.break_even_ratio(env) == pytest.approx(26 / 32 / 80)
    env.device.latency_s *= 10
    assert model.reset_signal.break_even_ratio(env) == pytest.approx(26 / 32 / 800)


def test_direct_reclaims_means_are_kept_where_a_rule_reads_them_and_only_there(model):
    for rule, kept in (("price", True), ("balanced", False)):
        env = one_file(inactive=FILE, rule=rule)
        env.node[0].vmstat.pgscan_direct, env.node[0].vmstat.pgsteal_direct = 1000, 600
        model.account.account(env)
        first = env.node[0].direct_scan_2s_per_s
        assert first == (pytest.approx(1000 / 2, rel=0.01) if kept else 0)
        assert env.node[0].direct_steal_2s_per_s == pytest.approx(0.6 * first)
        model.account.account(env)
        assert (env.node[0].direct_scan_2s_per_s < first) == kept


# What is counted


def short(rule: str, failures: int = 0):
    """A node without a reclaimable page, below low."""
    env = plain(rule)
    set_free(env, 600)
    env.node[0].kswapd_failures = failures
    return env


@pytest.mark.parametrize("rule", ["threshold?runs=1", "threshold", "always", "balanced?runs=64"])
def test_kswapd_gives_up_at_the_rules_number_of_fruitless_runs(model, rule):
    env = short(rule)
    node, limit = env.node[0], rule_of(rule).runs
    node.kswapd_phase = RUN
    model.kswapd.kswapd(env, 0, 1.0)
    assert node.kswapd_phase != RUN
    assert node.kswapd_failures == node.vmstat.kswapd_fruitless_runs == limit
    assert node.hopeless_since_s == node.first_hopeless_s >= 0
    assert model.reset_rule.kswapd_test_hopeless(node)


def test_under_never_gives_up_kswapd_runs_as_long_as_there_is_time(model):
    env = short("never_gives_up")
    env.node[0].kswapd_phase = RUN
    model.kswapd.kswapd(env, 0, 0.1)
    assert env.node[0].kswapd_phase == RUN
    assert env.node[0].vmstat.kswapd_fruitless_runs > 100


@pytest.mark.parametrize("rule", ["always", "threshold", "balanced?runs=64", "never_gives_up"])
def test_a_node_that_starts_hopeless_is_so_under_any_number_of_runs(model, rule):
    env = plain(rule, hopeless=[{"node": 0}])
    assert model.reset_rule.kswapd_test_hopeless(env.node[0])
    if rule != "balanced?runs=64":
        model.reset_rule.kswapd_try_clear_hopeless(env, 0, KSWAPD, 1)
        assert env.node[0].kswapd_failures == 0


@pytest.mark.parametrize(
    ("rule", "failures", "events", "left"),
    [
        ("always", 16, 1, 0),
        ("decrement", 16, 1, 15),
        ("decrement", 3, 2, 1),
        ("decrement", 2, 9, 0),
        ("decrement?step=5", 16, 2, 6),
        ("partial", 16, 1, 8),
        ("partial", 8, 1, 8),
        ("partial", 5, 3, 5),
        ("partial?left=15", 16, 4, 15),
    ],
)
def test_what_a_reset_leaves_of_the_count(model, rule, failures, events, left):
    env = short(rule, failures)
    env.node[0].hopeless_since_s = 0.5 if failures == 16 else -1.0
    model.reset_rule.kswapd_try_clear_hopeless(env, 0, MEMCG_HIGH, events)
    node = env.node[0]
    assert node.kswapd_failures == left
    assert (node.vmstat.resets[MEMCG_HIGH] > 0) == (left < failures)
    assert node.vmstat.revivals[MEMCG_HIGH] == (failures == 16)
    assert node.hopeless_since_s == -1.0


def test_a_rule_that_only_clears_has_no_clock_no_other_count_and_no_retry():
    others = {name for name, rule in RULES.items() if not rule.only_clears}
    timers = {"always_timer", "timer", "balanced_timer", "backoff", "allocated", "allocated_free"}
    assert others == timers | {"threshold", "decrement", "partial", "never_gives_up", "retry_low"}


def test_retry_low_takes_from_a_protected_cgroup_before_a_run_counts_as_failed(model):
    for rule, protection, reclaims in (
        ("always", "memory_low_mib", False),
        ("retry_low", "memory_low_mib", True),
        ("retry_low", "memory_min_mib", False),
    ):
        env = one_file(inactive=8000, cgroup=[{"name": "box", protection: 100}], rule=rule)
        set_free(env, 0)
        model.page_counter.mem_cgroup_calculate_protection(env, -1)
        one_run(model, env)
        assert (env.node[0].vmstat.pgsteal_kswapd > 0) == reclaims
        assert env.node[0].kswapd_failures == (0 if reclaims else 1)
        assert env.node[0].vmstat.pageoutrun == 1


# Probes


@pytest.mark.parametrize("rule", ["timer", "always_timer", "balanced_timer", "timer?wait_s=2.5", "balanced"])
def test_a_timer_revives_and_wakes_after_its_wait_and_not_before(model, rule):
    env = short(rule, failures=15)
    node, wait_s = env.node[0], rule_of(rule).wait_s
    model.kswapd_run.count_failure(env, node, 100.0)
    node.kswapd_phase = SLEEP
    for time_s in (100.0 + 0.99 * wait_s, 100.0 + wait_s):
        env.time_s = time_s
        due = wait_s > 0 and time_s == 100.0 + wait_s
        model.probe.probe_hopeless(env)
        assert node.kswapd_failures == (0 if due else 16)
        assert node.kswapd_phase == (RUN if due else SLEEP)
        assert node.vmstat.revivals[OTHER] == due
    assert node.last_reset_reason == (OTHER if wait_s else -1)
    assert node.vmstat.progress.sum() == 0


def test_a_timer_wakes_nobody_where_the_node_is_balanced(model):
    env = short("timer", failures=15)
    model.kswapd_run.count_failure(env, env.node[0], 0.0)
    set_free(env, 5000)
    env.time_s = 11.0
    model.probe.probe_hopeless(env)
    assert (env.node[0].kswapd_failures, env.node[0].kswapd_phase) == (0, SLEEP)


def test_backoff_doubles_its_wait_after_each_futile_probe_up_to_the_most(model):
    env = short("backoff?wait_s=1&max_wait_s=5")
    node = env.node[0]
    waits = []
    for helps_for_s in (0.01, 0.01, 0.01, 0.01, 6.0, 0.01):
        node.kswapd_failures = 15
        model.kswapd_run.count_failure(env, node, env.time_s)
        given_up_s = env.time_s
        while node.kswapd_failures == 16:
            env.time_s += 0.125
            model.probe.probe_hopeless(env)
        waits.append(env.time_s - given_up_s)
        env.time_s += helps_for_s
    assert waits == pytest.approx([1, 2, 4, 5, 5, 1], abs=0.126)


def test_allocations_since_it_gave_up_revive_a_node(model):
    for rule, pages in (("allocated", 1), ("allocated?pages=50", 50)):
        env = short(rule, failures=15)
        node = env.node[0]
        model.buddy.rmqueue(node, 20)
        model.kswapd_run.count_failure(env, node, 1.0)
        node.kswapd_phase = SLEEP
        model.buddy.rmqueue(node, pages - 1)
        model.probe.probe_hopeless(env)
        assert node.kswapd_failures == 16
        model.buddy.rmqueue(node, 1)
        model.probe.probe_hopeless(env)
        assert (node.kswapd_failures, node.vmstat.revivals[OTHER]) == (0, 1)
        assert node.kswapd_phase == SLEEP  # the next allocation that finds the node short wakes it
        model.wakeup.wakeup_kswapd(node)
        assert node.kswapd_phase == RUN


def test_allocated_free_wants_memory_half_way_from_min_to_low(model):
    for free_pages, revives in ((576, False), (577, True)):  # min is 512, low 640
        for rule in ("allocated", "allocated_free"):
            env = short(rule, failures=15)
            model.kswapd_run.count_failure(env, env.node[0], 1.0)
            model.buddy.rmqueue(env.node[0], 1)
            set_free(env, free_pages)
            model.probe.probe_hopeless(env)
            assert env.node[0].vmstat.revivals[OTHER] == (revives or rule == "allocated")


# Their names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("threshold", "threshold"),
        ("threshold?runs=8", "threshold"),
        ("threshold?runs=4", "threshold?runs=4"),
        ("backoff?max_wait_s=8&wait_s=0.5", "backoff?max_wait_s=8&wait_s=0.5"),
        ("backoff?wait_s=0.50&max_wait_s=8.0", "backoff?max_wait_s=8&wait_s=0.5"),
    ],
)
def test_a_rule_has_one_name_however_it_is_written(text, name):
    assert rule_of(text).name == name
    assert rule_of(name) == rule_of(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("balancd", "rule: found 'balancd', wanted one of always, .*; did you mean balanced\\?"),
        (
            "threshold?runs=x",
            r"rule threshold\?runs=x: runs: found 'x', wanted a whole number of runs from 1 to 1000",
        ),
        ("threshold?runs=2.5", "found '2.5', wanted a whole number"),
        ("threshold?runs=0", "found '0', wanted"),
        ("timer?wait_s=nan", "found 'nan', wanted a number of seconds"),
        ("timer?wait_s", "found '', wanted a number of seconds"),
        ("timer?wait_s=1&wait_s=2", "found wait_s twice, wanted it once"),
        ("timer?pages=1", "found parameter 'pages', wanted one of wait_s, runs"),
        ("never_gives_up?runs=3", "found parameter 'runs', wanted none"),
    ],
)
def test_a_wrong_rule_or_parameter_is_one_line_that_says_what_was_wanted(text, error):
    with pytest.raises(ValueError, match=error):
        rule_of(text)
