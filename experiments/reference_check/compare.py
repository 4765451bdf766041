"""Errors of the fast model against the reference, and whether they are within what is allowed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from .sides import FLOWS, LEVELS, MOMENTS, Windows, both
from .variants import Variant

ALLOWED_MEAN, ALLOWED_WINDOW = 0.03, 0.10
LEAST_P = 0.05  # below it two samples of moments are not of one distribution
FEW = 30.0  # so small a flow over a run has no relative error


@dataclass(frozen=True)
class Row:
    """`mean_error`: (model - reference) / reference over the run; of moments the distance of their
    distributions. `worst_error`: the largest of a window, relative to the reference's mean window."""

    scenario: str
    quantity: str
    mean_error: float
    worst_error: float
    allowed: float
    within: bool
    model: float
    reference: float


@dataclass(frozen=True)
class Comparison:
    rows: tuple[Row, ...]
    nr_seeds: int

    def as_json(self) -> dict[str, Any]:
        return {"rows": [asdict(row) for row in self.rows], "seeds": self.nr_seeds}


def compare(variants: Sequence[Variant], nr_seeds: int, progress: Callable[[str, int], None]) -> Comparison:
    rows: list[Row] = []
    for variant in variants:
        progress(variant.label, 0)
        rows += rows_of(variant.label, *both(variant, nr_seeds))
        progress(variant.label, 1)
    return Comparison(tuple(rows), nr_seeds)


def rows_of(label: str, fast: Windows, exact: Windows) -> list[Row]:
    """What is zero, or next to it, on both sides has no row."""
    rows = []
    for name in (*LEVELS, *FLOWS):
        total = max(exact[name].sum(axis=1).mean(), fast[name].sum(axis=1).mean())
        if total > (FEW if not name.endswith("_s") else 0.01):
            rows.append(_series_row(label, name, fast[name], exact[name]))
    return rows + [_moment_row(label, name, fast[name][:, 0], exact[name][:, 0]) for name in MOMENTS]


def _series_row(label: str, name: str, fast: np.ndarray, exact: np.ndarray) -> Row:
    ours, theirs = fast.mean(axis=0), exact.mean(axis=0)
    scale = max(theirs.mean(), 1e-9)
    mean = float((ours.mean() - theirs.mean()) / scale)
    worst = float(np.abs(ours - theirs).max() / scale)
    within = bool(abs(mean) <= ALLOWED_MEAN and worst <= ALLOWED_WINDOW)
    return Row(label, name, mean, worst, ALLOWED_MEAN, within, float(ours.mean()), float(theirs.mean()))


def _moment_row(label: str, name: str, fast: np.ndarray, exact: np.ndarray) -> Row:
    """A moment that never came lies beyond every other."""
    ours, theirs = (np.where(side < 0, np.inf, side) for side in (fast, exact))
    finite = np.nan_to_num(np.concatenate([ours, theirs]), posinf=1e9)
    test = ks_2samp(finite[: len(ours)], finite[len(ours) :])
    came = [float(np.isfinite(side).mean()) for side in (ours, theirs)]
    distance = float(test.statistic)
    return Row(label, name, distance, abs(came[0] - came[1]), LEAST_P, bool(test.pvalue >= LEAST_P), *came)
