"""The frame everything is reported from: scenario -> rule -> (seeds, metrics)."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .series import Series
from .stats import Difference, Mean, differences, means, mirrored

BASELINES = ("always", "balanced")


@dataclass(frozen=True)
class ScenarioResults:
    name: str
    description: str
    duration_s: float
    workloads: tuple[str, ...]
    cgroups: tuple[str, ...]
    metrics: tuple[str, ...]
    values: dict[str, np.ndarray]  # rule -> (seeds, metrics); NaN: undefined
    series: dict[str, Series] = field(default_factory=dict)  # rule -> the first seed's episode

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(self.values)

    def column(self, metric: str) -> int:
        return self.metrics.index(metric)

    @cached_property
    def _means(self) -> dict[str, list[Mean]]:
        return {rule: means(values) for rule, values in self.values.items()}

    @cached_property
    def _differences(self) -> dict[tuple[str, str], list[Difference]]:
        """Every ordered pair of two rules; the mirrored half is not computed twice."""
        found: dict[tuple[str, str], list[Difference]] = {}
        for i, a in enumerate(self.rules):
            for b in self.rules[i + 1 :]:
                found[a, b] = differences(self.values[a], self.values[b])
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
            "paired": {
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

    def as_json(self) -> dict[str, Any]:
        """What `reclaim compare --json` prints; undefined is null."""
        return {"scenarios": {scenario.name: scenario.as_json() for scenario in self.scenarios}}
