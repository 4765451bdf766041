"""What each scenario's file says is right to do, and what the rules make of it."""

import numpy as np
import pytest

from experiments.contender import of_rule
from experiments.evaluate import evaluate, evaluation_seeds
from experiments.identity import Setting
from reclaim_env.scenario import load
from reclaim_env.scenario.machine import Oomd
from reclaim_env.vector import ReclaimVectorEnv
from tests.experiments.played import always, episodes, mean


def hopeless_at(scenario: str, rule: str, time_s: float, nid: int = 0, kernel: str = "7.0") -> bool:
    series = episodes(scenario, rule, kernel=kernel).series
    return bool(series.hopeless()[np.searchsorted(series.time_s, time_s), nid])


def test_exit_and_return_balanced_lets_go_while_the_process_lives_and_comes_back_when_it_exits():
    assert hopeless_at("exit_and_return", "balanced", 19.9)
    assert not hopeless_at("exit_and_return", "balanced", 22.0)
    assert mean("exit_and_return", "balanced", "node0/revivals_memcg_high") == 1
    assert mean("exit_and_return", "balanced", "allocstall") == 0
    assert always("exit_and_return", "never", "node0/hopeless_at_end")
    assert mean("exit_and_return", "never", "allocstall") > 1000
    assert mean("exit_and_return", "always", "node0/false_alive_s") > 10
    for metric in ("kswapd_cpu_s", "bystander_refault_mib"):
        assert mean("exit_and_return", "always", metric) > 5 * mean("exit_and_return", "balanced", metric)
    assert mean("exit_and_return", "always", "cost_s") > mean("exit_and_return", "never", "cost_s")
    assert mean("exit_and_return", "never", "cost_s") > mean("exit_and_return", "balanced", "cost_s")


def test_boost_overcount_until_6_18_boosts_alone_kill_kswapd_while_memory_is_plentiful():
    for rule in ("always", "balanced", "never"):
        assert hopeless_at("boost_overcount", rule, 20.0, kernel="6.18")
        series = episodes("boost_overcount", rule, kernel="6.18").series
        dead = np.argmax(series.hopeless()[:, 0])
        assert series.free_pages[dead, 0] > 4 * series.high_wmark_pages[dead, 0]
    assert mean("boost_overcount", "always", "node0/revivals_global_direct", "6.18") == 1
    assert mean("boost_overcount", "always", "allocstall", "6.18") < 100
    assert always("boost_overcount", "balanced", "node0/hopeless_at_end", "6.18")
    assert mean("boost_overcount", "balanced", "allocstall", "6.18") > 1000


@pytest.mark.parametrize("rule", ["always", "balanced", "never"])
def test_boost_overcount_from_6_19_boosted_runs_do_not_count_and_no_rule_is_asked(rule):
    assert mean("boost_overcount", rule, "node0/boosted_fruitless_runs", "6.19") >= 16
    assert mean("boost_overcount", rule, "node0/hopeless_s", "6.19") == 0
    assert mean("boost_overcount", rule, "allocstall", "6.19") == 0


def test_boost_overcount_the_rule_of_7_0_with_the_counting_of_6_18_leaves_kswapd_dead():
    mixed = "7.0?counts_boosted_runs=1"
    assert always("boost_overcount", "balanced", "node0/hopeless_at_end", mixed)
    assert mean("boost_overcount", "balanced", "allocstall", mixed) > 1000


def test_protected_overcount_kswapd_gives_up_for_protection_and_only_direct_reclaim_brings_it_back():
    for rule in ("always", "balanced", "never", "kswapd_only"):
        assert hopeless_at("protected_overcount", rule, 9.0, nid=1)
    for rule in ("always", "global_direct", "no_memcg"):
        assert mean("protected_overcount", rule, "node1/revivals_global_direct") == 1
        assert mean("protected_overcount", rule, "allocstall") < 100
    for rule in ("balanced", "never", "kswapd_only"):
        assert always("protected_overcount", rule, "node1/hopeless_at_end")
        assert mean("protected_overcount", rule, "allocstall") > 10_000
    assert mean("protected_overcount", "always", "refault_mib") == 0  # what is protected stays


@pytest.mark.parametrize(("rule", "kills"), [("always", 0), ("balanced", 1)])
def test_protected_overcount_a_strict_killer_in_user_space_strikes_where_kswapd_is_dead(rule, kills):
    found = killed_by(Oomd(pressure_limit_ratio=0.1, duration_s=5.0), rule)
    for task in ("batch", "peaceful"):  # both in the root cgroup, which dies whole
        assert (found[f"workload/{task}/oomd_kills"] == kills).all()
    assert (found["oom_kills"] == 0).all()  # the kernel's are counted apart
    assert (found["cost_oom_s"] == 30.0 * found["oomd_kills"]).all()


@pytest.mark.parametrize("oomd", [None, Oomd()], ids=["nobody asked", "systemd's defaults"])
def test_protected_overcount_nobody_dies_without_a_killer_or_with_a_lenient_one(oomd):
    assert (killed_by(oomd, "balanced")["oomd_kills"] == 0).all()


def killed_by(oomd: Oomd | None, rule: str) -> dict[str, np.ndarray]:
    watched = load("protected_overcount").model_copy(update={"oomd": oomd})
    return evaluate(watched, of_rule(rule), evaluation_seeds(4), Setting()).metrics


def test_numa_fallback_a_hopeless_node_hides_and_progress_for_another_nodes_sake_leaks():
    assert mean("numa_fallback", "balanced", "node0/numa_foreign") > 100_000
    assert mean("numa_fallback", "always", "node0/revivals_global_direct") > 10
    assert mean("numa_fallback", "balanced", "node0/revivals_global_direct") == 0
    for metric, times in (("node0/kswapd_cpu_s", 2), ("bystander_refault_mib", 1.5), ("cost_s", 1.5)):
        assert mean("numa_fallback", "always", metric) > times * mean("numa_fallback", "balanced", metric)
    for rule in ("always", "balanced"):
        assert mean("numa_fallback", rule, "node1/kswapd_fruitless_runs") == 0


@pytest.mark.parametrize("rule", ["always", "balanced", "never"])
def test_numa_fallback_nobody_asks_a_rule_when_the_process_exits_but_the_free_path_of_6_18_is_there(rule):
    for kernel in ("6.12", "7.0?free_path_reset=0"):
        assert always("numa_fallback", rule, "node0/hopeless_at_end", kernel)
    assert not hopeless_at("numa_fallback", rule, 41.0)
    assert mean("numa_fallback", rule, "node0/revivals_free_path") >= 1


def test_two_nodes_each_rule_of_the_kernel_is_right_for_one_of_them():
    assert mean("two_nodes", "always", "node0/kswapd_cpu_s") > 40
    assert mean("two_nodes", "always", "node1/allocstall") < 100
    for rule in ("balanced", "never"):
        assert mean("two_nodes", rule, "node0/kswapd_cpu_s") < 1
        assert mean("two_nodes", rule, "node1/allocstall") > 10_000
    assert mean("two_nodes", "global_direct", "node0/kswapd_cpu_s") < 1
    assert mean("two_nodes", "global_direct", "node1/allocstall") < 100


def test_two_nodes_an_answer_for_each_node_costs_less_than_the_same_answer_for_both():
    cost_s = {bits: episode_cost_s(bits) for bits in ((0, 0), (0, 1), (1, 0), (1, 1))}
    assert cost_s[0, 1] < 0.95 * min(cost_s[0, 0], cost_s[1, 1])


def episode_cost_s(bits: tuple[int, int]) -> float:
    """An episode's cost where node n always answers bits[n]."""
    env = ReclaimVectorEnv(4, "two_nodes")
    env.reset(seed=0)
    total_s = 0.0
    truncated = np.zeros(4, bool)
    while not truncated.all():
        _, reward, _, truncated, _ = env.step(np.tile(np.array(bits, np.int8), (4, 1)))
        total_s -= reward.mean()
    return total_s


def test_hotplug_a_new_block_clears_no_count_and_its_cold_pages_need_a_reset():
    for rule in ("always", "balanced", "never"):
        assert hopeless_at("hotplug", rule, 14.9, nid=1)
        assert hopeless_at("hotplug", rule, 20.0, nid=1)  # with 2 GiB free
        assert mean("hotplug", rule, "node1/revivals_free_path") == 0
    assert mean("hotplug", "always", "node1/revivals_global_direct") == 1
    assert mean("hotplug", "always", "node1/allocstall") < 100
    for rule in ("balanced", "never"):
        assert always("hotplug", rule, "node1/hopeless_at_end")
        assert mean("hotplug", rule, "node1/allocstall") > 5000


def test_hotplug_the_balloon_is_filled_by_kswapd_whatever_the_rule():
    for rule in ("always", "balanced", "never"):
        assert mean("hotplug", rule, "node0/pgsteal_kswapd") > 100_000
        assert mean("hotplug", rule, "node0/kswapd_fruitless_runs") == 0
        assert mean("hotplug", rule, "node0/allocstall") < 1


def test_hugepages_kswapd_gives_up_at_once_and_only_always_wakes_it_again():
    for rule in ("always", "balanced", "never"):
        assert mean("hugepages", rule, "node3/first_hopeless_s") < 5
        assert mean("hugepages", rule, "node3/hopeless_s") > 30
    cpu_s = {rule: mean("hugepages", rule, "node3/kswapd_cpu_s") for rule in ("always", "balanced", "never")}
    assert max(cpu_s["balanced"], cpu_s["never"]) < 0.1
    assert 20 * cpu_s["balanced"] < cpu_s["always"] < 3
    assert mean("hugepages", "balanced", "node3/resets") == 0
    assert mean("hugepages", "always", "node3/revivals_global_direct") > 5
    refault_mib = {rule: mean("hugepages", rule, "node3/refault_mib") for rule in ("always", "balanced")}
    assert refault_mib["always"] > 2 * refault_mib["balanced"]
