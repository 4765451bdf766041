"""What paired seeds allow to say of two rules, in fixed words; and the score between two anchors.

Rows are seeds, paired by (scenario, seed); families are strata, never pooled unless each is resampled alone.
Undefined is None here and n/a in print, never 0 or 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .stats import BOOTSTRAP_SEED, NR_RESAMPLES, UNDEFINED_MEAN, Difference, Mean, differences, means

ERROR_RATIO = 0.05  # of a verdict where there is nothing
POWER_RATIO = 0.8  # with which the smallest effect would have been seen
MARGIN_RATIO = 0.02  # of the family's scale: what counts as equivalent
NR_FLIPS = 9999
BETTER, WORSE, NO_EVIDENCE, EQUIVALENT = "better", "worse", "no evidence", "equivalent"


@dataclass(frozen=True)
class Verdict:
    """Of rule a against rule b on one family; costs, so lower is better. Undefined numbers are None."""

    difference: Difference  # a - b, mean over the seeds, bootstrapped 95 %
    p: float | None  # exact paired test
    p_holm: float | None  # the same, adjusted for all families of the comparison
    smallest: float | None  # smallest difference that as many seeds see with POWER_RATIO
    margin: float | None  # within which they would count as equivalent
    word: str

    def as_json(self) -> dict[str, object]:
        return {
            **self.difference.as_json(),
            "p": self.p,
            "p_holm": self.p_holm,
            "smallest_s": self.smallest,
            "margin_s": self.margin,
            "verdict": self.word,
        }


@dataclass(frozen=True)
class Score:
    """0 at the worse anchor, 100 at the oracle; None where the gap between them may be none."""

    score: float | None
    lo: float | None
    hi: float | None

    def __str__(self) -> str:
        if self.score is None or self.lo is None or self.hi is None:
            return "n/a"
        return f"{self.score:.0f} [{self.lo:.0f},{self.hi:.0f}]"

    def as_json(self) -> dict[str, float | None]:
        return asdict(self)


UNDEFINED_SCORE = Score(None, None, None)


def iqm(values: np.ndarray) -> float:
    """Mean of the middle half of (seeds,): one odd episode in four moves it little."""
    from scipy.stats import trim_mean

    return float(trim_mean(values, 0.25))


def exact_paired_test(a: np.ndarray, b: np.ndarray) -> float:
    """p of (seeds,) a and b: if they differ by chance only, every difference could have had the other sign.

    All signs up to 13 seeds, else NR_FLIPS drawn and the one seen: the level is exact either way (Phipson
    and Smyth 2010). 1 where nothing differs.
    """
    from scipy.stats import permutation_test

    gap = a - b
    if len(gap) < 2 or not gap.any():
        return 1.0

    def mean_gap(x: np.ndarray, axis: int = -1) -> np.ndarray:
        return x.mean(axis=axis)

    found = permutation_test(
        (gap,),
        mean_gap,
        permutation_type="samples",
        vectorized=True,
        n_resamples=NR_FLIPS,
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that all verdicts together are wrong in ERROR_RATIO (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = highest
    return adjusted


def smallest_effect(a: np.ndarray, b: np.ndarray) -> float | None:
    """The true mean difference a two-sided paired t test of as many seeds would see with POWER_RATIO."""
    from scipy.special import stdtrit

    nr_seeds = len(a)
    if nr_seeds < 2:
        return None
    levels = stdtrit(nr_seeds - 1, 1 - ERROR_RATIO / 2) + stdtrit(nr_seeds - 1, POWER_RATIO)
    return float(levels * (a - b).std(ddof=1) / np.sqrt(nr_seeds))


def verdicts(
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], scales: Mapping[str, float | None]
) -> dict[str, Verdict]:
    """Rule a against rule b, family by family: (seeds,) costs of each. Holm over the families."""
    p_values = [exact_paired_test(a, b) for a, b in pairs.values()]
    found = {}
    for (family, (a, b)), p, p_holm in zip(pairs.items(), p_values, holm(p_values), strict=True):
        scale = scales.get(family)
        margin = None if scale is None else MARGIN_RATIO * scale
        (difference,) = differences(a[:, None], b[:, None])
        found[family] = Verdict(
            difference, p, p_holm, smallest_effect(a, b), margin, _word(difference, p_holm, margin)
        )
    return found


def _word(difference: Difference, p_holm: float, margin: float | None) -> str:
    """Significant beyond the margin first; else equivalent if the whole interval lies within it."""
    lo, hi = difference.lo, difference.hi
    if lo is None or hi is None or difference.diff is None:
        return NO_EVIDENCE
    if margin is not None and -margin <= lo and hi <= margin:
        return EQUIVALENT
    if p_holm >= ERROR_RATIO or lo <= 0 <= hi:
        return NO_EVIDENCE
    return BETTER if difference.diff < 0 else WORSE


def score(cost: np.ndarray, anchors: Sequence[np.ndarray], oracle: np.ndarray) -> Score:
    """Of a rule's (seeds,) costs: 100 (worse anchor - rule) / (worse anchor - oracle), of means.

    The anchors are `always` and `balanced`; which is worse is decided once, by the means. None where the
    interval of the gap to the oracle reaches 0: there is nothing to win, and any number would be noise.
    """
    worse = max(anchors, key=lambda values: values.mean())
    found = share(worse - cost, worse - oracle)
    if found.mean is None or found.lo is None or found.hi is None:
        return UNDEFINED_SCORE
    return Score(100.0 * found.mean, 100.0 * found.lo, 100.0 * found.hi)


def share(part: np.ndarray, whole: np.ndarray) -> Mean:
    """Of (seeds,) each: mean of the part over mean of the whole; undefined where the whole may be none."""
    (gap,) = means(whole[:, None])
    if gap.mean is None or gap.lo is None or gap.lo <= 0:
        return UNDEFINED_MEAN
    resampled = _resampled_means(np.stack([part, whole], axis=1))
    shares = resampled[:, 0] / np.where(resampled[:, 1] > 0, resampled[:, 1], np.nan)
    lo, hi = np.nanquantile(shares, [ERROR_RATIO / 2, 1 - ERROR_RATIO / 2])
    return Mean(float(part.mean() / whole.mean()), float(lo), float(hi))


def mean_over_families(values: Mapping[str, np.ndarray]) -> Mean:
    """Of (seeds,) per family: every family weighs alike; each is resampled alone, as a stratum."""
    if not values:
        return UNDEFINED_MEAN
    centre = float(np.mean([of_family.mean() for of_family in values.values()]))
    if min(map(len, values.values())) < 2:
        return Mean(centre, None, None)
    resampled = np.mean(
        [_resampled_means(one[:, None], i)[:, 0] for i, one in enumerate(values.values())], axis=0
    )
    lo, hi = np.quantile(resampled, [ERROR_RATIO / 2, 1 - ERROR_RATIO / 2])
    return Mean(centre, float(lo), float(hi))


def _resampled_means(values: np.ndarray, stratum: int = 0) -> np.ndarray:
    """(NR_RESAMPLES, columns) of (seeds, columns): means of seeds drawn again, columns kept together."""
    random = np.random.default_rng((BOOTSTRAP_SEED, stratum))
    nr_seeds = len(values)
    draws = random.multinomial(nr_seeds, np.full(nr_seeds, 1.0 / nr_seeds), size=NR_RESAMPLES)
    return draws @ values / nr_seeds
