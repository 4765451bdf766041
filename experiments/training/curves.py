"""Learning curves of several runs, one line each: `python -m experiments.training.curves PNG RUN...`

All numbers are points of the runs' TensorBoard files: the cost ratio on the validation. The lines of rules
and oracle are means over the runs.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .. import files
from ..ceiling import ORACLE
from ..png import png
from ..reporting.charts import INK, NODE_COLOURS
from .learner_tags import COST_RATIO

Curve = list[tuple[int, float]]  # (decisions seen, cost over that of the worse baseline)
WIDTH_IN, HEIGHT_IN, DPI = 7.0, 4.0, 100
RULE_PREFIX = "rule_"
APART = 0.02  # of the cost ratio: lines closer than that cannot be labelled side by side


def curve(folder: Path) -> Curve:
    """Of one TensorBoard run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), {"scalars": 0})
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars(COST_RATIO)]


def curves(run: Path) -> dict[str, Curve]:
    """Of a training run: the agent's by its algorithm, each rule's by `rule_` and its name, the oracle's."""
    return {folder.name: curve(folder) for folder in sorted((run / "tensorboard").iterdir())}


def is_line(name: str) -> bool:
    return name == ORACLE or name.startswith(RULE_PREFIX)


def labels(levels: Mapping[str, float]) -> list[tuple[float, str]]:
    """Level and words of each line; those too close to be told apart share one, at the mean of theirs."""
    groups: list[list[str]] = []
    for name in sorted(levels, key=lambda name: levels[name]):
        if groups and levels[name] - levels[groups[-1][0]] < APART:
            groups[-1].append(name)
        else:
            groups.append([name])
    return [
        (
            float(np.mean([levels[name] for name in group])),
            ", ".join(name.removeprefix(RULE_PREFIX) for name in group),
        )
        for group in groups
    ]


def picture(runs: Mapping[str, Mapping[str, Curve]]) -> bytes:
    """PNG of run -> name -> curve."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    figure.subplots_adjust(left=0.1, right=0.77, top=0.96, bottom=0.13)
    levels: dict[str, list[float]] = {}
    for found in runs.values():
        for name, points in found.items():
            if is_line(name):
                levels.setdefault(name, []).append(points[-1][1])
            else:
                drawn = {"color": NODE_COLOURS[0], "linewidth": 1.2, "marker": "o", "markersize": 3}
                axis.plot(*zip(*points, strict=True), **drawn)
    for level, words in labels({name: float(np.mean(several)) for name, several in levels.items()}):
        axis.axhline(level, color=INK, linewidth=0.7, linestyle=(0, (4, 3)), alpha=0.6)
        axis.annotate(words, (1.01, level), xycoords=("axes fraction", "data"), va="center", fontsize=7)
    axis.set_xlabel("decisions", fontsize=8)
    axis.set_ylabel("cost over the worse baseline's, validation", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    return png(figure)


def main(arguments: Sequence[str]) -> None:
    if len(arguments) < 2:
        raise SystemExit(f"found {len(arguments)} arguments, wanted PNG and one RUN at least")
    out, *runs = map(Path, arguments)
    if out.exists():
        raise SystemExit(f"{out}: found a file of that name, wanted a new file")
    files.write_bytes(out, picture({run.name: curves(run) for run in runs}))


if __name__ == "__main__":
    main(sys.argv[1:])
