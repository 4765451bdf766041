"""The comparison for a terminal of 80 columns."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from ..reporting.tables import WIDTH, paragraph
from ..wording import compact, fitted
from .compare import Comparison
from .rows import ALLOWED_COST, ALLOWED_MEAN, ALLOWED_WINDOW, FLOW_WINDOW_S, LEVEL_WINDOW_S, Row
from .sides import MOMENTS

NAME_WIDTH, CELL_WIDTH = 28, 10
SHARE = "dies"


def render(found: Comparison) -> str:
    lines = [*_head(found), "", *_by_quantity(found.rows), ""]
    for label, rows in groupby(found.rows, lambda row: row.scenario):
        heads = "".join(f"{head:>{CELL_WIDTH}}" for head in ("model", "reference", "mean", "chance", "worst"))
        lines += [fitted(label, WIDTH).rstrip(), "=" * WIDTH, " " * NAME_WIDTH + heads]
        lines += [*(_line(row) for row in rows), ""]
    return "\n".join(lines)


def _head(found: Comparison) -> list[str]:
    variants = {row.scenario for row in found.rows if not row.quantity.startswith("cost_s ")}
    within = sum(row.within for row in found.rows)
    missed = sum(row.missed for row in found.rows)
    drawn = "" if found.draw_seed is None else f", random machines drawn from {found.draw_seed}"
    return [
        *paragraph(
            f"Fast model and page-exact reference: {within} of {len(found.rows)} quantities within what is "
            f"allowed; {missed} miss it by more than the spread of the seeds explains (!), and for the other "
            f"{len(found.rows) - within - missed} (?) these seeds do not decide. {len(variants)} variants, "
            f"{found.nr_seeds} seeds{drawn}."
        ),
        *paragraph(
            f"Allowed: {ALLOWED_MEAN:.0%} over a run and {ALLOWED_WINDOW:.0%} of its mean in each window "
            f"({LEVEL_WINDOW_S:g} s of free and listed pages, {FLOW_WINDOW_S:g} s of all else). Chance: half "
            "the 95 % interval of the mean error. Of moments: share of seeds in which they came, and the "
            "distance of the distributions (Kolmogorov and Smirnov, 95 %); the share that dies within the "
            f"reference's interval; differences of cost between rules, paired by seed: {ALLOWED_COST:.0%}. "
            "Half, 9 of 10: the mean error that half, and nine tenths, of the rows stay below."
        ),
    ]


def _by_quantity(rows: Sequence[Row]) -> list[str]:
    """How far each kind of figure can be trusted: the spread of its errors over all variants."""
    names = list(dict.fromkeys(_kind(row) for row in rows))
    heads = "".join(f"{head:>{CELL_WIDTH}}" for head in ("rows", "within", "missed", "half", "9 of 10"))
    lines = [fitted("Mean errors by quantity", NAME_WIDTH) + heads]
    for name in names:
        of_kind = [row for row in rows if _kind(row) == name]
        errors = np.abs([row.mean_error for row in of_kind])
        counts = len(of_kind), sum(row.within for row in of_kind), sum(row.missed for row in of_kind)
        cells = [str(count) for count in counts]
        cells += [_percent(float(np.quantile(errors, part))) for part in (0.5, 0.9)]
        lines.append(fitted(name, NAME_WIDTH) + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells))
    return lines


def _kind(row: Row) -> str:
    name = row.quantity.split("/")[0]
    return "cost_s between rules" if name.startswith("cost_s ") else name


def _line(row: Row) -> str:
    cells = [compact(row.model), compact(row.reference)]
    if row.quantity.split("/")[0] in (*MOMENTS, SHARE):
        cells += [f"{row.mean_error:.2f}", "", ""]
    else:
        cells += [_percent(row.mean_error), "" if row.chance is None else _percent(row.chance)]
        cells.append(_percent(row.worst_error))
    mark = "" if row.within else " !" if row.missed else " ?"
    return (
        fitted(row.quantity, NAME_WIDTH) + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells) + mark
    ).rstrip()


def _percent(error: float) -> str:
    return f"{error:.1%}" if abs(error) < 100 else "> 100 x"
