"""What stable-baselines3 relies on in a VecEnv, for which it ships no checker."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

pytest.importorskip("stable_baselines3")

from agents.sb3 import NodeVecEnv
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively

ROWS, NODES, STEPS = 3, 2, 10


def rows(**arguments) -> ReclaimVectorEnv:
    given = {"scenario": lively(), "episode_s": 1, "autoreset_mode": AutoresetMode.SAME_STEP, **arguments}
    return ReclaimVectorEnv(ROWS, **given)


def test_another_autoreset_mode_is_refused():
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED):
        with pytest.raises(ValueError, match="wanted SAME_STEP"):
            NodeVecEnv(rows(autoreset_mode=mode))


def test_the_spaces_are_those_of_one_node():
    env = NodeVecEnv(rows())
    assert env.num_envs == ROWS * NODES
    assert env.action_space == spaces.Discrete(2)
    assert NodeVecEnv(rows(sources=True)).action_space == spaces.Discrete(8)
    assert env.observation_space.shape == (len(env.env.features),)


@pytest.mark.parametrize("copy", [True, False])
def test_a_slot_sees_its_node_and_is_charged_for_it(copy):
    plain, env = rows(), NodeVecEnv(rows(copy=copy))
    env.seed(40)
    seeds = [40, 42, 44]  # a row takes its first slot's
    observation, _ = plain.reset(seed=seeds)
    assert np.array_equal(env.reset(), observation.reshape(ROWS * NODES, -1))
    random = np.random.default_rng(0)
    for _ in range(STEPS - 1):
        actions = random.integers(0, 2, ROWS * NODES)
        seen, rewards, done, infos = env.step(actions)
        observation, row_rewards, _, _, _ = plain.step(actions.reshape(ROWS, NODES))
        assert np.array_equal(np.asarray(seen), observation.reshape(ROWS * NODES, -1))
        assert rewards.reshape(ROWS, NODES).sum(axis=1) == pytest.approx(row_rewards, rel=1e-5, abs=1e-9)
        assert not done.any() and infos == [{}] * (ROWS * NODES)
        assert seen.dtype == rewards.dtype == np.float32
        assert all(one in env.observation_space for one in seen)


def test_a_node_pays_for_itself_alone():
    env = NodeVecEnv(rows())
    env.seed(0)
    env.reset()
    for _ in range(STEPS - 1):
        rewards = env.step(np.ones(ROWS * NODES, int))[1]
        lost_s = env.env.node_lost_s.reshape(ROWS * NODES, -1).sum(axis=1)
        assert rewards == pytest.approx(-lost_s, rel=1e-5)


def test_eight_actions_are_the_bits_of_three_sources():
    env = NodeVecEnv(rows(sources=True))
    env.reset()
    env.step(np.arange(6))
    by_source = {0: 1 << 0, 1: 1 << 1, 2: 1 << 2 | 1 << 3 | 1 << 4}
    expected = [sum(mask for bit, mask in by_source.items() if action >> bit & 1) for action in range(6)]
    masks = env.env.records["node"]["reset_always_mask"][:, :NODES]
    assert masks.ravel().tolist() == expected


def test_an_ended_episode_hands_over_its_last_observation():
    plain = rows(autoreset_mode=AutoresetMode.DISABLED)
    env = NodeVecEnv(rows())
    env.seed(0)
    env.reset()
    plain.reset(seed=[0, 2, 4])
    for _ in range(STEPS):
        seen, _, done, infos = env.step(np.zeros(ROWS * NODES, int))
        last, _, _, _, last_info = plain.step(np.zeros((ROWS, NODES), int))
    assert done.all()
    first, _ = plain.reset()
    assert np.array_equal(np.asarray(seen), first.reshape(ROWS * NODES, -1))
    for slot, info in enumerate(infos):
        assert np.array_equal(info["terminal_observation"], last.reshape(ROWS * NODES, -1)[slot])
        assert info["TimeLimit.truncated"] is True
        assert info["pgfree"] == last_info["pgfree"][slot // NODES]
    assert env.step(np.zeros(ROWS * NODES, int))[3] == [{}] * (ROWS * NODES)


def test_seeds_are_used_once():
    env = NodeVecEnv(rows())
    env.seed(7)
    first = env.reset()
    later = env.reset()
    assert env.env.records["episode"].tolist() == [1] * ROWS
    env.seed(7)
    assert np.array_equal(env.reset(), first)
    assert env.env.records["seed"].tolist() == [7, 9, 11]
    assert later.shape == first.shape and len(env.reset_infos) == ROWS * NODES


def test_what_sb3_keeps_is_not_overwritten():
    env = NodeVecEnv(rows(copy=False))
    first = env.reset()
    held = first.copy()
    env.step(np.ones(ROWS * NODES, int))
    assert np.array_equal(first, held)


def test_attributes_and_methods_by_index():
    env = NodeVecEnv(rows())
    env.reset()
    assert env.get_attr("num_nodes") == [NODES] * (ROWS * NODES)
    assert env.get_attr("kernel", [0, 3]) == ["7.0", "7.0"] and env.get_attr("kernel", 1) == ["7.0"]
    with pytest.raises(AttributeError):
        env.get_attr("no_such_thing")
    env.set_attr("render_mode", "ansi")
    assert env.env.render_mode == "ansi"
    with pytest.raises(ValueError, match="wanted all"):
        env.set_attr("render_mode", None, indices=[0])
    assert len(env.env_method("save", indices=[1, 2])) == 2
    assert env.env_is_wrapped(object) == [False] * (ROWS * NODES)  # type: ignore[arg-type]


def test_pictures_are_one_per_machine():
    env = NodeVecEnv(rows(render_mode="rgb_array"))
    env.reset()
    assert len(env.get_images()) == ROWS
    picture = env.render("rgb_array")
    assert picture is not None and picture.ndim == 3


def test_sb3_learns_on_it():
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor

    env = VecMonitor(VecCheckNan(NodeVecEnv(rows()), raise_exception=True))
    model = PPO("MlpPolicy", env, n_steps=20, batch_size=60, n_epochs=1, seed=0, device="cpu")
    model.learn(240)
    assert len(model.ep_info_buffer or ()) == 24
    weights = [p.detach().numpy().copy() for p in model.policy.parameters()]
    again = PPO("MlpPolicy", env, n_steps=20, batch_size=60, n_epochs=1, seed=0, device="cpu").learn(240)
    assert all(
        np.array_equal(w, p.detach().numpy()) for w, p in zip(weights, again.policy.parameters(), strict=True)
    )
