"""`reclaim sensitivity`: does the verdict depend on a number nobody measured, and from which value on?

Every assumed number is swept alone from low to high. Where a claim that holds at the file's value stops
holding, the point is narrowed down to 10 %.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from reclaim_env.scenario import Scenario, ScenarioError
from reclaim_env.scenario.workloads import Assumed

from .contender import of_rule
from .evaluate import evaluate, evaluation_seeds
from .identity import Setting
from .reporting.tables import WIDTH, paragraph
from .results import BASELINES
from .stats import Difference, differences

FLIP_WIDTH_RATIO = 1.1
MAX_BISECTIONS = 12
METRICS = ("cost_s", "kswapd_cpu_s", "bystander_refault_mib", "allocstall")


@dataclass(frozen=True)
class Point:
    """Both baselines at one value of one number."""

    value: float
    old: dict[str, float]  # mean over the seeds
    new: dict[str, float]
    cost: Difference  # new minus old, seed by seed


@dataclass(frozen=True)
class Claim:
    name: str
    holds: Callable[[Point], bool]


CLAIMS = (
    Claim("balanced is cheaper", lambda p: p.new["cost_s"] < p.old["cost_s"]),
    Claim("always is cheaper", lambda p: p.old["cost_s"] < p.new["cost_s"]),
    Claim("both cost the same", lambda p: p.old["cost_s"] == p.new["cost_s"]),
    Claim("kswapd CPU falls 10 times", lambda p: falls(p, "kswapd_cpu_s", 10)),
    Claim("bystanders' refaults fall 10 times", lambda p: falls(p, "bystander_refault_mib", 10)),
    Claim("allocstall rises 50 times", lambda p: p.new["allocstall"] > 0 and rises(p, "allocstall", 50)),
)


def falls(point: Point, metric: str, factor: float) -> bool:
    return point.old[metric] > 0 and point.old[metric] >= factor * point.new[metric]


def rises(point: Point, metric: str, factor: float) -> bool:
    return point.new[metric] >= factor * point.old[metric]


@dataclass
class Sweep:
    """One assumed number: what was computed, and for each claim where it holds."""

    assumed: Assumed
    nominal: float
    whole: bool  # the field takes integers only
    points: dict[float, Point] = field(default_factory=dict)
    refused: dict[float, str] = field(default_factory=dict)  # values the scenario cannot take
    holds: dict[str, tuple[float, float]] = field(default_factory=dict)  # around the file's value
    flips: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


def sweep(
    scenario: Scenario, setting: Setting, nr_seeds: int, nr_points: int, progress: Callable[[str, int], None]
) -> list[Sweep]:
    nominal = compute(scenario, 0.0, setting, nr_seeds)
    found = []
    for assumed in scenario.assumed:
        progress(assumed.field, 0)
        value = scenario.value_at(assumed.field)
        one = Sweep(assumed, float(value), whole=isinstance(value, int))
        one.points[one.nominal] = Point(one.nominal, nominal.old, nominal.new, nominal.cost)
        _fill(one, lambda value, path=assumed.field: at(scenario, path, value, setting, nr_seeds), nr_points)
        found.append(one)
        progress(assumed.field, 1)
    return found


def at(scenario: Scenario, path: str, value: float, setting: Setting, nr_seeds: int) -> Point:
    return compute(scenario.with_value(path, value), value, setting, nr_seeds)


def compute(scenario: Scenario, value: float, setting: Setting, nr_seeds: int) -> Point:
    seeds = evaluation_seeds(nr_seeds)
    old, new = (evaluate(scenario, of_rule(rule), seeds, setting).metrics for rule in BASELINES)
    (cost,) = differences(new["cost_s"][:, None], old["cost_s"][:, None])
    return Point(value, _means(old), _means(new), cost)


def _means(metrics: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(metrics[name].mean()) for name in METRICS}


def grid(low: float, high: float, nr_points: int, whole: bool) -> list[float]:
    """Geometric where the range allows it."""
    spaced = np.geomspace(low, high, nr_points) if low > 0 else np.linspace(low, high, nr_points)
    return [
        min(max(_settable(value, whole), low), high) for value in spaced
    ]  # rounded, but never past an end


def middle(low: float, high: float, whole: bool) -> float:
    return _settable((low * high) ** 0.5 if low > 0 else (low + high) / 2, whole)


def _settable(value: float, whole: bool) -> float:
    return float(round(value)) if whole else float(f"{value:.8g}")


def _fill(one: Sweep, at_value: Callable[[float], Point], nr_points: int) -> None:
    def ensure(value: float) -> None:
        if value in one.points or value in one.refused:
            return
        try:
            one.points[value] = at_value(value)
        except ScenarioError as error:
            one.refused[value] = str(error)

    for value in grid(one.assumed.low, one.assumed.high, nr_points, one.whole):
        ensure(value)
    for claim in CLAIMS:
        if claim.holds(one.points[one.nominal]):
            one.flips[claim.name] = list(_flips(one, claim, ensure))
            one.holds[claim.name] = _around(one, claim)


def _flips(one: Sweep, claim: Claim, ensure: Callable[[float], None]) -> Iterator[tuple[float, float]]:
    """Each pair of neighbouring grid values between which the claim changes, narrowed down."""
    values = sorted(one.points)
    for low, high in pairwise(values):
        before = claim.holds(one.points[low])
        if before == claim.holds(one.points[high]):
            continue
        for _ in range(MAX_BISECTIONS):
            between = middle(low, high, one.whole)
            if close(low, high, one.assumed) or not low < between < high:
                break
            ensure(between)
            if between in one.refused:
                break
            if claim.holds(one.points[between]) == before:
                low = between
            else:
                high = between
        yield low, high


def close(low: float, high: float, assumed: Assumed) -> bool:
    """Is the place known within a tenth of itself, and of the range that was swept?"""
    if low > 0 and high > FLIP_WIDTH_RATIO * low:
        return False
    return high - low <= (FLIP_WIDTH_RATIO - 1) * (assumed.high - assumed.low)


def _around(one: Sweep, claim: Claim) -> tuple[float, float]:
    """The computed values next to the file's, on either side, up to which the claim holds without a gap."""
    values = sorted(one.points)
    here = values.index(one.nominal)
    low, high = here, here
    while low > 0 and claim.holds(one.points[values[low - 1]]):
        low -= 1
    while high + 1 < len(values) and claim.holds(one.points[values[high + 1]]):
        high += 1
    return values[low], values[high]


def as_json(scenario: Scenario, sweeps: list[Sweep]) -> dict[str, Any]:
    return {"scenario": scenario.name, "assumed": {one.assumed.field: _sweep_json(one) for one in sweeps}}


def _sweep_json(one: Sweep) -> dict[str, object]:
    return {
        "low": one.assumed.low,
        "high": one.assumed.high,
        "value": one.nominal,
        "why": one.assumed.why,
        "claims": {name: {"holds": one.holds[name], "flips": one.flips[name]} for name in one.holds},
        "points": [
            {
                "value": p.value,
                "cost_s": p.cost.as_json(),
                **{name: [p.old[name], p.new[name]] for name in METRICS[1:]},
            }
            for _, p in sorted(one.points.items())
        ],
        "refused": {f"{value:g}": reason for value, reason in one.refused.items()},
    }


def render(scenario: Scenario, sweeps: list[Sweep], nr_seeds: int) -> str:
    lines = [f"{scenario.name}: always against balanced, {nr_seeds} paired seeds", "=" * WIDTH]
    if not sweeps:
        lines.append("No number of this scenario is assumed.")
    for one in sweeps:
        lines += ["", *paragraph(f"{one.assumed.field}: {_number(one.nominal)}, swept {_swept(one)}")]
        always_true = [name for name in one.holds if not one.flips[name]]
        if always_true:
            lines += paragraph(f"throughout: {', '.join(always_true)}", indent="  ")
        for name in (name for name in one.holds if one.flips[name]):
            lines += paragraph(_in_words(one, name), indent="  ")
        for value, reason in one.refused.items():
            lines += paragraph(f"refused at {_number(value)}: {reason}", indent="  ")
    return "\n".join(lines) + "\n"


def _swept(one: Sweep) -> str:
    return f"{_number(one.assumed.low)} to {_number(one.assumed.high)}"


def _in_words(one: Sweep, name: str) -> str:
    low, high = one.holds[name]
    places = ", ".join(f"{_number(a)} and {_number(b)}" for a, b in one.flips[name])
    return f"{name}: from {_number(low)} to {_number(high)}; changes between {places}"


def _number(value: float) -> str:
    """As a scenario file would have it: neighbouring values must differ."""
    return f"{value:.7g}"
