"""Which of several agents to ship: `python -m experiments.training.choice RUN... [FILE...]`

Those of runs, and of files beside them, on the same episodes of the validation, of more members than a run
looks at while it learns. The one that costs least comes first; beside it, in how many lessons it costs more
than the merged rule by more than the margin.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reclaim_env import families

from ..benchmark.page import table
from ..contender import Contender, of_agent, of_rule
from ..progress import say
from ..results import BASELINES
from ..verdicts import MARGIN_RATIO
from .lessons import lessons
from .stored import AGENT_NAME, stored_config
from .train_config import TrainConfig
from .validation import Validation, usual_costs_s

MEMBERS = 16
RULE = BASELINES[1]
Ratios = Mapping[str, float]  # lesson -> cost over the worse baseline's


@dataclass(frozen=True)
class Standing:
    name: str
    ratio: float
    worse: tuple[str, ...]  # lessons in which the rule costs less by more than the margin


def standings(paths: Sequence[Path], members: int = MEMBERS) -> list[Standing]:
    """The best first; a ValueError where runs were not validated alike, or there is none."""
    runs = [path for path in paths if path.is_dir()]
    if not runs:
        raise ValueError("found no run, wanted one at least: it says what the validation is")
    config, *others = (stored_config(run) for run in runs)
    for other, run in zip(others, runs[1:], strict=True):
        if (_validated(other), other.setting) != (_validated(config), config.setting):
            raise ValueError(f"{run}: found another validation, wanted that of {runs[0]}")
    validation = Validation(lessons(_validated(config, members)), config.setting, members)
    agents = [_agent(path) for path in paths]
    contenders = [*map(of_rule, BASELINES), *agents]
    found = dict(zip(contenders, _ratios(validation, contenders), strict=True))
    rule = found[of_rule(RULE)]
    standings = [_standing(one.name, found[one], rule) for one in (of_rule(RULE), *agents)]
    return sorted(standings, key=lambda one: one.ratio)


def _agent(path: Path) -> Contender:
    """A run's by the name of its folder."""
    if not path.is_dir():
        return of_agent(path, taken=set())
    return replace(of_agent(path / AGENT_NAME, taken=set()), name=path.name)


def _validated(config: TrainConfig, members: int = 1) -> tuple[str, ...]:
    """Names of the lessons, families with so many members."""
    return tuple(
        f"{name.partition('#')[0]}#0..{members - 1}" if families.is_name(name) else name
        for name in config.validation or config.scenarios
    )


def _ratios(validation: Validation, contenders: Sequence[Contender]) -> list[Ratios]:
    """Of each contender; the baselines come first."""
    measured = []
    for one in contenders:
        say(f"{one.name} ({len(measured) + 1} of {len(contenders)})")
        measured.append(validation.measure(one))
    usual = usual_costs_s(dict(zip(BASELINES, measured, strict=False)))
    return [{lesson: found[lesson]["cost_s"] / usual[lesson] for lesson in usual} for found in measured]


def _standing(name: str, found: Ratios, rule: Ratios) -> Standing:
    worse = tuple(lesson for lesson in found if found[lesson] > rule[lesson] + MARGIN_RATIO)
    return Standing(name, float(np.mean(list(found.values()))), worse)


def render(found: Sequence[Standing]) -> str:
    rows = [[f"`{one.name}`", f"{one.ratio:.4f}", f"{len(one.worse)}", ", ".join(one.worse)] for one in found]
    return table(["", "cost on the validation", f"worse than `{RULE}`", "where"], rows)


def main(arguments: Sequence[str]) -> None:
    try:
        found = standings([Path(run) for run in arguments])
    except ValueError as error:
        raise SystemExit(str(error)) from None
    sys.stdout.write(render(found))


if __name__ == "__main__":
    main(sys.argv[1:])
