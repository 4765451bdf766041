"""Which of several runs to ship: `python -m experiments.training.choice RUN...`

The one whose policy costs least at its last validation. All runs are validated on the same episodes, as the
rule's line shows. Beside it: in how many lessons a policy costs more than the rule by more than the margin.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..benchmark.page import table
from ..verdicts import MARGIN_RATIO
from .curves import RULE_PREFIX, is_line, scalars
from .learner_tags import COST_RATIO

RULE = "balanced"
Points = Mapping[str, float]  # tag of a cost ratio -> its last value


@dataclass(frozen=True)
class Standing:
    run: str
    ratio: float
    worse: tuple[str, ...]  # lessons in which the rule costs less by more than the margin


def standings(runs: Sequence[Path]) -> list[Standing]:
    """The best first; a ValueError where runs were validated on different episodes."""
    found = {run: _last_points(run) for run in runs}
    (rule, *others) = (line for line, _ in found.values())
    if any(line != rule for line in others):
        raise ValueError(f"{RULE}: found different costs, wanted runs validated on the same episodes")
    return sorted(
        (_standing(run, rule, agent) for run, (_, agent) in found.items()), key=lambda one: one.ratio
    )


def _standing(run: Path, rule: Points, agent: Points) -> Standing:
    lessons = [name for name in agent if name != COST_RATIO]
    worse = tuple(name for name in lessons if agent[name] > rule[name] + MARGIN_RATIO)
    return Standing(run.name, agent[COST_RATIO], worse)


def _last_points(run: Path) -> tuple[Points, Points]:
    """Of the rule, and of the agent."""
    folders = sorted((run / "tensorboard").iterdir())
    (agent,) = (folder for folder in folders if not is_line(folder.name))
    return _last(run / "tensorboard" / f"{RULE_PREFIX}{RULE}"), _last(agent)


def _last(folder: Path) -> Points:
    found = scalars(folder)
    return {name: points[-1][1] for name, points in found.items() if name.startswith(COST_RATIO)}


def render(found: Sequence[Standing]) -> str:
    rows = [[f"`{one.run}`", f"{one.ratio:.3f}", str(len(one.worse))] for one in found]
    return table(["run", "cost on the validation", f"lessons worse than `{RULE}`"], rows)


def main(arguments: Sequence[str]) -> None:
    try:
        found = standings([Path(run) for run in arguments])
    except ValueError as error:
        raise SystemExit(str(error)) from None
    sys.stdout.write(render(found))


if __name__ == "__main__":
    main(sys.argv[1:])
