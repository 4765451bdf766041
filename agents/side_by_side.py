"""Several SB3 vector envs as one: machines with one, two and three nodes learn in one batch."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn


class SideBySide(VecEnv):
    """The slots of `envs`, one env's after the other's; all must have the same spaces."""

    def __init__(self, envs: Sequence[VecEnv]):
        first = envs[0]
        for env in envs[1:]:
            found, wanted = (
                (env.observation_space, env.action_space),
                (first.observation_space, first.action_space),
            )
            if found != wanted:
                raise ValueError(f"envs: found spaces {found} beside {wanted}, wanted the same in all")
        self.envs = tuple(envs)
        self._edges = np.cumsum([0, *(env.num_envs for env in envs)])
        super().__init__(int(self._edges[-1]), first.observation_space, first.action_space)

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Every slot its own: as one env of all slots would give them."""
        return [
            own
            for env, first in zip(self.envs, self._edges, strict=False)
            for own in env.seed(None if seed is None else seed + int(first))
        ]

    def set_options(self, options: list[dict] | dict | None = None) -> None:
        for env, first in zip(self.envs, self._edges, strict=False):
            env.set_options(options[first : first + env.num_envs] if isinstance(options, list) else options)

    def reset(self) -> np.ndarray:
        observations = [np.asarray(env.reset()) for env in self.envs]
        self.reset_infos = [info for env in self.envs for info in env.reset_infos]
        return np.concatenate(observations)

    def step_async(self, actions: np.ndarray) -> None:
        for env, first in zip(self.envs, self._edges, strict=False):
            env.step_async(actions[first : first + env.num_envs])

    def step_wait(self) -> VecEnvStepReturn:
        observations, rewards, dones, infos = zip(*(env.step_wait() for env in self.envs), strict=True)
        return (
            np.concatenate([np.asarray(observation) for observation in observations]),
            np.concatenate(rewards),
            np.concatenate(dones),
            [info for of_env in infos for info in of_env],
        )

    def close(self) -> None:
        for env in self.envs:
            env.close()

    def _chosen(self, indices: VecEnvIndices) -> list[tuple[VecEnv, int]]:
        """The env of each slot, and the slot's place in it."""
        found = []
        for slot in self._get_indices(indices):
            which = int(np.searchsorted(self._edges, slot, side="right")) - 1
            found.append((self.envs[which], int(slot - self._edges[which])))
        return found

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [env.get_attr(attr_name, place)[0] for env, place in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        if len(self._chosen(indices)) != self.num_envs:
            raise ValueError(f"{attr_name}: found some indices, wanted all: the slots of an env share it")
        for env in self.envs:
            env.set_attr(attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Called once for each env that has one of the slots."""
        chosen, results = self._chosen(indices), {}
        for env, place in chosen:
            if env not in results:
                results[env] = env.env_method(method_name, *method_args, indices=place, **method_kwargs)[0]
        return [results[env] for env, _ in chosen]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        return [env.env_is_wrapped(wrapper_class, place)[0] for env, place in self._chosen(indices)]

    def get_images(self) -> list[np.ndarray | None]:
        return [image for env in self.envs for image in env.get_images()]
