"""The frame everything is reported from: scenario -> rule -> (seeds, metrics)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .series import Series
from .stats import Difference, Mean, differences, means, mirrored, student_means, unpaired_differences

BASELINES = ("always", "balanced")


@dataclass(frozen=True)
class Sampling:
    """What a row of the frame is, and whether row i of two rules belongs together."""

    unit: str
    is_paired: bool

    @property
    def differences(self) -> Callable[[np.ndarray, np.ndarray], list[Difference]]:
        return differences if self.is_paired else unpaired_differences

    @property
    def means(self) -> Callable[[np.ndarray], list[Mean]]:
        return means if self.is_paired else student_means

    @property
    def mean_method(self) -> str:
        return "bootstrapped, of fewer than five Student's" if self.is_paired else "Student's"

    @property
    def pairing(self) -> str:
        return "paired" if self.is_paired else "unpaired"

    @property
    def method(self) -> str:
        """How the intervals of differences came about."""
        if self.is_paired:
            return f"differences are taken {self.unit} by {self.unit}"
        return f"differences are of means, with Welch's interval: nothing pairs the {self.unit}s of two rules"


SEEDS = Sampling("seed", is_paired=True)
BOOTS = Sampling("boot", is_paired=False)  # of a real kernel: the same seed is not the same run


@dataclass(frozen=True)
class OverFamilies:
    """Of a rule: mean over families of cost over the family's scale, and the family where it is largest."""

    rule: str
    relative: Mean
    worst_family: str
    worst: float


@dataclass(frozen=True)
class ScenarioResults:
    name: str
    description: str
    duration_s: float
    workloads: tuple[str, ...]
    cgroups: tuple[str, ...]
    metrics: tuple[str, ...]
    values: dict[str, np.ndarray]  # rule -> (seeds, metrics), searches perhaps fewer; NaN: undefined
    series: dict[str, Series] = field(default_factory=dict)  # rule -> the first seed's episode
    sampling: Sampling = SEEDS
    untold: str = ""  # what the scenario's source, or the model, does not tell
    searches: tuple[str, ...] = ()  # those of the rows that are ceilings, no rules

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(self.values)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Those that were run: boots of a real kernel are asked for rule by rule."""
        return tuple(rule for rule in BASELINES if rule in self.rules)

    def is_defined(self, metric: str) -> bool:
        """Whether any rule has a number of it."""
        return any(self.mean(rule, metric).mean is not None for rule in self.rules)

    def column(self, metric: str) -> int:
        return self.metrics.index(metric)

    @cached_property
    def _means(self) -> dict[str, list[Mean]]:
        return {rule: self.sampling.means(values) for rule, values in self.values.items()}

    @cached_property
    def _differences(self) -> dict[tuple[str, str], list[Difference]]:
        """Every ordered pair of two rules, on the seeds of both; the mirrored half is not computed twice."""
        found: dict[tuple[str, str], list[Difference]] = {}
        for i, a in enumerate(self.rules):
            for b in self.rules[i + 1 :]:
                of_a, of_b = self.values[a], self.values[b]
                nr = min(len(of_a), len(of_b)) if self.sampling.is_paired else None
                found[a, b] = self.sampling.differences(of_a[:nr], of_b[:nr])
                found[b, a] = [mirrored(difference) for difference in found[a, b]]
        return found

    def mean(self, rule: str, metric: str) -> Mean:
        return self._means[rule][self.column(metric)]

    def difference(self, a: str, b: str, metric: str) -> Difference:
        return self._differences[a, b][self.column(metric)]

    def as_json(self) -> dict[str, Any]:
        return {
            "rules": {
                rule: {name: mean.as_json() for name, mean in zip(self.metrics, found, strict=True)}
                for rule, found in self._means.items()
            },
            self.sampling.pairing: {
                f"{a}_vs_{b}": {name: gap.as_json() for name, gap in zip(self.metrics, found, strict=True)}
                for (a, b), found in self._differences.items()
            },
        }


@dataclass(frozen=True)
class Results:
    scenarios: tuple[ScenarioResults, ...]
    nr_seeds: int
    kernel: str
    weights: str
    command: str
    sampling: Sampling = SEEDS
    limits: str = ""  # what the numbers cannot say, to stand beside every figure
    overall: tuple[OverFamilies, ...] = ()  # where the scenarios are families

    @property
    def setting(self) -> str:
        """The kernel, and the weights of the cost where there is one."""
        weights = f", cost weights {self.weights}" if self.weights else ""
        return f"kernel {self.kernel}{weights}"

    def as_json(self) -> dict[str, Any]:
        """What `reclaim compare --json` prints; undefined is null."""
        return {"scenarios": {scenario.name: scenario.as_json() for scenario in self.scenarios}}
