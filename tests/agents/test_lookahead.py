"""The search that must not see the future, the futures it looks at instead, and the labels made of both."""

import numpy as np
import pytest

from agents.forks import Forks, bit_rules
from agents.futures import costs_s, resampled
from agents.labels import action_costs_s
from agents.lookahead import play
from agents.oracle import search
from reclaim_env.reset_rules import KERNEL_RULES
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively

ALL = tuple(KERNEL_RULES.values())


def machine(*seeds: int, steps: int = 0, **arguments) -> ReclaimVectorEnv:
    env = ReclaimVectorEnv(len(seeds), **{"scenario": lively(), "episode_s": 4, **arguments})
    env.reset(seed=list(seeds))
    for _ in range(steps):
        env.step(np.ones(env.action_space.shape or (), np.int8))
    return env


def test_another_future_has_the_same_present_and_differs_from_then_on():
    record = machine(1, steps=10).records
    others = [resampled(record, number) for number in (0, 1, 0)]
    present = others[0].copy()
    for name in ("seed", "episode"):
        present[name] = record[name]
    present["class_"]["next_switch_s"] = record["class_"]["next_switch_s"]
    assert present.tobytes() == record.tobytes()
    assert others[0].tobytes() == others[2].tobytes()
    ends = [end(fork) for fork in (record, *others)]
    assert ends[1] == ends[3] and len({ends[0], ends[1], ends[2]}) == 3


def end(record: np.ndarray) -> bytes:
    from reclaim_env.model.tick import step_rows

    ended = record.copy()
    step_rows(ended, 10)
    return ended["node"].tobytes()


def test_the_pending_switch_of_a_class_is_not_told():
    record = machine(1, steps=10).records
    on = record["class_"]["off_s"][0] > 0
    assert on.sum() == 1
    class_ = record["class_"][0][on][0]
    mean_s = class_["on_s"] if class_["on"] else class_["off_s"]
    waits_s = [
        resampled(record, number)["class_"]["next_switch_s"][0][on][0] - record["time_s"][0]
        for number in range(400)
    ]
    assert min(waits_s) > 0
    assert 0.85 * mean_s < np.mean(waits_s) < 1.15 * mean_s
    assert 0.8 * mean_s < np.std(waits_s) < 1.2 * mean_s


def test_plans_that_meet_are_driven_once_and_priced_as_if_alone():
    forks = Forks(machine(1), 0, ALL)
    plans = [forks.constant(rule) for rule in range(len(ALL))]
    driven = np.array([alone_s(forks, plan) for plan in plans])
    assert len(set(driven)) > 3
    for until in (1, 20, 40):  # at first they all are where they began, and part later
        assert (costs_s(forks, forks.start, plans, 0, until) == driven).all()


def alone_s(forks: Forks, plan: np.ndarray) -> float:
    record = forks.start.copy()
    forks.drive(record, plan, 0, forks.nr_steps)
    return forks.cost_s(record)


@pytest.mark.parametrize("seed", range(2))
def test_its_plan_costs_what_it_says_and_never_less_than_the_clairvoyant_one(seed):
    setting = {"control_ms": 500, "episode_s": 2.5}
    found = play(machine(seed, **setting), hold_steps=1)
    best = search(machine(seed, **setting))
    assert alone_s(Forks(machine(seed, **setting), 0, found.rules), found.plan) == found.cost_s
    assert best.is_exact and best.cost_s <= found.cost_s


def test_machines_alike_but_for_the_dice_still_to_be_cast_have_the_same_other_futures():
    one = machine(1, steps=10).records
    two = one.copy()
    two["seed"], two["episode"] = 77, 3
    two["class_"]["next_switch_s"][one["class_"]["off_s"] > 0] += 0.3
    assert end(one) != end(two)
    assert all(resampled(one, n).tobytes() == resampled(two, n).tobytes() for n in range(4))


def test_it_never_asks_what_a_plan_costs_in_the_future_that_comes(monkeypatch):
    asked = []

    def noted(forks, record, *others):
        asked.append(int(record["seed"][0]))
        return costs_s(forks, record, *others)

    monkeypatch.setattr("agents.lookahead.costs_s", noted)
    play(machine(1), hold_steps=10, nr_futures=3)
    assert 1 not in asked and len(set(asked)) > 3


def test_it_plays_better_than_the_worse_half_of_the_rules():
    for seed in range(2):
        forks = Forks(machine(seed), 0, ALL)
        costs = costs_s(forks, forks.start, [forks.constant(rule) for rule in range(len(ALL))], 0, 40)
        assert play(machine(seed), hold_steps=10).cost_s <= np.median(costs)


def test_it_plays_the_same_with_any_number_of_threads():
    one, two = (play(machine(3), threads=threads) for threads in (1, 2))
    assert one.plan.tobytes() == two.plan.tobytes() and one.cost_s == two.cost_s


def test_labels_are_what_the_actions_cost_in_the_env():
    env = machine(1, 2, steps=12)
    labels = action_costs_s(env, tails=("always",), hold_steps=5)
    assert labels.shape == (2, 2, 2)
    for nid in range(2):
        fork, lost_s = env.fork(), np.zeros(2)
        for step in range(28):
            bits = np.ones((2, 2), np.int8)
            bits[:, nid] = 0 if step < 5 else 1
            lost_s -= fork.step(bits)[1]
        assert labels[:, nid, 0] == pytest.approx(lost_s, rel=1e-9)
    assert (labels[:, :, 1] == labels[:, :1, 1]).all()  # the tail itself
    assert np.ptp(labels, axis=2).max() > 1e-3


def test_the_env_stays_where_it_is_and_threads_change_nothing():
    env = machine(1, 2, 3, steps=12)
    before = env.records.tobytes()
    one, two = (action_costs_s(env, nr_futures=2, threads=threads) for threads in (1, 2))
    assert env.records.tobytes() == before and (one == two).all()


def test_an_action_without_effect_has_an_advantage_of_exactly_nothing():
    env = machine(1, 2, 3, 4, steps=3)
    labels = action_costs_s(env, hold_steps=1)
    for row in range(4):
        forks = Forks(env, row, bit_rules(sources=False))
        decides = forks.decides(forks.start)
        ends = []
        for action in (0, 1):
            record = forks.start.copy()
            forks.drive(record, forks.constant(action), 0, 1)
            ends.append(record)
        assert decides.any() or forks.future_key(ends[0]) == forks.future_key(ends[1])
        if not decides.any():
            assert (labels[row, :, 0] == labels[row, :, 1]).all()


def test_labels_without_foresight_are_means_over_futures():
    env = machine(1, steps=5)
    forks = Forks(env, 0, (*bit_rules(sources=False), KERNEL_RULES["never"]))
    plan = forks.constant(2)
    plan[:10, 1] = 1
    costs = [costs_s(forks, resampled(forks.start, number), [plan], 0, 10)[0] for number in range(3)]
    expected = np.mean(costs) - forks.cost_s(forks.start)
    labels = action_costs_s(env, tails=("never",), hold_steps=10, nr_futures=3)
    assert labels[0, 1, 1] == pytest.approx(expected, rel=1e-12)
    assert len(set(costs)) == 3


def test_of_several_tails_the_best_counts_and_sources_have_eight_actions():
    env = machine(1, sources=True, steps=8)
    tails = ("never", "always", "balanced")
    each = [action_costs_s(env, tails=(tail,)) for tail in tails]
    assert action_costs_s(env, tails=tails).shape == (1, 2, 8)
    assert (action_costs_s(env, tails=tails) == np.min(each, axis=0)).all()
    assert not (each[0] == each[1]).all()


def test_a_row_whose_episode_is_over_costs_nothing_more():
    env = machine(1, steps=40)
    assert (action_costs_s(env) == 0).all()
