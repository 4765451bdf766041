"""stable-baselines3 on the env's nodes: model, learning signal, checkpoints, and the policy as a file."""

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecMonitor
from torch.utils.tensorboard import SummaryWriter

from agents.policy_file import PolicySpec, dump_policy
from agents.sb3 import NodeVecEnv
from agents.side_by_side import SideBySide
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from . import files
from .algorithms import policy_tensors
from .learner_tags import TRACKED
from .metrics import describe, tag
from .train_config import RecurrentPpoConfig, TrainConfig

CHECKPOINT_NAME = re.compile(r"step-\d{12}\.zip")
CHECKPOINT_MEMBERS = {
    "data",
    "policy.pth",
    "policy.optimizer.pth",
    "pytorch_variables.pth",
    "_stable_baselines3_version",
    "system_info.txt",
}
MAX_CHECKPOINT_BYTES = 64 * 2**20
KEPT_CHECKPOINTS = 2


class Diverged(ValueError):
    """A NaN or an infinity where a number belongs; what was saved before it is good."""


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

    @property
    def slots_of_rows(self) -> list[range]:
        """The slots of each machine."""
        counts = [env.num_nodes for env in self._envs for _ in range(env.num_envs)]
        ends = np.cumsum(counts)
        return [range(end - count, end) for end, count in zip(ends.tolist(), counts, strict=True)]

    def reset(self) -> Any:
        return self.venv.reset()

    def step_async(self, actions: np.ndarray) -> None:
        """A row's scenario may change where its episode ends in the step: the one that acts now counts."""
        by_env = [
            np.repeat(costs_s[env.scenario_of_row], env.num_nodes)
            for env, costs_s in zip(self._envs, self._usual_cost_s, strict=True)
        ]
        self._cost_s = np.concatenate(by_env)
        self.venv.step_async(actions)

    def step_wait(self) -> Any:
        observation, rewards, done, infos = self.venv.step_wait()
        return observation, rewards / self._cost_s, done, infos


def make_env(
    config: TrainConfig, scenarios: Sequence[Scenario], usual_cost_s: Sequence[float], threads: int = 1
) -> LearningSignal:
    """The rows are split among the numbers of nodes there are, in the proportion of their scenarios."""
    groups = by_nr_nodes(scenarios)
    envs = [
        ReclaimVectorEnv(
            num_envs=max(round(config.rows * len(group) / len(scenarios)), 1),
            scenario=[scenarios[i] for i in group],
            kernel=config.kernel,
            reward=config.weights,
            episode_s=scenarios[0].duration_s,
            sources=config.sources,
            autoreset_mode=AutoresetMode.SAME_STEP,
            copy=False,
            threads=threads,
        )
        for group in groups
    ]
    costs_s = [[usual_cost_s[i] for i in group] for group in groups]
    return LearningSignal(VecMonitor(SideBySide([NodeVecEnv(env) for env in envs])), envs, costs_s)


def by_nr_nodes(scenarios: Sequence[Scenario]) -> list[list[int]]:
    """Indices of the scenarios with as many nodes as each other: one vector env can hold them."""
    counts = sorted({len(scenario.node) for scenario in scenarios})
    return [[i for i, one in enumerate(scenarios) if len(one.node) == count] for count in counts]


class _ResumedTensorBoard(TensorBoardOutputFormat):
    """Points that a killed run logged after its last checkpoint are dropped by the reader."""

    def __init__(self, folder: str, first_step: int):
        self.writer = SummaryWriter(folder, purge_step=first_step)
        self._is_closed = False


def log_to(model: BaseAlgorithm, folder: Path) -> None:
    """SB3's own tags, at SB3's own steps."""
    model.set_logger(Logger(str(folder), [_ResumedTensorBoard(str(folder), model.num_timesteps + 1)]))


def checkpoints(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path for path in folder.glob("step-*.zip") if CHECKPOINT_NAME.fullmatch(path.name))


def steps_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.removeprefix("step-"))


def save_checkpoint(model: BaseAlgorithm, folder: Path, steps: int) -> None:
    """All of it or none; the last few are kept."""
    refuse_non_finite(model)
    buffer = io.BytesIO()
    model.save(buffer)
    files.write_bytes(folder / f"step-{steps:012d}.zip", buffer.getvalue())
    for old in checkpoints(folder)[:-KEPT_CHECKPOINTS]:
        old.unlink()


def load_checkpoint(model: BaseAlgorithm, path: Path) -> None:
    """Weights and optimiser only: SB3's own load() would run code from a stranger's file."""
    _refuse_archive(path)
    try:
        _, parameters, _ = load_from_zip_file(path, device="cpu", load_data=False)
        model.set_parameters(parameters, exact_match=True, device="cpu")
    except Exception as error:  # torch and zipfile raise a dozen kinds for a damaged file
        raise ValueError(
            f"{path.name}: found {type(error).__name__}, wanted a checkpoint of this run"
        ) from None
    refuse_non_finite(model)
    model.num_timesteps = steps_of(path)


def _refuse_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile):
        raise ValueError(f"{path.name}: found a damaged file, wanted a checkpoint") from None
    if not {member.filename for member in members} <= CHECKPOINT_MEMBERS:
        raise ValueError(f"{path.name}: found members of something else, wanted a checkpoint")
    if sum(member.file_size for member in members) > MAX_CHECKPOINT_BYTES:
        raise ValueError(f"{path.name}: found more than {MAX_CHECKPOINT_BYTES} bytes, wanted a checkpoint")


def refuse_non_finite(model: BaseAlgorithm) -> None:
    for name, parameter in model.policy.named_parameters():
        if not torch.isfinite(parameter).all():
            raise Diverged(f"training: found a NaN or infinity in {name} at step {model.num_timesteps}")


def exported(model: BaseAlgorithm, config: TrainConfig, command: str) -> bytes:
    """The policy as a file for `reclaim compare --agent`."""
    env = model.get_env()
    assert env is not None
    features = tuple(feature.name for feature in env.get_attr("features", 0)[0])
    spec = PolicySpec(
        features=features,
        hidden=config.hidden,
        lstm_units=config.lstm_units if isinstance(config, RecurrentPpoConfig) else 0,
        sources=config.sources,
        made_by=command,
    )
    return dump_policy(spec, policy_tensors(model))


class Watch(BaseCallback):
    """Progress, tags, checkpoints between updates; stops on request, and before learning from bad numbers."""

    def __init__(
        self,
        folder: Path,
        checkpoint_steps: int,
        slots_of_rows: Sequence[range],
        stopped: Callable[[], bool],
        progress: Callable[[str, int], None],
    ):
        super().__init__()
        self._folder, self._checkpoint_steps, self._slots_of_rows = folder, checkpoint_steps, slots_of_rows
        self._stopped, self._progress = stopped, progress
        self._ended: list[dict[str, Any]] = []
        self.trained_steps = self._saved_steps = 0

    def _on_training_start(self) -> None:
        self.trained_steps = self._saved_steps = self.model.num_timesteps

    def _on_step(self) -> bool:
        self._progress("training", self.training_env.num_envs)
        self._refuse_non_finite("new_obs", "rewards")
        infos = self.locals["infos"]
        for slots in self._slots_of_rows if self.locals["dones"].any() else ():
            if self.locals["dones"][slots.start]:
                returns = [infos[slot]["episode"]["r"] for slot in slots]
                self._ended.append({**infos[slots.start], "cost_s": -sum(returns)})
        return not self._stopped()

    def _on_rollout_end(self) -> None:
        for name, value in episode_means(self._ended).items():
            self.logger.record(tag(name), value)
        self._ended.clear()

    def _refuse_non_finite(self, *names: str) -> None:
        for name in names:
            if not np.isfinite(self.locals[name]).all():
                raise Diverged(f"training: found a NaN or infinity in {name} at step {self.num_timesteps}")

    def _on_rollout_start(self) -> None:
        """The policy has been updated with everything collected so far."""
        self.trained_steps = self.model.num_timesteps
        if self.trained_steps - self._saved_steps >= self._checkpoint_steps:
            save_checkpoint(self.model, self._folder, self.trained_steps)  # type: ignore[arg-type]
            self._saved_steps = self.trained_steps


def episode_means(ended: list[dict[str, Any]]) -> dict[str, float]:
    """Tracked name -> mean over the episodes that ended; none, no numbers."""
    if not ended:
        return {}
    means = {
        name: float(
            np.mean([describe(name).of({k: np.asarray(v) for k, v in info.items()}) for info in ended])
        )
        for name in TRACKED
    }
    return {**means, "cost_s": float(np.mean([info["cost_s"] for info in ended]))}
