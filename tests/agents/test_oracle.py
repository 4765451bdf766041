"""The clairvoyant search against enumeration by hand, against every rule, and against its own rules."""

import dataclasses
from functools import cache
from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from agents.enumeration import enumerate_plans
from agents.forks import Forks, bit_rules, plan_of_actions
from agents.oracle import search
from agents.trail import Trail
from reclaim_env.env import ReclaimEnv
from reclaim_env.reset_rules import KERNEL_RULES, RULES
from reclaim_env.scenario import load
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively

SHORT = {"control_ms": 500, "episode_s": 2.5}  # 5 steps of 2 nodes: 1024 plans of bits
BITS = bit_rules(sources=False)


def machine(seed: int = 0, **arguments) -> ReclaimVectorEnv:
    env = ReclaimVectorEnv(
        1, **{"scenario": lively(), "episode_s": 4, "autoreset_mode": "Disabled", **arguments}
    )
    env.reset(seed=seed)
    return env


@cache
def every_cost(seed: int) -> np.ndarray:
    """Of all 1024 plans of bits, played through the env itself."""
    plans = np.array(list(product((0, 1), repeat=10)), np.int8).reshape(-1, 5, 2)
    env = ReclaimVectorEnv(len(plans), scenario=lively(), **SHORT)
    env.reset(seed=[seed] * len(plans))
    return -np.sum([env.step(plans[:, step])[1] for step in range(5)], axis=0)


def rule_cost_s(rule: str, seed: int, **arguments) -> float:
    env = machine(seed, rule=rule, **arguments)
    cost_s, truncated = 0.0, np.zeros(1, bool)
    while not truncated.all():
        _, reward, _, truncated, _ = env.step(None)
        cost_s -= float(reward[0])
    return cost_s


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_enumeration_where_that_is_possible(seed):
    costs = every_cost(seed)
    assert np.ptp(costs) > 0.01  # plans differ: the comparison can fail
    found = search(machine(seed, **SHORT), rules=(), choices=BITS)
    assert found.is_exact
    assert found.cost_s == found.bound_s == pytest.approx(costs.min(), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_without_enumeration_it_comes_close_and_never_below(seed, monkeypatch):
    monkeypatch.setattr("agents.oracle.ENUMERATION_RATIO", 0.0)
    costs = every_cost(seed)
    found = search(machine(seed, **SHORT), rules=(), choices=BITS, budget_episodes=200)
    assert not found.is_exact and found.bound_s <= costs.min() + 1e-12
    assert costs.min() <= found.cost_s + 1e-12
    assert found.cost_s <= np.quantile(costs, 0.05)


@pytest.mark.parametrize("seed", range(4))
def test_it_dominates_every_rule_and_every_plan_it_is_given(seed):
    actions = np.random.default_rng(seed).integers(0, 2, (40, 2))
    plan = plan_of_actions(actions, nr_nodes=2, sources=False)
    env = machine(seed)
    agent_s = -sum(float(env.step(action[None])[1][0]) for action in actions)
    costs = [rule_cost_s(rule, seed) for rule in RULES]
    found = search(machine(seed), plans=[plan], choices=(*BITS, KERNEL_RULES["balanced"]), budget_episodes=0)
    assert found.cost_s <= min(*costs, agent_s) + 1e-12
    assert found.best_given_s == pytest.approx(min(*costs, agent_s), rel=1e-12)
    assert found.bound_s <= found.cost_s <= search(machine(seed), rules=()).best_given_s


def test_searching_finds_what_no_rule_has():
    found = [search(machine(seed), budget_episodes=60) for seed in range(6)]
    assert all(one.bound_s <= one.cost_s <= one.best_given_s for one in found)
    assert any(one.cost_s < one.best_given_s - 1e-3 for one in found)


def test_its_plan_played_in_the_env_costs_what_it_says():
    found = search(machine(1), rules=(), choices=BITS, budget_episodes=40)
    env = machine(1)
    played_s = -sum(float(env.step(bits[None])[1][0]) for bits in found.plan)
    assert played_s == pytest.approx(found.cost_s, rel=1e-12)


def test_the_same_search_finds_the_same_with_any_number_of_threads():
    one, two = (search(machine(2), budget_episodes=30, threads=threads) for threads in (1, 2))
    assert one.plan.tobytes() == two.plan.tobytes()
    numbers = [dataclasses.replace(found, plan=np.zeros(0)) for found in (one, two)]
    assert str(numbers[0]) == str(numbers[1])


def test_it_ends_soon_after_its_budget():
    given = len(RULES) + 3  # each once, the best laid as a trail
    for budget in (0, 20, 80):
        found = search(machine(1), budget_episodes=budget)
        assert found.steps <= (given + budget + 20) * 40


@pytest.mark.parametrize("seed", range(3))
def test_costs_known_beforehand_save_episodes_and_change_nothing(seed):
    known = {rule: rule_cost_s(rule, seed) for rule in KERNEL_RULES}
    told, anew = (search(machine(seed), known_s=one, budget_episodes=20) for one in (known, {}))
    assert told.steps < anew.steps
    assert told.plan.tobytes() == anew.plan.tobytes()
    assert (told.cost_s, told.bound_s, told.best_given) == (anew.cost_s, anew.bound_s, anew.best_given)


def test_it_goes_on_from_the_middle_of_an_episode():
    env = machine(3)
    for _ in range(15):
        env.step(np.ones((1, 2), np.int8))
    before = env.records.tobytes()
    found = search(env, budget_episodes=30)
    assert env.records.tobytes() == before
    assert found.plan.shape == (25, 2)
    for _ in range(25):
        env.step(np.ones((1, 2), np.int8))
    assert found.cost_s <= Forks(machine(3), 0, BITS).cost_s(env.records) + 1e-12


def test_no_plan_costs_less_than_the_bound():
    found = search(machine(1), rules=(), choices=BITS, budget_episodes=80)
    forks = Forks(machine(1), 0, BITS)
    assert not found.is_exact and found.bound_s > 0
    for plan in np.random.default_rng(0).integers(0, 2, (100, 40, 2)):
        record = forks.start.copy()
        forks.drive(record, plan, 0, 40)
        assert found.bound_s <= forks.cost_s(record)


def test_where_nothing_is_decided_one_plan_is_all():
    env = ReclaimVectorEnv(1, scenario=load("tests/scenarios/peaceful.toml"), episode_s=1)
    env.reset(seed=0)
    found = search(env)
    assert found.is_exact and found.cost_s == found.bound_s == found.best_given_s


@pytest.mark.parametrize("seed", range(3))
def test_a_step_that_decides_nothing_is_the_same_under_every_rule(seed):
    forks = Forks(machine(seed), 0, tuple(KERNEL_RULES.values()))
    nr_open = nr_shut = 0
    for step, record in walk(forks, rule=list(KERNEL_RULES).index("direct_balanced")):
        ends = []
        for rule in range(len(KERNEL_RULES)):
            end = record.copy()
            forks.drive(end, forks.constant(rule)[step : step + 1], 0, 1)
            ends.append(end)
        if forks.decides(record).any():
            nr_open += 1
        else:
            nr_shut += 1
            assert len({forks.future_key(end) for end in ends}) == 1
    assert nr_open > 5 and nr_shut > 5


def walk(forks: Forks, rule: int):
    """(step, record before it) along a rule's episode."""
    record, plan = forks.start.copy(), forks.constant(rule)
    for step in range(forks.nr_steps):
        yield step, record.copy()
        forks.drive(record, plan, step, step + 1)


def test_a_trail_left_and_met_again_is_given_up_and_one_left_for_good_is_priced():
    forks = Forks(machine(1), 0, BITS)
    trail = Trail(forks, forks.constant(1))
    same = trail.attempt(forks.constant(1), 0, 10)
    assert same.cost_s == np.inf and same.steps == 10
    other = forks.constant(1)
    other[7:] = 0
    record = forks.start.copy()
    forks.drive(record, other, 0, 40)
    assert forks.cost_s(record) < trail.cost_s
    assert trail.attempt(other, 7, 40).cost_s == forks.cost_s(record)


def test_a_trail_that_begins_as_another_is_the_same_as_one_laid_anew():
    forks = Forks(machine(1), 0, BITS)
    plan = forks.constant(1)
    plan[7:] = 0
    grafted, anew = Trail(forks, plan, Trail(forks, forks.constant(1)), 7), Trail(forks, plan)
    assert grafted.cost_s == anew.cost_s and grafted.steps < anew.steps
    assert (grafted.decides == anew.decides).all() and 0 < anew.decides[:7].sum() < 14
    assert all(grafted.at(step).tobytes() == anew.at(step).tobytes() for step in range(41))


def test_an_enumeration_without_budget_still_bounds():
    forks = Forks(machine(0), 0, BITS)
    tree = enumerate_plans(forks, (0, 1), known_s=100.0, budget_steps=0)
    assert (tree.is_complete, tree.plan) == (False, None) and 0.0 <= tree.bound_s < 100.0


def test_a_bit_of_three_is_one_of_eight_rules():
    rules = bit_rules(sources=True)
    actions = np.array([[1, 0, 0, 1, 1, 1]])
    assert plan_of_actions(actions, nr_nodes=2, sources=True).tolist() == [[1, 7]]
    assert (
        rules[1].always == KERNEL_RULES["kswapd_only"].always
        and rules[7].always == KERNEL_RULES["always"].always
    )


def test_an_env_that_cannot_fork_is_refused():
    with pytest.raises(ValueError, match=r"found CartPoleEnv, wanted a ReclaimEnv"):
        search(gym.make("CartPole-v1"))


def test_a_wrapped_env_and_the_scalar_one_fork():
    env = gym.make("Reclaim/KswapdReset-v0", scenario=lively(), episode_s=2)
    env.reset(seed=5)
    scalar = ReclaimEnv(scenario=lively(), episode_s=2)
    scalar.reset(seed=5)
    assert search(env, budget_episodes=5).cost_s == search(scalar, budget_episodes=5).cost_s


def test_without_an_episode_there_is_nothing_to_search():
    with pytest.raises(ResetNeeded):
        search(ReclaimVectorEnv(1, scenario=lively()))
    env = machine(0, episode_s=0.1)
    env.step(np.zeros((1, 2), np.int8))
    with pytest.raises(ResetNeeded):
        search(env)
