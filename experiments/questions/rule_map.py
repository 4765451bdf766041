"""`reclaim map`: which rule wins where, over two numbers, by how much, and where the winner changes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from reclaim_env.scenario import Scenario, ScenarioError

from ..contender import Contender
from ..evaluate import evaluation_seeds, nr_steps
from ..identity import Setting, provenance
from ..ledger import Ledger
from ..reporting.tables import WIDTH, paragraph
from ..stats import Difference, differences
from ..wording import compact
from .axes import Axis, Base
from .costs import stored_costs_s

BISECTIONS = 4  # of each step of the grid across which the winner changes
MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NOT_A_MACHINE = "."


@dataclass(frozen=True)
class Question:
    base: Base
    x: Axis
    y: Axis
    nr_points: int
    contenders: tuple[Contender, ...]
    nr_seeds: int
    setting: Setting

    def __post_init__(self) -> None:
        if self.x.name == self.y.name:
            raise ValueError(f"axis: found {self.x.name!r} twice, wanted two numbers")


@dataclass(frozen=True)
class Cell:
    """One point: costs by rule, (seeds,) each; none where there is no such machine."""

    x: float
    y: float
    costs_s: dict[str, np.ndarray]

    @property
    def winners(self) -> tuple[str, ...]:
        """The rule of lowest mean cost, and those that cost the same on every seed."""
        if not self.costs_s:
            return ()
        best = min(self.costs_s, key=lambda rule: float(self.costs_s[rule].mean()))
        return tuple(rule for rule, cost in self.costs_s.items() if (cost == self.costs_s[best]).all())

    @property
    def margin(self) -> Difference | None:
        """What the best rule that is not among the winners costs more, paired by seed."""
        winners = self.winners
        rest = [rule for rule in self.costs_s if rule not in winners]
        if not winners or not rest:
            return None
        second = min(rest, key=lambda rule: float(self.costs_s[rule].mean()))
        (gap,) = differences(self.costs_s[second][:, None], self.costs_s[winners[0]][:, None])
        return gap

    @property
    def is_clear(self) -> bool:
        margin = self.margin
        return margin is not None and margin.lo is not None and margin.lo > 0


@dataclass(frozen=True)
class Crossing:
    """Along x, at one y: the winner changes between two values."""

    y: float
    x_low: float
    x_high: float
    below: str
    above: str


@dataclass(frozen=True)
class RuleMap:
    question: Question
    rows: tuple[tuple[Cell, ...], ...]  # by y, and in it by x, from low to high
    crossings: tuple[Crossing, ...]


def manifest(question: Question) -> dict[str, object]:
    return {
        "kind": "map",
        **provenance(),
        "base": question.base.name,
        "axes": [vars(question.x), vars(question.y)],
        "points": question.nr_points,
        "contenders": {contender.name: contender.identity for contender in question.contenders},
        "seeds": {"first": evaluation_seeds(1)[0], "number": question.nr_seeds},
        **vars(question.setting),
    }


Progress = Callable[[str, int], None]


def nr_env_steps(question: Question) -> int:
    """Of the grid; the boundary comes on top."""
    steps = nr_steps(question.base.scenario({}), question.setting)
    nr_cells = len(question.x.values(question.nr_points)) * len(question.y.values(question.nr_points))
    return nr_cells * len(question.contenders) * question.nr_seeds * steps


def draw(question: Question, ledger: Ledger, progress: Progress) -> RuleMap:
    xs, ys = question.x.values(question.nr_points), question.y.values(question.nr_points)
    grid = iter(_cells(question, [(x, y) for y in ys for x in xs], ledger, progress))
    rows = tuple(tuple(next(grid) for _ in xs) for _ in ys)

    def narrowed(points: Sequence[tuple[float, float]]) -> list[Cell]:
        return _cells(question, points, ledger, lambda words, steps: progress("boundary", 0))

    crossings = tuple(crossing for row in rows for crossing in _crossings(question, row, narrowed))
    return RuleMap(question, rows, crossings)


def _cells(
    question: Question, points: Sequence[tuple[float, float]], ledger: Ledger, progress: Progress
) -> list[Cell]:
    """All rules on the same seeds at all points, rule by rule."""
    machines = [_machine(question, x, y) for x, y in points]
    there = [machine for machine in machines if machine is not None]
    seeds, costs = evaluation_seeds(question.nr_seeds), {}
    for contender in question.contenders:
        advance = partial(progress, f"{question.base.name}: {contender.name}")
        terms_s = stored_costs_s(ledger, there, contender, seeds, question.setting, advance)
        costs[contender.name] = iter(terms_s.sum(axis=2))
    return [
        Cell(x, y, {} if machine is None else {rule: next(found) for rule, found in costs.items()})
        for (x, y), machine in zip(points, machines, strict=True)
    ]


def _machine(question: Question, x: float, y: float) -> Scenario | None:
    """None where the two numbers contradict each other."""
    try:
        return question.base.scenario({question.x.name: x, question.y.name: y})
    except ScenarioError:
        return None


def _crossings(
    question: Question, row: Sequence[Cell], cells: Callable[[Sequence[tuple[float, float]]], list[Cell]]
) -> Iterator[Crossing]:
    """Where neighbours have no winner in common, the change narrowed down."""
    there = [cell for cell in row if cell.winners]
    for low, high in pairwise(there):
        if set(low.winners) & set(high.winners):
            continue
        below, above = low, high
        for _ in range(BISECTIONS):
            x = question.x.between(below.x, above.x)
            if not below.x < x < above.x:
                break
            (between,) = cells([(x, low.y)])
            if set(between.winners) & set(low.winners):
                below = between
            else:
                above = between
        yield Crossing(low.y, below.x, above.x, low.winners[0], above.winners[0] if above.winners else "")


def as_json(found: RuleMap) -> dict[str, Any]:
    question = found.question
    return {
        "base": question.base.name,
        "axes": {
            side: {"name": axis.name, "low": axis.low, "high": axis.high, "meaning": axis.meaning}
            for side, axis in (("x", question.x), ("y", question.y))
        },
        "seeds": question.nr_seeds,
        **vars(question.setting),
        "cells": [_cell_json(cell) for row in found.rows for cell in row],
        "boundary": [vars(crossing) for crossing in found.crossings],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        "x": cell.x,
        "y": cell.y,
        "winners": cell.winners,
        "margin_s": None if cell.margin is None else cell.margin.as_json(),
        "cost_s": {rule: float(cost.mean()) for rule, cost in cell.costs_s.items()},
    }


def render(found: RuleMap) -> str:
    question = found.question
    marks = letters(found)
    lines = [
        *paragraph(
            f"{question.base.name}: the cheapest rule, {question.nr_seeds} paired seeds, kernel "
            f"{question.setting.kernel}, cost weights {question.setting.weights}"
        ),
        "=" * WIDTH,
        *paragraph(f"across: {_described(question.x)}"),
        *paragraph(f"up: {_described(question.y)}"),
        "",
        *_grid(found, lambda cell: _mark(cell, marks)),
        "",
        *(f"  {mark}  {', '.join(winners)}" for winners, mark in marks.items()),
        *paragraph("Small letters: the 95 % interval of the margin holds zero. A dot: no such machine."),
        "",
        "Margin: seconds an episode the next best rule costs more",
        *_grid(found, _margin_text),
        "",
        *_boundary(found),
    ]
    return "\n".join(lines) + "\n"


def letters(found: RuleMap) -> dict[tuple[str, ...], str]:
    """A letter for each set of rules that win somewhere, the most frequent first."""
    won = [cell.winners for row in found.rows for cell in row if cell.winners]
    sets = sorted(dict.fromkeys(won), key=lambda winners: -won.count(winners))
    return dict(zip(sets, MARKS, strict=False))


def _mark(cell: Cell, marks: dict[tuple[str, ...], str]) -> str:
    if not cell.winners:
        return NOT_A_MACHINE
    mark = marks.get(cell.winners, "?")
    return mark if cell.is_clear else mark.lower()


def _margin_text(cell: Cell) -> str:
    return NOT_A_MACHINE if cell.margin is None else compact(cell.margin.diff)


def _grid(found: RuleMap, text: Callable[[Cell], str]) -> list[str]:
    width = max((WIDTH - 9) // len(found.rows[0]), 3)
    lines = [
        f"{row[0].y:>8.3g} " + "".join(f"{text(cell):>{width}}" for cell in row)
        for row in reversed(found.rows)
    ]
    axis = "".join(f"{f'{cell.x:.3g}':>{width}}" for cell in found.rows[0])
    return [*lines, " " * 9 + axis]


def _described(axis: Axis) -> str:
    return f"{axis.name} from {axis.low:g} to {axis.high:g}" + (f" ({axis.meaning})" if axis.meaning else "")


def _boundary(found: RuleMap) -> list[str]:
    x, y = found.question.x.name, found.question.y.name
    if not found.crossings:
        return paragraph(f"The winner does not change along {x}.")
    return [f"Boundary along {x}:"] + [
        f"  {y} {c.y:<8.3g} {c.below} up to {c.x_low:.4g}, {c.above} from {c.x_high:.4g}"
        for c in found.crossings
    ]
