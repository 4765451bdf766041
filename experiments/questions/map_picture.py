"""The map as a picture: colour for the winner, strength for its margin, a line where the winner changes."""

from textwrap import fill

import numpy as np

from ..png import png
from ..reporting.charts import INK
from ..wording import compact
from .axes import Axis
from .rule_map import Cell, RuleMap, letters

WIDTH_IN, HEIGHT_IN, DPI = 9.0, 5.4, 100
COLOURS = ("#2f7fc9", "#d9772b", "#3c9a63", "#c0497e", "#8a63d2", "#2a9d9d", "#d39b1c", "#7b8794")
FAINTEST = 0.25  # of a colour, where the interval of the margin holds zero
NAME_WIDTH, MEANING_WIDTH = 26, 150


def picture(found: RuleMap) -> bytes:
    """PNG. In every cell what the next best rule costs more, in seconds; white: no such machine."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.09, 0.2, 0.62, 0.68))
    x, y = found.question.x, found.question.y
    colours = {winners: COLOURS[i % len(COLOURS)] for i, winners in enumerate(letters(found))}
    axes.pcolormesh(_edges(x, found.rows[0], "x"), _edges(y, _column(found), "y"), _shades(found, colours))
    axes.set_xscale("log" if x.is_log else "linear")
    axes.set_yscale("log" if y.is_log else "linear")
    _draw_boundary(axes, found)
    for cell in (cell for row in found.rows for cell in row):
        words = "" if cell.margin is None else compact(cell.margin.diff)
        axes.text(cell.x, cell.y, words, fontsize=7, ha="center", va="center", color=INK)
    for axis, side, cells in ((x, axes.xaxis, found.rows[0]), (y, axes.yaxis, _column(found))):
        values = [getattr(cell, side.axis_name) for cell in cells]
        side.set_ticks(values, [f"{value:.3g}" for value in values], fontsize=8)
        side.set_ticks([], minor=True)
        side.set_label_text(axis.name, fontsize=9)
    _write_legend(figure, colours)
    _write_question(figure, found)
    return png(figure)


def _write_legend(figure, colours: dict[tuple[str, ...], str]) -> None:
    for place, (winners, colour) in enumerate(colours.items()):
        top = 0.86 - 0.13 * place
        figure.text(0.73, top, "\u25a0", color=colour, fontsize=13, va="top")
        figure.text(0.755, top, fill(", ".join(winners), NAME_WIDTH), color=INK, fontsize=8, va="top")


def _write_question(figure, found: RuleMap) -> None:
    question = found.question
    title = f"{question.base.name}: the cheapest rule, and what the next best costs more (s an episode)"
    figure.text(0.09, 0.95, title, fontsize=10, color=INK)
    axes = (axis for axis in (question.x, question.y) if axis.meaning)
    words = [fill(f"{axis.name}: {axis.meaning}", MEANING_WIDTH) for axis in axes]
    words.append(
        f"{question.nr_seeds} paired seeds a point; pale: the 95 % interval of the margin holds zero"
    )
    figure.text(0.09, 0.01, "\n".join(words), fontsize=7, color=INK, va="bottom")


def _column(found: RuleMap) -> list[Cell]:
    return [row[0] for row in found.rows]


def _edges(axis: Axis, cells: list[Cell] | tuple[Cell, ...], side: str) -> np.ndarray:
    """(cells + 1,): half way between the points, and as far beyond the outer ones."""
    values = np.array([getattr(cell, side) for cell in cells])
    scaled = np.log(values) if axis.is_log else values
    middles = (scaled[1:] + scaled[:-1]) / 2
    edges = np.concatenate([[2 * scaled[0] - middles[0]], middles, [2 * scaled[-1] - middles[-1]]])
    return np.exp(edges) if axis.is_log else edges


def _shades(found: RuleMap, colours: dict[tuple[str, ...], str]) -> np.ndarray:
    """(rows, columns, 4)"""
    from matplotlib.colors import to_rgba

    def shade(cell: Cell) -> tuple[float, ...]:
        if not cell.winners:
            return (1.0, 1.0, 1.0, 1.0)
        return to_rgba(colours[cell.winners], 1.0 if cell.is_clear else FAINTEST)

    return np.array([[shade(cell) for cell in row] for row in found.rows])


def _draw_boundary(axes, found: RuleMap) -> None:
    """Through each row of cells where its winner changes."""
    edges = _edges(found.question.y, _column(found), "y")
    bands = {cell.y: (edges[i], edges[i + 1]) for i, cell in enumerate(_column(found))}
    for crossing in found.crossings:
        bottom, top = bands[crossing.y]
        axes.fill_betweenx([bottom, top], crossing.x_low, crossing.x_high, color=INK, linewidth=0.8)
