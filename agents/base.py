"""The one method of an agent. Its signature is stable-baselines3's, so one evaluation serves both."""

from typing import Any, Protocol

import numpy as np


class Agent(Protocol):
    """A rule agent also has `rule`, the name of the kernel rule that the evaluator installs in the model."""

    @property
    def name(self) -> str: ...

    @property
    def rule(self) -> str | None: ...

    def predict(
        self,
        observation: np.ndarray,
        state: tuple[Any, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[Any, ...] | None]:
        """Actions for (num_envs, features) observations, or one action for (features,); and the state."""
        ...
