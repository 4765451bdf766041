"""Errors of the fast model against the reference, and whether they are within what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import binomtest, ks_2samp, t

from ..stats import CONFIDENCE_RATIO, Mean, excludes_zero, student_means
from .sides import ANON_LEVELS, FILE_FLOWS, FLOWS, LEVELS, LIMIT_CALLS, MOMENTS, SAMPLE_S

ALLOWED_MEAN, ALLOWED_WINDOW, ALLOWED_COST = 0.03, 0.10, 0.15
LEVEL_WINDOW_S, FLOW_WINDOW_S = 0.1, 1.0
FEW, FEW_S = 30.0, 0.01  # so small a flow over a run has no relative error
DIES = "first_hopeless_s"

Windows = dict[str, np.ndarray]  # name -> (seeds, samples); of moments (seeds, 1)


@dataclass(frozen=True)
class Row:
    """One quantity of one variant.

    mean_error: (model - reference) / reference over the run; of moments the distance of their distributions,
    of shares the difference. worst_error: the largest of a window, relative to the reference's mean window.
    within: both are as found. missed: one of them is farther off than the spread of the seeds explains, all
    windows taken together (95 %); what is neither, more seeds would decide.
    chance: half the 95 % interval of mean_error over seeds; None where it has none.
    """

    scenario: str
    quantity: str
    mean_error: float
    worst_error: float
    allowed: float
    within: bool
    missed: bool
    model: float
    reference: float
    chance: float | None = None


def rows_of(label: str, fast: Windows, exact: Windows) -> list[Row]:
    """What is zero, or next to it, on both sides has no row."""
    levels = [*LEVELS, *(name for name in ANON_LEVELS if fast[name].any() or exact[name].any())]
    rows = [_series_row(label, name, fast[name], exact[name], LEVEL_WINDOW_S, 1.0) for name in levels]
    for name in exact:
        if name in (*FLOWS, *LIMIT_CALLS, "cost_s") or name.split("/")[0] in FILE_FLOWS:
            least = FEW_S if name.endswith("_s") else FEW
            if max(fast[name][:, -1].mean(), exact[name][:, -1].mean()) > least:
                ours, theirs = (np.diff(side[name], axis=1, prepend=0.0) for side in (fast, exact))
                rows.append(_series_row(label, name, ours, theirs, FLOW_WINDOW_S, least / ours.shape[1]))
    for name in exact:
        if name.split("/")[0] in MOMENTS:
            rows += _moment_rows(label, name, fast[name][:, 0], exact[name][:, 0])
    return rows


def in_windows(samples: np.ndarray, window_s: float) -> np.ndarray:
    """(seeds, samples) -> (seeds, windows): means; what fills no window is left out."""
    each = min(round(window_s / SAMPLE_S), samples.shape[1])
    whole = samples.shape[1] // each
    return samples[:, : whole * each].reshape(len(samples), whole, each).mean(axis=2)


def _series_row(
    label: str, name: str, fast: np.ndarray, exact: np.ndarray, window_s: float, least: float
) -> Row:
    """least: what an error is relative to where the reference has less, or nothing."""
    scale = max(float(exact.mean()), least)
    (gap,) = student_means((fast - exact).mean(axis=1, keepdims=True))
    mean = float((fast - exact).mean() / scale)
    chance = None if (half := _half_width(gap)) is None else half / scale
    gaps = (in_windows(fast, window_s) - in_windows(exact, window_s)) / scale
    worst = float(np.abs(gaps.mean(axis=0)).max())
    within = bool(abs(mean) <= ALLOWED_MEAN and worst <= ALLOWED_WINDOW)
    is_off = chance is not None and abs(mean) - chance > ALLOWED_MEAN
    missed = not within and (is_off or _any_window_is_off(gaps))
    return Row(
        label,
        name,
        mean,
        worst,
        ALLOWED_MEAN,
        within,
        missed,
        float(fast.mean()),
        float(exact.mean()),
        chance,
    )


def _half_width(mean: Mean) -> float | None:
    return None if mean.hi is None or mean.lo is None else (mean.hi - mean.lo) / 2


def _any_window_is_off(gaps: np.ndarray) -> bool:
    """gaps: (seeds, windows). Is any of them farther off than allowed (Student; Bonferroni's share each)?"""
    nr_seeds, nr_windows = gaps.shape
    if nr_seeds < 2:
        return False
    factor = t.isf((1 - CONFIDENCE_RATIO) / 2 / nr_windows, nr_seeds - 1)
    half = factor * gaps.std(axis=0, ddof=1) / np.sqrt(nr_seeds)
    return bool((np.abs(gaps.mean(axis=0)) - half > ALLOWED_WINDOW).any())


def _moment_rows(label: str, name: str, fast: np.ndarray, exact: np.ndarray) -> list[Row]:
    """When it came (Kolmogorov and Smirnov; never lies beyond any moment), and in which share of seeds."""
    came = [side >= 0 for side in (fast, exact)]
    if not (came[0].any() or came[1].any()):
        return []
    ours, theirs = (np.where(side < 0, 1e9, side) for side in (fast, exact))
    distance = float(ks_2samp(ours, theirs).statistic)
    allowed = float(np.sqrt(-np.log((1 - CONFIDENCE_RATIO) / 2) / len(fast)))
    of_model, of_reference = (float(side.mean()) for side in came)
    within = distance <= allowed  # the critical distance: what exceeds it is no chance
    rows = [Row(label, name, distance, distance, allowed, within, not within, of_model, of_reference)]
    if name.startswith(DIES):
        rows.append(_share_row(label, name, of_model, of_reference, len(exact)))
    return rows


def _share_row(label: str, name: str, ours: float, theirs: float, nr_seeds: int) -> Row:
    """The share of seeds that die, against the interval of the reference's (Wilson's)."""
    interval = binomtest(round(theirs * nr_seeds), nr_seeds).proportion_ci(CONFIDENCE_RATIO, method="wilson")
    gap = ours - theirs
    allowed = float(interval.high - theirs if gap > 0 else theirs - interval.low)
    quantity = f"dies/{name.split('/')[1]}"
    within = abs(gap) <= allowed
    return Row(label, quantity, gap, gap, allowed, within, not within, ours, theirs)


def cost_rows(ruled: Mapping[str, tuple[Windows, Windows]], scenario: str) -> list[Row]:
    """Differences of cost between rules, paired by seed, where the reference's own interval excludes zero."""
    rows = []
    for one, other in combinations(ruled, 2):
        fast, exact = (
            ruled[other][side]["cost_s"][:, -1:] - ruled[one][side]["cost_s"][:, -1:] for side in (0, 1)
        )
        (ours,), (theirs,), (gap,) = (student_means(values) for values in (fast, exact, fast - exact))
        half = _half_width(gap)
        if half is None or theirs.mean is None or ours.mean is None or not excludes_zero(theirs):
            continue
        error, chance = (ours.mean - theirs.mean) / abs(theirs.mean), half / abs(theirs.mean)
        within, missed = abs(error) <= ALLOWED_COST, abs(error) - chance > ALLOWED_COST
        quantity = f"cost_s {other} - {one}"
        rows.append(
            Row(
                scenario, quantity, error, error, ALLOWED_COST, within, missed, ours.mean, theirs.mean, chance
            )
        )
    return rows
