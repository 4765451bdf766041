"""Agents by name, and the eight kernel rules against the model that evaluates them."""

import numpy as np
import pytest

from agents.registry import entry, make_agent, names, register
from reclaim_env.model.constants import (
    FREE_PATH,
    GLOBAL_DIRECT,
    KSWAPD,
    MEMCG_HIGH,
    MEMCG_MAX,
    NR_REASONS,
    PROACTIVE,
)
from reclaim_env.model.reset_rule import kswapd_try_clear_hopeless, rule_allows
from reclaim_env.reset_rules import KERNEL_RULES, RULES
from reclaim_env.vector import ReclaimVectorEnv
from tests.model.machines import forget_rule
from tests.toys import lively

MEMCG = (MEMCG_HIGH, MEMCG_MAX, PROACTIVE)
EVENTS = (KSWAPD, GLOBAL_DIRECT, *MEMCG)

# Rule -> the reasons that reset on a node that is not balanced, and on one that is. FREE_PATH is never the
# progress rule's: the kernel preset decides it.
TRUTH = {
    "always": (EVENTS, EVENTS),
    "balanced": ((), EVENTS),
    "never": ((), ()),
    "kswapd_only": ((KSWAPD,), (KSWAPD,)),
    "no_memcg": ((KSWAPD, GLOBAL_DIRECT), (KSWAPD, GLOBAL_DIRECT)),
    "direct_balanced": ((KSWAPD,), EVENTS),
    "global_direct": ((GLOBAL_DIRECT,), EVENTS),
}


def machine(rule: str, balanced: bool) -> np.ndarray:
    env = ReclaimVectorEnv(1, scenario=lively(), rule=rule)
    env.reset(seed=0)
    node = env.records["node"][0, 0]
    node["free_pages"] = node["high_wmark_pages"] + node["unusable_pages"] + (1 if balanced else 0)
    return env.records


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("rule", TRUTH)
def test_the_truth_table_of_each_rule(rule, balanced):
    record = machine(rule, balanced)[0]
    allowed = tuple(r for r in range(NR_REASONS) if rule_allows(record, record["node"][0], 0, r))
    assert allowed == TRUTH[rule][balanced]


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("rule", TRUTH)
def test_progress_clears_the_count_just_where_the_table_says(rule, balanced):
    for reason in EVENTS:
        record = machine(rule, balanced)[0]
        node = record["node"][0]
        node["kswapd_failures"] = 16
        kswapd_try_clear_hopeless(record, 0, reason, 1)
        resets = reason in TRUTH[rule][balanced]
        assert node["kswapd_failures"] == (0 if resets else 16)
        assert node["vmstat"]["resets"][reason] == node["vmstat"]["revivals"][reason] == resets
        assert node["vmstat"]["progress"][reason] == 1


def test_random_resets_half_of_the_time_and_alike_in_every_run():
    record = machine("random", balanced=False)[0]
    node = record["node"][0]
    answers = []
    for event in range(2000):
        node["nr_progress"] = event
        answers.append(rule_allows(record, node, 0, EVENTS[event % len(EVENTS)]))
    assert 0.45 < np.mean(answers) < 0.55
    node["nr_progress"] = 7
    assert rule_allows(record, node, 0, EVENTS[7 % len(EVENTS)]) == answers[7]
    assert not rule_allows(record, node, 0, FREE_PATH)


def test_the_table_has_all_rules_of_masks():
    assert set(KERNEL_RULES) == {*TRUTH, "random"}


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("sources", [False, True])
def test_every_registered_agent_predicts_actions_of_the_right_shape(name, sources):
    env = ReclaimVectorEnv(3, scenario=lively(), sources=sources)
    agent = make_agent(name, lively(), sources)
    observation, _ = env.reset(seed=0)
    actions, state = agent.predict(observation, deterministic=True)
    assert actions in env.action_space and state is None
    one, _ = agent.predict(observation[0])
    assert one in env.single_action_space
    assert agent.name == name and entry(name).source and entry(name).doc


def test_the_kernels_rules_are_agents_that_carry_their_rule():
    assert set(RULES) <= set(names())
    for name in RULES:
        assert make_agent(name, lively()).rule == name


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("always", [1, 1, 1]),
        ("never", [0, 0, 0]),
        ("balanced", [0, 0, 0]),
        ("random", [0, 0, 0]),
        ("kswapd_only", [1, 0, 0]),
        ("no_memcg", [1, 1, 0]),
        ("direct_balanced", [1, 0, 0]),
        ("global_direct", [0, 1, 0]),
    ],
)
def test_a_rules_bits_are_what_it_always_allows(name, bits):
    nothing = np.zeros(5, np.float32)
    assert make_agent(name, lively(), sources=True).predict(nothing)[0].tolist() == bits * 2
    assert make_agent(name, lively()).predict(nothing)[0].tolist() == [int(all(bits))] * 2


def test_a_wrong_name_gets_a_suggestion():
    with pytest.raises(ValueError, match=r"found 'balanced_', wanted one of .*; did you mean balanced"):
        make_agent("balanced_", lively())


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="registered already"):
        register("always", "a test", "another always")(
            lambda scenario, sources: make_agent("never", scenario)
        )


def end_state(rule: str | None, action: int, sources: bool = False, **arguments) -> np.ndarray:
    """The machines after an episode, without the masks that say who decided."""
    given = {"scenario": lively(), "episode_s": 4, "rule": rule, "sources": sources, **arguments}
    env = ReclaimVectorEnv(4, **given)
    env.reset(seed=0)
    chosen = np.full(env.action_space.shape or (), action, np.int8)
    for _ in range(40):
        env.step(chosen)
    forget_rule(env.records)
    return env.records


@pytest.mark.parametrize("sources", [False, True])
@pytest.mark.parametrize(("action", "rule"), [(1, "always"), (0, "never")])
@pytest.mark.parametrize("kernel", ["6.12", "7.0"])
def test_constant_actions_are_their_rules_bit_for_bit(action, rule, sources, kernel):
    acted = end_state(None, action, sources, kernel=kernel)
    ruled = end_state(rule, 0, kernel=kernel)
    assert acted.tobytes() == ruled.tobytes()


def test_the_rules_part_ways_on_the_toy():
    """The comparisons above would hold for anything on a machine where no rule matters."""
    ends = {rule: end_state(rule, 0).tobytes() for rule in ("always", "balanced", "never", "no_memcg")}
    assert len(set(ends.values())) == len(ends)


def test_one_bit_of_three_is_its_source_alone():
    env = ReclaimVectorEnv(1, scenario=lively(), sources=True)
    env.reset(seed=0)
    for bit, reasons in enumerate([(KSWAPD,), (GLOBAL_DIRECT,), MEMCG]):
        action = np.zeros((1, 6), np.int8)
        action[0, 3 + bit] = 1
        env.step(action)
        masks = env.records["node"]["reset_always_mask"][0]
        assert masks[1] == sum(1 << reason for reason in reasons) and masks[0] == 0
