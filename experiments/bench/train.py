"""`reclaim bench train`: PPO from end to end, beside PPO on an env of the same shapes that costs nothing.

The free env shows what stable-baselines3 and torch take themselves: no simulator can be faster with them.
"""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from ..identity import usable_cpus, versions
from ..training import algorithms, learner
from ..training.lessons import Lesson
from ..training.train_config import PpoConfig
from .machine import machine

CONFIG = PpoConfig(rows=64, rollout_steps=128, batch_size=2048, epochs=4, hidden=(64, 64))
NR_ROLLOUTS = 2
NR_REPEATS = 3  # of both, in turn
NR_PARTS = 2 * NR_REPEATS
NR_BUFFERED = 16


class FreeEnv(VecEnv):
    """Observations drawn beforehand, no reward, no end."""

    render_mode = None

    def __init__(self, like: VecEnv):
        super().__init__(like.num_envs, like.observation_space, like.action_space)
        shape = (NR_BUFFERED, like.num_envs, *(like.observation_space.shape or ()))
        self._observations = np.random.default_rng(0).random(shape, np.float32)
        self._nothing = np.zeros(like.num_envs, np.float32)
        self._infos: list[dict[str, Any]] = [{} for _ in range(like.num_envs)]
        self._step = 0

    def reset(self) -> np.ndarray:
        return self._observations[0]

    def step_async(self, actions: np.ndarray) -> None:
        self._step += 1

    def step_wait(self) -> VecEnvStepReturn:
        observation = self._observations[self._step % NR_BUFFERED]
        return observation, self._nothing, self._nothing.astype(bool), self._infos

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        setattr(self, attr_name, value)

    def env_method(
        self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        return [getattr(self, method_name)(*args, **kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


def run(progress: Callable[[str, int], None]) -> dict[str, object]:
    """The best of a few turns of each, by the clock: node decisions per second, learning included."""
    torch.set_num_threads(1)
    timed = Lesson("ordinary", (machine(2, 4, 6, "ordinary"),))
    with closing(learner.make_env(CONFIG, [timed], {timed.name: 1.0})) as env:
        envs: dict[str, VecEnv] = {"reclaim": env, "free": FreeEnv(env)}
        models = {name: algorithms.make_model(CONFIG, one) for name, one in envs.items()}
        best: dict[str, float] = dict.fromkeys(envs, 0.0)
        for _ in range(NR_REPEATS):
            for name, model in models.items():
                progress(f"PPO on the {name} env", 0)
                best[name] = max(best[name], decisions_per_s(model))
                progress(f"PPO on the {name} env", 1)
    return {
        "node_decisions_per_s": round(best["reclaim"]),
        "free_env_node_decisions_per_s": round(best["free"]),
        "ratio": round(best["reclaim"] / best["free"], 3),
        "config": CONFIG.model_dump(mode="json", exclude={"scenarios"}),
        "machine": {"cpus": usable_cpus(), "torch_threads": 1, "versions": versions()},
    }


def decisions_per_s(model: BaseAlgorithm) -> float:
    steps = NR_ROLLOUTS * CONFIG.rollout_steps * model.n_envs
    began = time.perf_counter()
    model.learn(steps, _Silent(), log_interval=10**9, reset_num_timesteps=False)
    return steps / (time.perf_counter() - began)


class _Silent(BaseCallback):
    def _on_step(self) -> bool:
        return True


def render(found: dict) -> str:
    return (
        "node decisions per second of PPO, learning included (64 x 64, 4 epochs, batches of 2048)\n"
        f"reclaim   {found['node_decisions_per_s']:>8}\n"
        f"free env  {found['free_env_node_decisions_per_s']:>8}\n"
        f"ratio     {found['ratio']:>8}\n"
    )
