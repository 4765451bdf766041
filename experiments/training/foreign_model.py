"""A model that somebody saved with stable-baselines3, as a policy file."""

from collections.abc import Sequence
from pathlib import Path

from agents.policy_file import dump_policy, parse_policy
from reclaim_env.scenario import load

from .. import files
from ..wording import visible
from .algorithms import make_model
from .checkpoints import load_weights
from .learner import exported, make_env
from .lessons import Lesson
from .train_config import TrainConfig

ANY_SCENARIO = "dead_kswapd"  # a model needs an env for its spaces
ROWS = 8  # of it: stable-baselines3 warns of a rollout shorter than a batch


def convert(
    archive: Path, config: TrainConfig, command: str, target: Path, trained_on: Sequence[str] = ()
) -> None:
    """Writes target from the weights in an SB3 archive of a model of this config.

    Its pickled data are not looked at: a fresh model takes the weights, which must fit. The archive does not
    say what it was trained on: trained_on does, and an evaluation refuses that. ValueError where weights do
    not fit, where the file is damaged, foreign or too large, or where there is a target already.
    """
    if target.exists():
        raise ValueError(f"--out: {visible(str(target))}: found a file of that name, wanted a new file")
    lesson = Lesson(ANY_SCENARIO, (load(ANY_SCENARIO),))
    env = make_env(config.model_copy(update={"rows": ROWS}), [lesson], {lesson.name: 1.0})
    model = make_model(config, env)
    load_weights(model, archive)
    learned = parse_policy(exported(model, config, command))
    spec = learned.spec.model_copy(update={"trained_on": tuple(trained_on)})
    files.write_bytes(target, dump_policy(spec, learned.tensors))
