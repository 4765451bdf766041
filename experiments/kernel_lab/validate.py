"""Where the verdicts of model and kernel agree: signs of differences between rules, ratios of means."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from math import isfinite

import numpy as np

CONFIDENCE_RATIO = 0.95
WITHIN = 2.0  # a rate of the model is good within this factor

Columns = Mapping[str, np.ndarray]  # metric -> one number for each run or seed, NaN: undefined


@dataclass(frozen=True)
class Sides:
    """One rule on one scenario: the kernel's repeats and the model's seeds, by metric."""

    kernel: Columns
    model: Columns


@dataclass(frozen=True)
class Pair:
    """Differences of means, a minus b; agree is None where the kernel itself shows no sign."""

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


def welch(a: np.ndarray, b: np.ndarray) -> tuple[float, float] | None:
    """95 % interval of mean(a) - mean(b), unpaired, variances apart; None where there is none to compute."""
    if min(len(a), len(b)) < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
    gap, variance = float(a.mean() - b.mean()), float(parts.sum())
    if variance == 0:
        return gap, gap
    freedom = variance**2 / float(parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    half = _student(freedom) * variance**0.5
    return gap - half, gap + half


def interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """Student's 95 % interval of a mean."""
    if len(values) < 2 or not np.isfinite(values).all():
        return None, None
    half = _student(len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return float(values.mean()) - half, float(values.mean()) + half


def _student(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + CONFIDENCE_RATIO) / 2))


def _pairs(scenario: str, a: str, b: str, of_a: Sides, of_b: Sides) -> Iterator[Pair]:
    for metric in of_a.kernel:
        kernel = _gap(of_a.kernel[metric], of_b.kernel[metric])
        model = _gap(of_a.model[metric], of_b.model[metric])
        bounds = welch(of_a.kernel[metric], of_b.kernel[metric])
        yield Pair(scenario, a, b, metric, kernel, model, _agree(bounds, model))


def _agree(kernel: tuple[float, float] | None, model: float | None) -> bool | None:
    """What the kernel shows and the model cannot even tell is no agreement."""
    if kernel is None or kernel[0] <= 0 <= kernel[1]:
        return None
    return model is not None and (model > 0) == (kernel[0] > 0) and model != 0


def _ratios(scenario: str, rules: Mapping[str, Sides]) -> Iterator[Ratio]:
    """Metric by metric, as a reader compares rules."""
    for metric in next(iter(rules.values())).kernel:
        for rule, sides in rules.items():
            kernel, model = _mean(sides.kernel[metric]), _mean(sides.model[metric])
            ratio = None if kernel is None or model is None or kernel == 0 else model / kernel
            yield Ratio(scenario, rule, metric, kernel, *interval(sides.kernel[metric]), model, ratio)


def _gap(a: np.ndarray, b: np.ndarray) -> float | None:
    of_a, of_b = _mean(a), _mean(b)
    return None if of_a is None or of_b is None else of_a - of_b


def _mean(values: np.ndarray) -> float | None:
    mean = float(values.mean()) if len(values) else np.nan
    return mean if isfinite(mean) else None
