"""The comparison for a terminal of 80 columns."""

from itertools import groupby

from ..tables import WIDTH, paragraph
from ..wording import compact, fitted
from .compare import ALLOWED_MEAN, ALLOWED_WINDOW, LEAST_P, Comparison, Row
from .sides import MOMENTS, WINDOW_S

NAME_WIDTH, CELL_WIDTH = 28, 11


def render(found: Comparison) -> str:
    variants = {row.scenario for row in found.rows}
    within = sum(row.within for row in found.rows)
    lines = [
        *paragraph(
            f"Fast model and page-exact reference: {within} of {len(found.rows)} quantities within "
            f"{ALLOWED_MEAN:.0%} over a run and {ALLOWED_WINDOW:.0%} of its mean in each window of "
            f"{WINDOW_S:g} s; {len(variants)} variants, {found.nr_seeds} seeds."
        ),
        *paragraph(
            f"Moments: share of seeds in which they came, distance of the distributions, p >= {LEAST_P:g}."
        ),
        "",
    ]
    for label, rows in groupby(found.rows, lambda row: row.scenario):
        heads = "".join(f"{head:>{CELL_WIDTH}}" for head in ("model", "reference", "mean", "worst"))
        lines += [fitted(label, WIDTH).rstrip(), "=" * WIDTH, " " * NAME_WIDTH + heads]
        lines += [*(_line(row) for row in rows), ""]
    return "\n".join(lines)


def _line(row: Row) -> str:
    cells = [compact(row.model), compact(row.reference)]
    if row.quantity in MOMENTS:
        cells += [f"{row.mean_error:.2f}", f"{row.worst_error:.2f}"]
    else:
        cells += [_percent(row.mean_error), _percent(row.worst_error)]
    mark = "" if row.within else "  !"
    return fitted(row.quantity, NAME_WIDTH) + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells) + mark


def _percent(error: float) -> str:
    return f"{error:.1%}" if abs(error) < 100 else "> 100 x"
