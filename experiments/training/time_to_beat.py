"""How long a run takes to cost less than `balanced`: `python -m experiments.training.time_to_beat [SEED]`

From nothing but a config: the rules' lines, the labels and each validation count. Compiling the model, once
per version, does not.
"""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evaluate import compile_model
from ..identity import usable_cpus
from ..progress import say
from . import train
from .curves import RULE_PREFIX, curves
from .learner_tags import COST_RATIO
from .lessons import lessons
from .train_config import read_config

CONFIG = Path(__file__).parents[1] / "configs" / "mixture.toml"
RULE = "balanced"
Timed = list[tuple[float, float]]  # (s since the start, cost ratio) of each validation


def timed(asked: Mapping[str, Any], folder: Path) -> tuple[Timed, float]:
    """The agent's points as they came, and the rule's cost ratio on the same episodes."""
    found: Timed = []
    began = time.monotonic()

    def note(points: Mapping[str, float]) -> None:
        found.append((time.monotonic() - began, points[COST_RATIO]))

    train.run(asked, folder, command="time_to_beat", on_validation=note)
    return found, curves(folder)[f"{RULE_PREFIX}{RULE}"][0][1]


def render(found: Timed, rule_ratio: float) -> str:
    lines = [f"`{RULE}`: {rule_ratio:.3f} of the worse baseline's cost on the validation"]
    lines += [f"{seconds:6.1f} s: {ratio:.3f}" for seconds, ratio in found]
    beaten = next((seconds for seconds, ratio in found if ratio < rule_ratio), None)
    when = "not beaten" if beaten is None else f"beaten after {beaten:.1f} s"
    return "\n".join([*lines, f"{when}, {usable_cpus()} CPUs"]) + "\n"


def main(arguments: Sequence[str]) -> None:
    asked: dict[str, Any] = {**read_config(CONFIG), "seed": int(arguments[0]) if arguments else 0}
    compile_model(lessons(asked["scenarios"])[0].scenarios[0], lambda words, steps: say(words))
    with tempfile.TemporaryDirectory() as parent:
        sys.stdout.write(render(*timed(asked, Path(parent) / "run")))


if __name__ == "__main__":
    main(sys.argv[1:])
