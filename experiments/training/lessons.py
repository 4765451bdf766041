"""What an agent learns from and is validated on: scenarios, and members of families, alike by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from reclaim_env.scenario import Scenario, load_all
from reclaim_env.vector import ReclaimVectorEnv

from ..contender import Contender
from ..evaluate import evaluate_each
from ..identity import Setting, usable_cpus
from ..wording import visible
from .train_config import TrainConfig


@dataclass(frozen=True)
class Lesson:
    """A name of a config, and the scenarios it stands for."""

    name: str
    scenarios: tuple[Scenario, ...]


def lessons(names: Sequence[str]) -> tuple[Lesson, ...]:
    """Every name loaded; a ValueError where two are alike or episodes differ in length."""
    found = tuple(Lesson(name, tuple(load_all([name]))) for name in names)
    taken = [scenario.name for lesson in found for scenario in lesson.scenarios]
    for name in taken:
        if taken.count(name) > 1:
            raise ValueError(f"--scenario: found {visible(name)} twice, wanted names that differ")
    lengths = sorted({scenario.duration_s for lesson in found for scenario in lesson.scenarios})
    if len(lengths) > 1:
        listed = ", ".join(f"{length:g}" for length in lengths)
        raise ValueError(f"--scenario: found episodes of {listed} s, wanted the same duration_s in all")
    return found


def interleaved(taught: Sequence[Lesson]) -> list[tuple[Lesson, Scenario]]:
    """The first scenario of every lesson, then the second of each: any run of them is a fair mixture."""
    longest = max(len(lesson.scenarios) for lesson in taught)
    return [
        (lesson, lesson.scenarios[i])
        for i in range(longest)
        for lesson in taught
        if i < len(lesson.scenarios)
    ]


def by_nr_nodes(scenarios: Sequence[Scenario]) -> list[list[int]]:
    """Indices of the scenarios with as many nodes as each other: one vector env can hold them."""
    counts = sorted({len(scenario.node) for scenario in scenarios})
    return [[i for i, one in enumerate(scenarios) if len(one.node) == count] for count in counts]


def training_rows(
    config: TrainConfig, scenarios: Sequence[Scenario], num_envs: int, **more: Any
) -> ReclaimVectorEnv:
    """Rows that play the scenarios in turn, as the config says; `more` are other arguments of the env."""
    return ReclaimVectorEnv(
        num_envs=num_envs,
        scenario=list(scenarios),
        kernel=config.kernel,
        reward=config.weights,
        control_ms=config.setting.control_ms,
        episode_s=scenarios[0].duration_s,
        sources=config.sources,
        autoreset_mode=AutoresetMode.SAME_STEP,
        threads=usable_cpus(),
        **more,
    )


def episodes(
    scenarios: Sequence[Scenario], seeds: Sequence[int], contender: Contender, setting: Setting
) -> dict[str, np.ndarray]:
    """One episode of each scenario with its seed: metric of the whole machine -> (scenarios,)."""
    found: dict[str, np.ndarray] = {}
    for group in by_nr_nodes(scenarios):
        values = evaluate_each([scenarios[i] for i in group], contender, [seeds[i] for i in group], setting)
        for name, of_group in values.items():
            found.setdefault(name, np.full(len(scenarios), np.nan))[group] = of_group
    return found
