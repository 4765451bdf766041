"""Vector envs side by side are what they are alone."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

pytest.importorskip("stable_baselines3")

from agents.sb3 import NodeVecEnv
from agents.side_by_side import SideBySide
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively


def node_env(num_envs: int, **arguments) -> NodeVecEnv:
    given = {"scenario": lively(), "episode_s": 1, "autoreset_mode": AutoresetMode.SAME_STEP, **arguments}
    return NodeVecEnv(ReclaimVectorEnv(num_envs, **given))


def test_each_env_goes_on_as_if_it_were_alone():
    """Across the end of an episode; seeds are those of one env with all the slots."""
    both, one, other = SideBySide([node_env(2), node_env(1)]), node_env(2), node_env(1)
    for env, seed in ((both, 5), (one, 5), (other, 5 + 4)):
        env.seed(seed)
    assert np.array_equal(both.reset(), np.concatenate([one.reset(), other.reset()]))
    rng, ended = np.random.default_rng(0), 0
    for _ in range(15):
        actions = rng.integers(0, 2, 6)
        seen, apart = both.step(actions), (one.step(actions[:4]), other.step(actions[4:]))
        for i in range(3):
            together = np.concatenate([np.asarray(alone[i]) for alone in apart])
            assert np.array_equal(np.asarray(seen[i]), together)
        assert [info.get("TimeLimit.truncated") for info in seen[3]] == [
            info.get("TimeLimit.truncated") for alone in apart for info in alone[3]
        ]
        ended += seen[2].sum()
    assert ended == 6


def test_attributes_are_those_of_the_slots_own_env():
    both = SideBySide([node_env(2), node_env(1)])
    assert both.get_attr("num_envs") == [2, 2, 2, 2, 1, 1] and both.get_attr("num_envs", 5) == [1]
    assert both.env_method("fork", indices=[0, 4])[1].num_envs == 1
    both.set_attr("render_mode", "ansi")
    both.reset()
    assert len(both.get_images()) == 3
    with pytest.raises(ValueError, match="render_mode: found some indices"):
        both.set_attr("render_mode", None, [0])


def test_envs_of_other_spaces_are_refused():
    with pytest.raises(ValueError, match="wanted the same in all"):
        SideBySide([node_env(1), node_env(1, sources=True)])
