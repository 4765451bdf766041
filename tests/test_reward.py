"""The reward is minus the weighted cost terms, to the last bit, and the terms are what the counters say."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from reclaim_env.model.layout import VMSTAT
from reclaim_env.reward import ATOMIC_FAIL_S, COST_TERMS, OOM_KILL_S, WEIGHTS, cost_rows, weights_of
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively, plain

ODD = {"refault_io": 0.3, "kswapd_cpu": 0.7, "stall": 1.1, "oom": 0.1, "atomic": 13.0}


def weighted(info: dict, weights: dict[str, float]) -> np.ndarray:
    total = np.zeros(len(info["time_s"]))
    for term in COST_TERMS:
        total += weights[term] * info[f"cost_{term}_s"]
    return 0.0 - total


@pytest.mark.parametrize("weights", [*WEIGHTS, ODD])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_the_reward_is_minus_the_weighted_terms_of_the_info(weights, mode):
    env = ReclaimVectorEnv(4, scenario=lively(), reward=weights, episode_s=2, autoreset_mode=mode)
    env.reset(seed=0)
    env.action_space.seed(0)
    paid = 0.0
    for _ in range(45):
        _, rewards, _, truncated, info = env.step(env.action_space.sample())
        if "final_info" in info:
            info = {
                name: np.where(truncated, info["final_info"][name], info[name]) for name in info["final_info"]
            }
        assert np.array_equal(rewards, weighted(info, WEIGHTS.get(str(weights), ODD)))
        paid += rewards.sum()
    assert paid < -0.1


def test_the_terms_of_an_episode_are_what_the_counters_say():
    env = ReclaimVectorEnv(4, scenario=lively(), episode_s=2)
    env.reset(seed=0)
    env.action_space.seed(0)
    summed = dict.fromkeys(COST_TERMS, 0.0)
    for _ in range(20):
        info = env.step(env.action_space.sample())[4]
        for term in COST_TERMS:
            summed[term] = summed[term] + info[f"cost_{term}_s"]
    counted = {
        "refault_io": info["refault_wait_s"],
        "kswapd_cpu": info["kswapd_cpu_s"],
        "stall": info["stall_s"],
        "oom": OOM_KILL_S * info["oom_kill"],
        "atomic": ATOMIC_FAIL_S * info["atomic_fail"],
    }
    for term in COST_TERMS:
        assert summed[term] == pytest.approx(counted[term]), term


def test_a_kill_is_charged_and_ends_nothing():
    env = ReclaimVectorEnv(1, scenario=plain(1), episode_s=4)
    env.reset(seed=0)
    charged = 0.0
    for step in range(40):
        _, rewards, terminated, truncated, info = env.step([[0]])
        assert not terminated.any() and truncated.all() == (step == 39)
        assert rewards[0] <= -info["cost_oom_s"][0]
        charged += info["cost_oom_s"][0]
    assert charged == OOM_KILL_S * info["oom_kill"][0] >= OOM_KILL_S


def test_the_nodes_shares_add_up_to_the_row():
    env = ReclaimVectorEnv(4, scenario=lively(), reward=ODD, episode_s=2)
    env.reset(seed=0)
    for _ in range(10):
        _, rewards, _, _, info = env.step(np.ones((4, 2), np.int8))
        assert np.array_equal(
            env.node_lost_s.sum(axis=1), np.stack([info[f"cost_{t}_s"] for t in COST_TERMS], 1)
        )
        assert -(env.node_lost_s @ env.weights).sum(axis=1) == pytest.approx(rewards)


def test_each_term_has_its_counter_and_its_price():
    """Worked by hand: what each counter adds to which term."""
    env = ReclaimVectorEnv(1, scenario=lively())
    env.reset(seed=0)
    now = env.records.copy()
    vmstat = now["node"]["vmstat"]
    prices = {
        "refault_wait_s": ("refault_io", 1.0),
        "kswapd_cpu_s": ("kswapd_cpu", 1.0),
        "stall_s": ("stall", 1.0),
        "oom_kill": ("oom", 30.0),
        "oomd_kill": ("oom", 30.0),
        "atomic_fail": ("atomic", 0.5),
    }
    before = vmstat[:, : env.num_nodes].copy()
    for counter in VMSTAT.names or ():
        if vmstat.dtype[counter].shape:
            continue
        vmstat[counter][0, 1] += 3
        node_lost_s, lost_s, reward = np.zeros((1, 2, 5)), np.zeros((1, 5)), np.zeros(1)
        cost_rows(now, np.arange(1), before, weights_of("default"), node_lost_s, lost_s, reward)
        vmstat[counter][0, 1] -= 3
        term, price = prices.get(counter, (None, 0.0))
        expected = [3 * price if name == term else 0.0 for name in COST_TERMS]
        assert lost_s[0].tolist() == expected and reward[0] == -sum(expected), counter
        assert node_lost_s[0, 0].tolist() == [0.0] * 5


def test_card_charges_neither_stalls_nor_failed_bursts():
    assert weights_of("card").tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]
    assert weights_of("default").tolist() == [1.0] * 5


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, "1", None])
def test_weights_are_finite_and_not_negative(bad):
    with pytest.raises(ValueError, match="wanted finite numbers"):
        weights_of({**ODD, "stall": bad})
