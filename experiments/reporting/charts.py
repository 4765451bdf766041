"""An episode over time as inline SVG: small multiples with equal scales for all rules of a scenario."""

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reclaim_env.model.constants import MAX_RECLAIM_RETRIES, REASONS

from ..metrics import MIB_PER_PAGE
from ..results import ScenarioResults
from ..series import Series
from . import part_charts

MAX_NODES_SHOWN = 3
MAX_POINTS = 300
NODE_COLOURS = ("#2f7fc9", "#d9772b", "#3c9a63")
BYSTANDER_COLOUR = "#c0497e"
AWAKE_COLOUR = "#7b8794"
REASON_COLOURS = dict(
    zip(REASONS, ("#8a63d2", "#d64550", "#d39b1c", "#a0703c", "#2a9d9d", "#5f9e3a", "#3d4a6b"), strict=True)
)
MOST_FREE_PER_HIGH = 4  # far above the watermarks free memory says nothing
INK = "#010203"  # becomes currentColor, so that text and axes follow the page's dark or light ink


@dataclass(frozen=True)
class Scales:
    """Shared by all rules of a scenario: what is compared has one ruler."""

    nodes: tuple[int, ...]
    reasons: tuple[int, ...]
    free_mib: float
    cpu_ratio: float
    refault_mib_per_s: float
    # 0: there was none, and no panel
    swap_mib_per_s: float
    demoted_mib_per_s: float
    pressure_ratio: float
    killers: tuple[str, ...]

    @classmethod
    def of(cls, found: ScenarioResults) -> "Scales":
        several = list(found.series.values())
        nodes = busiest_nodes(several)
        free_pages = max(largest(s.free_pages) for s in several)
        high_pages = max(largest(s.high_wmark_pages[:, nodes[0]]) for s in several)
        return cls(
            nodes=nodes,
            reasons=tuple(
                r for r in range(len(REASONS)) if any((s.resets[-1, :, r] > 0).any() for s in several)
            ),
            free_mib=max(min(free_pages, MOST_FREE_PER_HIGH * high_pages), high_pages) * MIB_PER_PAGE,
            cpu_ratio=max(largest(thinned(s.per_s("kswapd_cpu_s")), 0.01) for s in several),
            refault_mib_per_s=max(largest(thinned(s.refault_mib_per_s()), 0.01) for s in several),
            swap_mib_per_s=max(largest(*(thinned(s.mib_per_s(one)) for one in SWAP)) for s in several),
            demoted_mib_per_s=max(largest(thinned(s.mib_per_s(*DEMOTED))) for s in several),
            pressure_ratio=part_charts.most_pressure(several, thinned),
            killers=tuple(
                kind
                for kind in part_charts.KILL_COLOURS
                if any(list(part_charts.kill_times(s, kind)) for s in several)
            ),
        )


SWAP, DEMOTED = ("pswpout", "pswpin"), ("pgdemote_kswapd", "pgdemote_direct")
PANEL_IN = 0.95  # of an optional panel


def largest(*values: np.ndarray | float) -> float:
    """Of all that is known: a machine does not tell everything, and NaN is what it keeps to itself."""
    return max(float(np.nan_to_num(value).max()) for value in values)


def busiest_nodes(several: list[Series]) -> tuple[int, ...]:
    """The nodes whose kswapd did or failed most, in the order of their ids."""
    activity = sum(
        np.nan_to_num(s.awake_s[-1]) + np.nan_to_num(s.kswapd_failures).max(axis=0) for s in several
    )
    return tuple(sorted(np.argsort(-activity, kind="stable")[:MAX_NODES_SHOWN].tolist()))


def thinned(curve: np.ndarray) -> np.ndarray:
    """(samples, ...) -> at most MAX_POINTS means of neighbours; a rate keeps its area."""
    step = -(-len(curve) // MAX_POINTS)
    whole = len(curve) // step * step
    return curve[:whole].reshape(whole // step, step, *curve.shape[1:]).mean(axis=1)


def timeline(series: Series, scales: Scales, label: str, prefix: str) -> str:
    """One rule's first seed: free, awake and resets, kswapd_failures, CPU, refaults, and the parts it has.

    SVG for inline use.
    """
    import matplotlib
    from matplotlib.figure import Figure

    style = {"svg.fonttype": "none", "svg.hashsalt": prefix, "font.size": 8, "axes.linewidth": 0.6}
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    with matplotlib.rc_context(style | dict.fromkeys(inked, INK)):  # pyright: ignore[reportArgumentType]
        panels = _panels(scales)
        height_in = 5.8 + PANEL_IN * (len(panels) - 5)
        figure = Figure(figsize=(6.4, height_in))
        ratios = [ratio for ratio, _ in panels]
        axes = figure.subplots(len(panels), 1, sharex=True, height_ratios=ratios)
        edge = {"top": 1 - 0.087 / height_in, "bottom": 0.435 / height_in}
        figure.subplots_adjust(left=0.115, right=0.925, hspace=0.24, **edge)
        for axis, (_, draw) in zip(axes, panels, strict=True):
            draw(axis, series, scales)
        for axis in axes:
            axis.spines[["top", "right"]].set_visible(False)
            axis.patch.set_visible(False)
            axis.tick_params(width=0.6, length=2.5)
            axis.yaxis.set_label_coords(-0.085, 0.5)
        axes[-1].set_xlim(0, series.time_s[-1])
        axes[-1].set_xlabel("time, s")
        return _inline(figure, label, prefix)


def _panels(scales: Scales) -> list[tuple[float, Callable[[Any, Series, Scales], None]]]:
    """(height beside the others, what draws it), from above."""
    lanes = len(scales.nodes) * (1 + 0.55 * len(scales.reasons))
    return [
        (1.3, _free),
        (0.35 + 0.28 * lanes, _awake),
        (0.9, _failures),
        (0.9, _cpu),
        (1.2, _refaults),
        *([(0.9, _swap)] if scales.swap_mib_per_s else []),
        *([(0.9, _demoted)] if scales.demoted_mib_per_s else []),
        *([(0.9, _pressure)] if scales.pressure_ratio else []),
    ]


def _free(axis, series: Series, scales: Scales) -> None:
    first = scales.nodes[0]
    for name in ("min", "low", "high"):
        mark = getattr(series, f"{name}_wmark_pages")[:, first] * MIB_PER_PAGE
        axis.plot(series.time_s, mark, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), alpha=0.55)
        axis.annotate(name, (1.005, mark[-1]), xycoords=("axes fraction", "data"), va="center", fontsize=7)
    usable = (series.free_pages - series.unusable_pages) * MIB_PER_PAGE
    for colour, nid in zip(NODE_COLOURS, scales.nodes, strict=False):
        axis.plot(series.time_s, usable[:, nid], color=colour, linewidth=1)
    part_charts.kills(axis, series)
    axis.set_ylim(0, scales.free_mib * 1.05)
    axis.set_ylabel("free, MiB")


def _awake(axis, series: Series, scales: Scales) -> None:
    """A lane per node: grey where kswapd is awake, and below it a tick lane per reason of a reset."""
    top, ticks, labels = 0.0, [], []
    resets, awake = series.new_resets(), series.awake_ratio()
    for colour, nid in zip(NODE_COLOURS, scales.nodes, strict=False):
        for level in (0.25, 0.5, 0.75, 1.0):
            bands = _bands(series.time_s, (awake[:, nid] > level - 0.25) & (awake[:, nid] <= level))
            axis.broken_barh(bands, (top - 0.9, 0.8), facecolors=AWAKE_COLOUR, alpha=level * 0.9, linewidth=0)
        ticks.append(top - 0.5)
        labels.append(f"node {nid}")
        axis.axhline(top, color=colour, linewidth=1.2)
        for reason in scales.reasons:
            top_of_lane = top - 1.05
            bands = _bands(series.time_s, resets[:, nid, reason] > 0)
            axis.broken_barh(
                bands, (top_of_lane - 0.45, 0.45), facecolors=REASON_COLOURS[REASONS[reason]], linewidth=0
            )
            top -= 0.55
        top -= 1.2
    axis.set_ylim(top + 0.1, 0.1)
    axis.set_yticks(ticks, labels)


def _bands(time_s: np.ndarray, held: np.ndarray) -> list[tuple[float, float]]:
    """(start, length) of each stretch of intervals in which something held."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], held.astype(int), [0]))))
    return [(float(time_s[a]), float(time_s[b] - time_s[a])) for a, b in edges.reshape(-1, 2)]


def _failures(axis, series: Series, scales: Scales) -> None:
    limit = float(series.failure_limit.max())
    top = min(limit, max(largest(series.kswapd_failures), MAX_RECLAIM_RETRIES))
    if top == limit:
        axis.axhline(limit, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), alpha=0.55)
        axis.annotate("hopeless", (1.005, limit), xycoords=("axes fraction", "data"), va="center", fontsize=7)
    for colour, nid in zip(NODE_COLOURS, scales.nodes, strict=False):
        axis.step(series.time_s, series.kswapd_failures[:, nid], where="post", color=colour, linewidth=0.9)
    axis.set_ylim(-0.03 * top, 1.09 * top)
    axis.set_yticks([0, top / 2, top])
    axis.set_ylabel("kswapd_\nfailures")


def _cpu(axis, series: Series, scales: Scales) -> None:
    _curves(axis, series, scales, 100 * thinned(series.per_s("kswapd_cpu_s")))
    axis.set_ylim(0, 100 * scales.cpu_ratio * 1.05)
    axis.set_ylabel("kswapd,\n% of a CPU")


def _refaults(axis, series: Series, scales: Scales) -> None:
    bystanders = thinned(series.per_s("bystander_refault_pages").sum(axis=1) * MIB_PER_PAGE)
    times = _middles(series, len(bystanders))
    axis.fill_between(times, bystanders, color=BYSTANDER_COLOUR, alpha=0.3, linewidth=0)
    _curves(axis, series, scales, thinned(series.refault_mib_per_s()))
    axis.set_ylim(0, scales.refault_mib_per_s * 1.05)
    axis.set_ylabel("refaults,\nMiB/s")


def _swap(axis, series: Series, scales: Scales) -> None:
    """What is read back is dashed."""
    _curves(axis, series, scales, thinned(series.mib_per_s("pswpout")))
    _curves(axis, series, scales, thinned(series.mib_per_s("pswpin")), linestyle=(0, (2, 1.5)))
    axis.set_ylim(0, scales.swap_mib_per_s * 1.05)
    axis.set_ylabel("swap,\nMiB/s")


def _demoted(axis, series: Series, scales: Scales) -> None:
    _curves(axis, series, scales, thinned(series.mib_per_s(*DEMOTED)))
    axis.set_ylim(0, scales.demoted_mib_per_s * 1.05)
    axis.set_ylabel("demoted,\nMiB/s")


def _pressure(axis, series: Series, scales: Scales) -> None:
    for name, colour in part_charts.PRESSURE_COLOURS.items():
        curve = 100 * thinned(series.pressure_ratio(name))
        axis.plot(_middles(series, len(curve)), curve, color=colour, linewidth=0.9)
    axis.set_ylim(0, 100 * scales.pressure_ratio * 1.05)
    axis.set_ylabel("pressure,\n% of time")


def _curves(axis, series: Series, scales: Scales, curves: np.ndarray, linestyle: Any = "-") -> None:
    times = _middles(series, len(curves))
    for colour, nid in zip(NODE_COLOURS, scales.nodes, strict=False):
        axis.plot(times, curves[:, nid], color=colour, linewidth=0.9, linestyle=linestyle)


def _middles(series: Series, nr_points: int) -> np.ndarray:
    """Times in the middle of what thinned() averaged."""
    width = -(-(len(series.time_s) - 1) // MAX_POINTS)
    edges = series.time_s[::width][: nr_points + 1]
    return edges[:nr_points] + np.diff(series.time_s).mean() * width / 2


def _inline(figure, label: str, prefix: str) -> str:
    """Only the <svg> element: no namespace addresses, ids of its own, ink from the page."""
    from html import escape

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}', svg).replace("url(#", f"url(#{prefix}")
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{escape(label)}"', svg, count=1)
    svg = re.sub(r"[ \t]*\n[ \t]*", "\n", svg)
    return svg.replace(INK, "currentColor")


def legend(scales: Scales) -> Iterable[tuple[str, str]]:
    """(colour, words) of all marks of a scenario's charts."""
    for colour, nid in zip(NODE_COLOURS, scales.nodes, strict=False):
        yield colour, f"node {nid}"
    yield BYSTANDER_COLOUR, "bystanders' refaults, all nodes (area)"
    yield AWAKE_COLOUR, "kswapd awake"
    for reason in scales.reasons:
        yield REASON_COLOURS[REASONS[reason]], f"reset by {REASONS[reason]}"
    for kind in scales.killers:
        yield part_charts.KILL_COLOURS[kind], part_charts.KILLERS[kind]
    if scales.pressure_ratio:
        for name, colour in part_charts.PRESSURE_COLOURS.items():
            yield colour, f"{name.replace('_', ' pressure, ')}"
