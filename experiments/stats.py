"""Means and differences with 95 % intervals: of seeds bootstrapped and paired, of boots Student's, Welch's.

Fewer than FEWEST_RESAMPLED seeds have Student's interval: what resampling would make of them ends at the
least and the greatest, which hold the mean of 2 seeds one time in two, and of 4 seven times in eight.

An undefined value (nothing was scanned, so no efficiency) is NaN in the arrays here and null in
what is printed. One undefined seed makes the mean undefined: leaving it out would compare rules
over different seeds.
"""

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

NR_RESAMPLES = 4000
BOOTSTRAP_SEED = 20_260_106  # stored in the manifest
CONFIDENCE_RATIO = 0.95
FEWEST_RESAMPLED = 5


@dataclass(frozen=True)
class Mean:
    mean: float | None
    lo: float | None
    hi: float | None

    def as_json(self) -> dict[str, float | None]:
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """Of a minus b; p_improve is the share of seeds (of pairs of boots) where a is lower, ties half."""

    diff: float | None
    lo: float | None
    hi: float | None
    p_improve: float | None

    def as_json(self) -> dict[str, float | None]:
        return asdict(self)


UNDEFINED_MEAN = Mean(None, None, None)
UNDEFINED_DIFFERENCE = Difference(None, None, None, None)


def means(values: np.ndarray) -> list[Mean]:
    """values: (seeds, metrics). The mean of every column and its interval."""
    centre, low, high = _centre_and_interval(values)
    return [Mean(_defined(c), _defined(a), _defined(b)) for c, a, b in zip(centre, low, high, strict=True)]


def student_means(values: np.ndarray) -> list[Mean]:
    """values: (runs, metrics), too few runs to resample: the mean of every column and Student's interval."""
    centre, half = values.mean(axis=0), _student_half_width(values)
    return [Mean(_defined(c), _defined(c - h), _defined(c + h)) for c, h in zip(centre, half, strict=True)]


def excludes_zero(interval: Mean | Difference) -> bool:
    """Whether the sign is known; without an interval it is not."""
    return interval.lo is not None and interval.hi is not None and not interval.lo <= 0 <= interval.hi


def differences(a: np.ndarray, b: np.ndarray) -> list[Difference]:
    """a, b: (seeds, metrics), row i of both from the same seed. The mean of a - b, column by column."""
    gap = a - b
    centre, low, high = _centre_and_interval(gap)
    improved = ((gap < 0) + 0.5 * (gap == 0)).mean(axis=0)
    return [
        Difference(float(c), _defined(lo), _defined(hi), float(p)) if np.isfinite(c) else UNDEFINED_DIFFERENCE
        for c, lo, hi, p in zip(centre, low, high, improved, strict=True)
    ]


def unpaired_differences(a: np.ndarray, b: np.ndarray) -> list[Difference]:
    """a, b: (runs, metrics), rows of one and the other that nothing ties together, perhaps not as many."""
    gap = a.mean(axis=0) - b.mean(axis=0)
    half = _welch_half_width(a, b)
    lower = (a[:, None] < b[None]) + 0.5 * (a[:, None] == b[None])
    return [
        Difference(float(g), _defined(g - h), _defined(g + h), float(p))
        if np.isfinite(g)
        else UNDEFINED_DIFFERENCE
        for g, h, p in zip(gap, half, lower.mean(axis=(0, 1)), strict=True)
    ]


def mirrored(difference: Difference) -> Difference:
    """The same comparison with a and b exchanged."""
    if difference.diff is None or difference.p_improve is None:
        return UNDEFINED_DIFFERENCE
    lo = None if difference.hi is None else 0.0 - difference.hi  # 0 - x: no negative zero
    hi = None if difference.lo is None else 0.0 - difference.lo
    return Difference(0.0 - difference.diff, lo, hi, 1.0 - difference.p_improve)


def _centre_and_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(seeds, metrics) -> three (metrics,). One seed has a mean and no interval."""
    nr_seeds, nr_metrics = values.shape
    centre = values.mean(axis=0)
    low, high = np.full((2, nr_metrics), np.nan)
    defined = np.isfinite(values).all(axis=0)
    centre[~defined] = np.nan
    constant = defined & (values.min(axis=0) == values.max(axis=0))
    centre[constant] = values[0, constant]  # a mean of equal numbers may be off by a rounding
    if nr_seeds > 1:
        low[constant] = high[constant] = centre[constant]
        varied = defined & ~constant
        low[varied], high[varied] = _interval(values[:, varied])
    return centre, low, high


def _interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(seeds, metrics) that vary -> the ends of their intervals."""
    nr_seeds = len(values)
    if nr_seeds < FEWEST_RESAMPLED:
        centre, half = values.mean(axis=0), _student_half_width(values)
        return centre - half, centre + half
    low, high = np.quantile(_resampling(nr_seeds) @ values, _levels(nr_seeds), axis=0)
    return low, high


def _student_half_width(values: np.ndarray) -> np.ndarray:
    """(metrics,). Half of Student's interval of a mean; NaN where there is one run only."""
    from scipy.special import stdtrit

    nr_runs = len(values)
    if nr_runs < 2:
        return np.full(values.shape[1], np.nan)
    student = stdtrit(nr_runs - 1, (1 + CONFIDENCE_RATIO) / 2)
    return student * values.std(axis=0, ddof=1) / np.sqrt(nr_runs)


def _welch_half_width(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(metrics,). Half of Welch's interval of a difference of means; NaN where a side has one run only."""
    from scipy.special import stdtrit

    if min(len(a), len(b)) < 2:
        return np.full(a.shape[1], np.nan)
    of_a, of_b = (values.var(axis=0, ddof=1) / len(values) for values in (a, b))
    spread = of_a + of_b
    unsure = of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1)
    freedom = np.divide(spread**2, unsure, out=np.ones_like(spread), where=unsure > 0)
    return stdtrit(freedom, (1 + CONFIDENCE_RATIO) / 2) * np.sqrt(spread)


@cache
def _resampling(nr_seeds: int) -> np.ndarray:
    """(NR_RESAMPLES, seeds): weights of each bootstrap sample, the same for every metric and rule."""
    random = np.random.default_rng(BOOTSTRAP_SEED)
    draws = random.multinomial(nr_seeds, np.full(nr_seeds, 1.0 / nr_seeds), size=NR_RESAMPLES)
    return draws / nr_seeds


@cache
def _levels(nr_seeds: int) -> tuple[float, float]:
    """Quantiles of the expanded percentile interval (Hesterberg 2015, section 5).

    The plain percentile interval of few seeds is too narrow, by the same factor by which a normal
    interval with the biased deviation is narrower than Student's.
    """
    from scipy.special import ndtr, stdtrit

    student = stdtrit(nr_seeds - 1, (1 - CONFIDENCE_RATIO) / 2)
    level = float(ndtr(np.sqrt(nr_seeds / (nr_seeds - 1)) * student))
    return level, 1 - level


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
