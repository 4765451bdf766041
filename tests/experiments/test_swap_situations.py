"""What the files of the swap and tier scenarios say is right to do, and what the rules make of it."""

import numpy as np
import pytest

from experiments.contender import of_rule
from experiments.evaluate import evaluate, evaluation_seeds
from experiments.identity import Setting
from reclaim_env.scenario import load
from tests.experiments.played import always, episodes, mean

GROWTH_S = 16.0


def hopeless(scenario: str, rule: str, kernel: str = "7.0") -> np.ndarray:
    """Of node 0, at each sample of the first seed."""
    return episodes(scenario, rule, kernel=kernel).series.hopeless()[:, 0]


def test_swapon_itself_brings_no_kswapd_back():
    for rule in ("always", "balanced", "never"):
        time_s = episodes("swapon", rule).series.time_s
        assert hopeless("swapon", rule)[(time_s > 2) & (time_s < GROWTH_S)].all()


def test_swapon_always_takes_the_first_direct_reclaim_for_the_reset():
    assert mean("swapon", "always", "node0/revivals_global_direct") == 1
    assert mean("swapon", "always", "allocstall") < 10
    assert mean("swapon", "always", "pswpout") > 100_000
    time_s = episodes("swapon", "always").series.time_s
    assert not hopeless("swapon", "always")[time_s > GROWTH_S + 5].any()


@pytest.mark.parametrize("rule", ["balanced", "never"])
def test_swapon_balanced_leaves_the_tasks_to_write_their_own_pages_to_swap(rule):
    assert always("swapon", rule, "node0/hopeless_at_end")
    assert mean("swapon", rule, "allocstall") > 1000
    assert mean("swapon", rule, "stall_s") > 5 * mean("swapon", "always", "stall_s")


def test_swapon_what_a_dead_kswapd_keeps_in_memory_and_does_not_do_saves_more_than_the_tasks_stall():
    dead, alive = (
        {
            name: mean("swapon", rule, name)
            for name in ("pswpin", "cost_refault_io_s", "kswapd_cpu_s", "cost_stall_s")
        }
        for rule in ("balanced", "always")
    )
    assert dead["pswpin"] < alive["pswpin"]
    saved_s = sum(alive[name] - dead[name] for name in ("cost_refault_io_s", "kswapd_cpu_s"))
    assert saved_s > dead["cost_stall_s"] - alive["cost_stall_s"] > 1


def test_swapon_with_compressed_swap_the_bill_is_even():
    whole = load("swapon")
    assert whole.swap is not None
    zram = {"latency_us": 0.0, "bandwidth_mib_per_s": 8000.0, "page_cpu_us": 3.0, "pool_ratio": 0.33}
    compressed = whole.model_copy(update={"swap": whole.swap.model_copy(update=zram)})
    costs = [
        evaluate(compressed, of_rule(rule), evaluation_seeds(4), Setting()).metrics["cost_s"].mean()
        for rule in ("balanced", "always")
    ]
    assert max(costs) < 1.1 * min(costs)


def test_swap_full_no_run_fails_while_there_are_slots():
    for rule in ("always", "balanced", "never"):
        found = episodes("swap_full", rule)
        assert (found.metrics["pswpout"] == 262_144).all()  # 1 GiB, and nothing of it is read back
        assert (found.metrics["node0/first_fruitless_s"] > 5).all()


def test_swap_full_once_they_are_gone_it_is_the_incident():
    assert always("swap_full", "balanced", "node0/hopeless_at_end")
    waited_s = episodes("swap_full", "balanced").metrics
    assert (waited_s["node0/first_hopeless_s"] - waited_s["node0/first_fruitless_s"] < 2).all()
    assert mean("swap_full", "balanced", "kswapd_fruitless_runs") == 16
    assert mean("swap_full", "always", "resets_memcg_high") > 10
    assert mean("swap_full", "always", "hopeless_s") < 5
    for metric in ("cost_s", "kswapd_cpu_s", "bystander_refault_mib"):
        assert mean("swap_full", "always", metric) > 2 * mean("swap_full", "balanced", metric), metric


def test_tier_until_6_17_only_a_bound_tasks_reclaim_can_bring_kswapd_back():
    assert mean("tier", "always", "node0/revivals_global_direct", "6.12") == 1
    assert mean("tier", "always", "allocstall", "6.12") < 10
    assert mean("tier", "always", "pgdemote_kswapd", "6.12") > 100_000
    for rule in ("balanced", "never"):
        assert always("tier", rule, "node0/hopeless_at_end", "6.12")
        assert mean("tier", rule, "pgdemote_kswapd", "6.12") == 0
        assert mean("tier", rule, "allocstall", "6.12") > 1000


@pytest.mark.parametrize("rule", ["always", "balanced", "never"])
def test_tier_from_6_18_the_switch_brings_it_back_whatever_the_rule(rule):
    assert mean("tier", rule, "node0/revivals_other", "6.18") == 1
    assert mean("tier", rule, "allocstall", "6.18") == 0
    time_s = episodes("tier", rule, kernel="6.18").series.time_s
    dead = hopeless("tier", rule, "6.18")
    assert dead[time_s < 20].all() and not dead[time_s > 20.2].any()


def test_tier_without_a_bound_task_nobody_reclaims_on_the_node_and_no_rule_resets():
    whole = load("tier")
    free = [task.model_copy(update={"policy": "local", "nodes": ()}) for task in whole.anon]
    unbound = whole.model_copy(update={"anon": tuple(free)})
    found = evaluate(unbound, of_rule("always"), evaluation_seeds(2), Setting(kernel="6.12")).metrics
    assert (found["node0/hopeless_at_end"] == 1).all()
    assert (found["progress_global_direct"] == 0).all() and (found["node0/numa_foreign"] > 100_000).all()
