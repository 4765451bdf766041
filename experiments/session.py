"""What a learner gets from a training run, whatever it learns by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .lessons import Lesson
from .train_config import TrainConfig

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
