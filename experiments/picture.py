"""One episode of a scenario under several rules side by side, as a PNG: the story in one look."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from reclaim_env.scenario import Scenario

from . import files
from .contender import of_rule
from .evaluate import FIRST_SEED, evaluate
from .identity import Setting
from .metrics import MIB_PER_PAGE
from .png import png
from .reporting.charts import BYSTANDER_COLOUR, INK, NODE_COLOURS, busiest_nodes, largest, thinned
from .series import Series

WIDTH_IN, HEIGHT_IN, DPI = 9.0, 4.6, 100
HOPELESS_COLOUR = "#cf3b32"


def draw(
    scenario: Scenario, rules: Sequence[str], setting: Setting, out: Path, on_step: Callable[[], None]
) -> None:
    """Runs the first evaluation seed under each rule and writes the picture."""
    several = {
        rule: evaluate(scenario, of_rule(rule), [FIRST_SEED], setting, on_step).series for rule in rules
    }
    files.write_bytes(out, picture(scenario.name, several))


def picture(title: str, several: dict[str, Series]) -> bytes:
    """PNG: a column for each rule; free memory, kswapd's CPU time and refaults of the busiest node."""

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    nid = busiest_nodes(list(several.values()))[0]
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    rows = figure.subplots(3, len(several), sharex=True, sharey="row", squeeze=False)
    figure.subplots_adjust(left=0.09, right=0.96, top=0.86, bottom=0.1, hspace=0.22, wspace=0.12)
    figure.text(0.09, 0.95, f"{title}: node {nid}, one episode under each rule", fontsize=11, color=INK)
    for column, (rule, series) in enumerate(several.items()):
        rows[0, column].set_title(rule, fontsize=10, loc="left", color=INK)
        _free(rows[0, column], series, nid)
        _rate(rows[1, column], series, 100 * series.per_s("kswapd_cpu_s")[:, nid], NODE_COLOURS[0])
        bystanders = series.per_s("bystander_refault_pages").sum(axis=1) * MIB_PER_PAGE
        _rate(rows[2, column], series, bystanders, BYSTANDER_COLOUR)
        rows[2, column].set_xlabel("time, s", fontsize=8)
    for row, (label, top) in zip(rows, _labels(several, nid), strict=True):
        row[0].set_ylabel(label, fontsize=8)
        row[0].set_ylim(0, top)
    return png(figure)


def _labels(several: dict[str, Series], nid: int) -> list[tuple[str, float]]:
    """Of each row: what it shows, and the top of its scale."""
    refaults = [thinned(one.per_s("bystander_refault_pages").sum(axis=1)) for one in several.values()]
    free = [one.free_pages[:, nid] for one in several.values()]
    high = max(float(one.high_wmark_pages[:, nid].max()) for one in several.values())
    return [
        (
            "free memory, GiB\n(red: kswapd\nhas given up)",
            1.1 * max(largest(*free), high) * MIB_PER_PAGE / 1024,
        ),
        ("kswapd,\n% of a CPU", 105.0),
        ("bystanders read\nback, MiB/s", 1.1 * max(largest(*refaults) * MIB_PER_PAGE, 1.0)),
    ]


def _free(axis, series: Series, nid: int) -> None:
    gib = MIB_PER_PAGE / 1024
    for name in ("low", "high"):
        mark = getattr(series, f"{name}_wmark_pages")[:, nid] * gib
        axis.plot(series.time_s, mark, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), alpha=0.55)
        axis.annotate(name, (1.005, mark[-1]), xycoords=("axes fraction", "data"), va="center", fontsize=7)
    axis.plot(series.time_s, series.free_pages[:, nid] * gib, color=NODE_COLOURS[0], linewidth=1)
    shade = {"color": HOPELESS_COLOUR, "alpha": 0.12, "linewidth": 0}
    dead = series.hopeless()[:, nid]
    axis.fill_between(series.time_s, 0, 1, where=dead, transform=axis.get_xaxis_transform(), **shade)
    _plain(axis)


def _rate(axis, series: Series, rate: np.ndarray, colour: str) -> None:
    curve = thinned(rate)
    edges = np.linspace(0, series.time_s[-1], len(curve) + 1)
    axis.fill_between(edges[:-1], curve, step="post", color=colour, alpha=0.35, linewidth=0)
    axis.step(edges[:-1], curve, where="post", color=colour, linewidth=0.9)
    _plain(axis)


def _plain(axis) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(width=0.6, length=2.5, labelsize=8)
    axis.margins(x=0)
