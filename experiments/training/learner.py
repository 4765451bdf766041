"""stable-baselines3 on the env's nodes: model, learning signal, checkpoints, and the policy as a file."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecMonitor
from torch.utils.tensorboard import SummaryWriter

from agents.policy_file import dump_policy, load_policy
from agents.sb3 import NodeVecEnv
from agents.side_by_side import SideBySide
from reclaim_env.vector import ReclaimVectorEnv

from .algorithms import begin_as, log_interval, make_model, policy_tensors
from .checkpoints import (
    CHECKPOINTS,
    Diverged,
    checkpoints,
    load_checkpoint,
    refuse_non_finite,
    save_checkpoint,
)
from .lessons import Lesson, by_nr_nodes, interleaved, training_rows
from .session import Session, policy_spec
from .train_config import LearnerConfig, TrainConfig


class LearningSignal(VecEnvWrapper):
    """Divides each slot's reward by its scenario's usual cost of a step, so that scenarios weigh alike.

    Constants fixed before training, and outside of VecMonitor: what is logged stays in seconds.
    """

    def __init__(
        self, venv: VecEnv, envs: Sequence[ReclaimVectorEnv], usual_cost_s: Sequence[Sequence[float]]
    ):
        super().__init__(venv)
        self._envs, self._usual_cost_s = envs, [np.array(costs_s, np.float32) for costs_s in usual_cost_s]
        self._cost_s = np.ones(venv.num_envs, np.float32)

    def reset(self) -> Any:
        observation = self.venv.reset()
        self._weigh()
        return observation

    def step_wait(self) -> Any:
        observation, rewards, done, infos = self.venv.step_wait()
        weighed = rewards / self._cost_s
        if done.any():
            self._weigh()
        return observation, weighed, done, infos

    def _weigh(self) -> None:
        """A row's scenario may change where its episode begins."""
        by_env = [
            np.repeat(costs_s[env.scenario_of_row], env.num_nodes)
            for env, costs_s in zip(self._envs, self._usual_cost_s, strict=True)
        ]
        self._cost_s = np.concatenate(by_env)


def make_env(
    config: TrainConfig, taught: Sequence[Lesson], usual_cost_s: Mapping[str, float]
) -> LearningSignal:
    """The rows are split among the numbers of nodes there are, in the proportion of their scenarios.

    usual_cost_s: lesson -> cost of an episode.
    """
    pairs = interleaved(taught)
    scenarios = [scenario for _, scenario in pairs]
    control_s = config.setting.control_ms / 1000
    costs_s = [
        usual_cost_s[lesson.name] * control_s / (one.duration_s * len(one.node)) for lesson, one in pairs
    ]
    groups = by_nr_nodes(scenarios)
    envs = [
        training_rows(
            config,
            [scenarios[i] for i in group],
            max(round(config.rows * len(group) / len(scenarios)), 1),
            copy=False,
        )
        for group in groups
    ]
    together = VecMonitor(SideBySide([NodeVecEnv(env) for env in envs]))
    return LearningSignal(together, envs, [[costs_s[i] for i in group] for group in groups])


class _ResumedTensorBoard(TensorBoardOutputFormat):
    """Points that a killed run logged after its last checkpoint are dropped by the reader."""

    def __init__(self, folder: str, first_step: int):
        self.writer = SummaryWriter(folder, purge_step=first_step)
        self._is_closed = False


def log_to(model: BaseAlgorithm, folder: Path) -> None:
    """SB3's own tags, at SB3's own steps."""
    model.set_logger(Logger(str(folder), [_ResumedTensorBoard(str(folder), model.num_timesteps + 1)]))


def exported(model: BaseAlgorithm, config: TrainConfig, command: str) -> bytes:
    """The policy as a file for `reclaim compare --agent`."""
    env = model.get_env()
    assert env is not None
    features = tuple(feature.name for feature in env.get_attr("features", 0)[0])
    spec = policy_spec(config, features, command)
    return dump_policy(spec, policy_tensors(model))


def learn(session: Session) -> bytes:
    """Trains to the end or until it is told to stop; returns the policy's file."""
    config, saved = session.config, session.folder / CHECKPOINTS
    assert isinstance(config, LearnerConfig)
    env = make_env(config, session.taught, session.usual_cost_s)
    with closing(env):
        model = make_model(config, env)
        if earlier := checkpoints(saved):
            load_checkpoint(model, earlier[-1])
            session.progress("resumed", model.num_timesteps)
        elif config.warm_start:
            begin_as(model, load_policy(config.warm_start), config.warm_start)
        log_to(model, session.folder / "tensorboard" / config.algo)
        watch = Watch(session)
        if config.steps > model.num_timesteps:
            left = config.steps - model.num_timesteps
            interval = log_interval(config, env)
            model.learn(left, watch, log_interval=interval, reset_num_timesteps=False)
        save_checkpoint(model, saved, watch.trained_steps if session.stopped() else model.num_timesteps)
        return exported(model, config, session.command)


class Watch(BaseCallback):
    """Progress, validation, checkpoints between updates; stops on request, and before it learns from NaN."""

    def __init__(self, session: Session):
        super().__init__()
        assert isinstance(session.config, LearnerConfig)
        self._session, self._config = session, session.config
        self.trained_steps = self._saved_steps = self._next_validation = 0

    def _on_training_start(self) -> None:
        self.trained_steps = self._saved_steps = self.model.num_timesteps
        every = self._config.validate_steps
        self._next_validation = (self.trained_steps // every + 1) * every if self.trained_steps else 0

    def _on_step(self) -> bool:
        self._session.progress("training", self.training_env.num_envs)
        self._refuse_non_finite("new_obs", "rewards")
        return not self._session.stopped()

    def _refuse_non_finite(self, *names: str) -> None:
        for name in names:
            if not np.isfinite(self.locals[name]).all():
                raise Diverged(f"training: found a NaN or infinity in {name} at step {self.num_timesteps}")

    def _on_rollout_start(self) -> None:
        """The policy has been updated with everything collected so far."""
        self.trained_steps = self.model.num_timesteps
        if self.trained_steps >= self._next_validation:
            self._next_validation += self._config.validate_steps
            self._show_validation()
        if self.trained_steps - self._saved_steps >= self._config.checkpoint_steps:
            save_checkpoint(self.model, self._session.folder / CHECKPOINTS, self.trained_steps)
            self._saved_steps = self.trained_steps

    def _on_training_end(self) -> None:
        if not self._session.stopped():
            self._show_validation()

    def _show_validation(self) -> None:
        refuse_non_finite(self.model)
        policy_file = exported(self.model, self._config, self._session.command)
        points = dict(self._session.validate(policy_file))
        for output in self.logger.output_formats:  # not what SB3 has recorded for its own next point
            output.write(points, dict.fromkeys(points, ()), self.model.num_timesteps)
