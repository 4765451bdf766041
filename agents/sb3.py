"""The vector env as stable-baselines3 sees it: one policy shared by all nodes.

Every (row, node) is a slot of its own, with its node's features, its node's choice and its node's share
of the cost, so that a policy does not depend on how many nodes a machine has.

SB3 takes no gymnasium vector env and ships no checker for its own; tests/agents/test_sb3_adapter.py is ours.
"""

from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from reclaim_env.action import bits_of_choices, nr_choices
from reclaim_env.observation import observation_space
from reclaim_env.vector import ReclaimVectorEnv


class NodeVecEnv(VecEnv):
    """Slot row * num_nodes + nid is node nid of that row."""

    def __init__(self, env: ReclaimVectorEnv):
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ValueError(f"autoreset_mode: found {env.autoreset_mode}, wanted SAME_STEP, as SB3 resets")
        self.env = env
        self.slots_per_row = env.num_nodes
        super().__init__(env.num_envs * self.slots_per_row, *self._spaces())
        self._actions = np.zeros(0)

    def _spaces(self) -> tuple[spaces.Space, spaces.Space]:
        return observation_space(self.env.features, 1), spaces.Discrete(nr_choices(self.env.sources))

    def reset(self) -> np.ndarray:
        """Seeds given by seed() are used once: a row takes its first slot's; without one it goes on."""
        options = self._options[0] or None
        observation, info = self.env.reset(seed=self._seeds[:: self.slots_per_row], options=options)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = self._by_slot(info, np.arange(self.env.num_envs))
        return self._slots(observation)

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        observation, _, _, truncated, info = self.env.step(self._row_actions(self._actions))
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(truncated)
        if len(ended):
            self._note_ends(infos, info, ended)
        done = np.repeat(truncated, self.slots_per_row)
        return self._slots(observation), self._slot_rewards(), done, infos

    def _slots(self, observation: np.ndarray) -> np.ndarray:
        """A copy: SB3 keeps what it is given, and the env may be one that reuses its array."""
        return observation.reshape(self.num_envs, -1).copy()

    def _row_actions(self, actions: np.ndarray) -> np.ndarray:
        return bits_of_choices(np.asarray(actions), self.env.sources).reshape(self.env.num_envs, -1)

    def _slot_rewards(self) -> np.ndarray:
        return (0.0 - self.env.node_lost_s @ self.env.weights).reshape(-1).astype(np.float32)

    def _note_ends(self, infos: list[dict[str, Any]], info: dict[str, Any], ended: np.ndarray) -> None:
        """Without these two, a learner bootstraps from the next episode's first observation."""
        last = np.stack(info["final_obs"][ended]).reshape(len(ended) * self.slots_per_row, -1)
        final = self._by_slot(info["final_info"], ended)
        slots = (ended[:, np.newaxis] * self.slots_per_row + np.arange(self.slots_per_row)).ravel()
        for slot, observation, numbers in zip(slots, last, final, strict=True):
            infos[slot] = {**numbers, "terminal_observation": observation, "TimeLimit.truncated": True}

    def _by_slot(self, info: dict[str, Any], rows: np.ndarray) -> list[dict[str, Any]]:
        """One dictionary for each slot of these rows; the slots of a row hold the same numbers."""
        names = [name for name in info if not name.startswith("_")]
        columns = [info[name][rows].tolist() for name in names]
        by_row = [dict(zip(names, numbers, strict=True)) for numbers in zip(*columns, strict=True)]
        return [dict(numbers) for numbers in by_row for _ in range(self.slots_per_row)]

    def close(self) -> None:
        self.env.close()

    # SB3 asks for attributes and methods slot by slot; all slots are doors to the one env.

    def _chosen(self, indices: VecEnvIndices) -> Iterable[int]:
        return self._get_indices(indices)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        value = getattr(self.env, attr_name)
        return [value for _ in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        if len(list(self._chosen(indices))) != self.num_envs:
            raise ValueError(f"{attr_name}: found some indices, wanted all: the slots share one env")
        setattr(self.env, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Called once; every index gets what it returned."""
        result = getattr(self.env, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._chosen(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        return [False for _ in self._chosen(indices)]

    def get_images(self) -> list[np.ndarray | None]:
        """One picture per row, at its first slot, so that a tiled image shows every machine once."""
        return list(self.env.render() or ())
