"""A model that somebody saved with stable-baselines3, as a policy file."""

from pathlib import Path

from reclaim_env.scenario import load

from .. import files
from .algorithms import make_model
from .checkpoints import load_weights
from .learner import exported, make_env
from .lessons import Lesson
from .train_config import TrainConfig

ANY_SCENARIO = "dead_kswapd"  # a model needs an env for its spaces


def convert(archive: Path, config: TrainConfig, command: str, target: Path) -> None:
    """Writes target from the weights in an SB3 archive of a model of this config.

    Its pickled data are not looked at: a fresh model takes the weights, which must fit. ValueError where they
    do not, or where the file is damaged, foreign or too large.
    """
    lesson = Lesson(ANY_SCENARIO, (load(ANY_SCENARIO),))
    env = make_env(config.model_copy(update={"rows": 1}), [lesson], {lesson.name: 1.0})
    model = make_model(config, env)
    load_weights(model, archive)
    files.write_bytes(target, exported(model, config, command))
