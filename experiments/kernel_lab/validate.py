"""Where the verdicts of model and kernel agree: signs of differences between rules, ratios of means."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from ..stats import Difference, excludes_zero, means, student_means, unpaired_differences

WITHIN = 2.0  # a rate of the model is good within this factor

Columns = Mapping[str, np.ndarray]  # metric -> one number for each run or seed, NaN: undefined


@dataclass(frozen=True)
class Sides:
    """One rule on one scenario: the kernel's repeats and the model's seeds, by metric."""

    kernel: Columns
    model: Columns


@dataclass(frozen=True)
class Pair:
    """Differences of means, a minus b; agree is None where the kernel's own interval includes zero."""

    scenario: str
    a: str
    b: str
    metric: str
    kernel: float | None
    model: float | None
    agree: bool | None


@dataclass(frozen=True)
class Ratio:
    scenario: str
    rule: str
    metric: str
    kernel: float | None
    lo: float | None
    hi: float | None
    model: float | None
    ratio: float | None  # model by kernel; None where the kernel has none of it

    @property
    def is_within(self) -> bool | None:
        return None if self.ratio is None else 1 / WITHIN <= self.ratio <= WITHIN


@dataclass(frozen=True)
class Validation:
    pairs: tuple[Pair, ...]
    ratios: tuple[Ratio, ...]

    @property
    def significant(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.agree is not None]

    @property
    def sign_agreement(self) -> float | None:
        signs = [pair.agree for pair in self.significant]
        return sum(map(bool, signs)) / len(signs) if signs else None

    def as_json(self) -> dict[str, object]:
        return {
            "pairs": [asdict(pair) for pair in self.pairs],
            "sign_agreement": self.sign_agreement,
            "ratios": [asdict(ratio) for ratio in self.ratios],
        }


def validate(scenarios: Mapping[str, Mapping[str, Sides]]) -> Validation:
    """scenario -> rule -> both sides; every pair of rules once, in the order of the rules."""
    pairs: list[Pair] = []
    ratios: list[Ratio] = []
    for scenario, rules in scenarios.items():
        for a, b in combinations(rules, 2):
            pairs += _pairs(scenario, a, b, rules[a], rules[b])
        ratios += _ratios(scenario, rules)
    return Validation(tuple(pairs), tuple(ratios))


def _pairs(scenario: str, a: str, b: str, of_a: Sides, of_b: Sides) -> Iterator[Pair]:
    kernel = unpaired_differences(_table(of_a.kernel), _table(of_b.kernel))
    model = unpaired_differences(_table(of_a.model), _table(of_b.model))
    for metric, seen, told in zip(of_a.kernel, kernel, model, strict=True):
        yield Pair(scenario, a, b, metric, seen.diff, told.diff, _agree(seen, told.diff))


def _agree(kernel: Difference, model: float | None) -> bool | None:
    """What the kernel shows and the model cannot even tell is no agreement."""
    if kernel.diff is None or not excludes_zero(kernel):
        return None
    return model is not None and (model > 0 if kernel.diff > 0 else model < 0)


def _ratios(scenario: str, rules: Mapping[str, Sides]) -> Iterator[Ratio]:
    """Metric by metric, as a reader compares rules."""
    kernel = {rule: student_means(_table(sides.kernel)) for rule, sides in rules.items()}
    model = {rule: means(_table(sides.model)) for rule, sides in rules.items()}
    for i, metric in enumerate(next(iter(rules.values())).kernel):
        for rule in rules:
            seen, told = kernel[rule][i], model[rule][i].mean
            ratio = told / seen.mean if told is not None and seen.mean else None
            yield Ratio(scenario, rule, metric, seen.mean, seen.lo, seen.hi, told, ratio)


def _table(columns: Columns) -> np.ndarray:
    """(runs, metrics)"""
    return np.stack(list(columns.values()), axis=1)
