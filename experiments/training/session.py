"""What a learner gets from a training run, whatever it learns by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.policy_file import PolicySpec
from reclaim_env.families import frozen

from .lessons import Lesson
from .train_config import RecurrentPpoConfig, TrainConfig

Progress = Callable[[str, int], None]  # what is under way, decisions since the last call


@dataclass(frozen=True)
class Session:
    folder: Path  # its own subfolders only
    config: TrainConfig
    taught: Sequence[Lesson]
    usual_cost_s: Mapping[str, float]  # lesson -> cost of an episode
    command: str
    progress: Progress
    stopped: Callable[[], bool]  # a signal asks for an end, with what was learned saved
    validate: Callable[[bytes], Mapping[str, float]]  # a policy file's content -> TensorBoard tag -> value


def policy_spec(config: TrainConfig, features: tuple[str, ...], command: str) -> PolicySpec:
    """What a policy's file says of how it came about."""
    return PolicySpec(
        features=features,
        hidden=config.hidden,
        lstm_units=config.lstm_units if isinstance(config, RecurrentPpoConfig) else 0,
        sources=config.sources,
        made_by=command,
        trained_on=config.scenarios,
        families_hash=frozen.stored(),
    )
