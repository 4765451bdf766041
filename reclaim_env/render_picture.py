"""A machine as pixels: each node's memory stacked, free memory against the watermarks, kswapd, resets."""

from typing import Any

import numpy as np

from reclaim_env.render_view import (
    FAILURE_CELLS,
    MARK_COLOURS,
    MEMORY_COLOURS,
    STATE_COLOURS,
    MachineView,
    NodeView,
)

INK, FAINT = "#20262d", "#77808a"
NODE_IN, HEAD_IN, FOOT_IN = 2.15, 0.55, 0.35


def picture(view: MachineView) -> np.ndarray:
    """(height, width, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = HEAD_IN + NODE_IN * len(view.nodes) + FOOT_IN
    figure = Figure(figsize=(8.4, height), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.text(0.02, 1 - 0.2 / height, view.title, fontsize=11, color=INK, weight="bold", va="center")
    figure.text(
        0.02, 1 - 0.42 / height, f"{view.subtitle}; {view.pressure}", fontsize=8, color=FAINT, va="center"
    )
    for place, node in enumerate(view.nodes):
        bottom = 1 - (HEAD_IN + NODE_IN * (place + 1)) / height
        axes = figure.add_axes((0.02, bottom, 0.96, (NODE_IN - 0.1) / height))
        axes.set(xlim=(-0.3, 100.3), ylim=(-2.5, 20))
        axes.axis("off")
        _draw_heading(axes, node)
        _draw_memory(axes, node)
        _draw_free(axes, node)
        _draw_resets(axes, node)
    _draw_legend(figure, height)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_heading(axes: Any, view: NodeView) -> None:
    axes.text(0, 18, f"node {view.nid}", fontsize=11, color=INK, va="center")
    badge = {"boxstyle": "round,pad=0.3", "facecolor": STATE_COLOURS[view.state], "edgecolor": "none"}
    axes.text(9, 18, f"kswapd {view.state}", fontsize=9, color="white", va="center", bbox=badge)
    for cell in range(FAILURE_CELLS):
        filled = cell < view.failure_cells
        axes.add_patch(_box(30 + 1.1 * cell, 17, 0.85, 2, STATE_COLOURS["hopeless"] if filled else "#dfe3e7"))
    axes.text(49, 18, f"{view.failures_text} fruitless runs", fontsize=9, color=INK, va="center")


def _draw_memory(axes: Any, view: NodeView) -> None:
    """The whole node, one stacked bar."""
    left = 0.0
    for name, size in view.memory_mib.items():
        width = 100 * size / view.total_mib
        axes.add_patch(_box(left, 12.3, width, 3.2, MEMORY_COLOURS[name]))
        if width > 10:
            ink = INK if name in ("free", "inactive file") else "white"
            axes.text(left + width / 2, 13.9, f"{size:,.0f}", fontsize=8, color=ink, ha="center", va="center")
        left += width
    axes.add_patch(_box(0, 12.3, 100, 3.2, "none", edge="#b8bec5"))


def _draw_free(axes: Any, view: NodeView) -> None:
    """Free memory that counts, enlarged, against min, low and high."""
    axes.add_patch(_box(0, 6.4, 100, 3.2, MEMORY_COLOURS["free"], edge="#b8bec5"))
    filled = min(100.0, 100 * max(view.usable_mib, 0.0) / view.scale_mib)
    axes.add_patch(_box(0, 6.4, filled, 3.2, MARK_COLOURS[view.below]))
    for name, mib in view.watermarks_mib.items():
        x = 100 * mib / view.scale_mib
        axes.plot([x, x], [5.8, 10.2], color=INK, linewidth=1.2)
        axes.text(x, 4.6, f"{name} {mib:,.0f}", fontsize=8, color=FAINT, ha="center", va="center")
    usable = f"{view.usable_mib:,.0f} MiB free and usable"
    axes.text(99.4, 8, usable, fontsize=8, color=INK, ha="right", va="center")


def _draw_resets(axes: Any, view: NodeView) -> None:
    axes.text(0, 2, f"resets: {view.resets}", fontsize=8, color=INK, va="center")
    agent = f"the agent: {view.allowed}; " if view.allowed else ""
    besides = f"; {view.besides}" if view.besides else ""
    axes.text(0, -0.4, f"{agent}{view.activity}{besides}", fontsize=8, color=FAINT, va="center")


def _draw_legend(figure: Any, height: float) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, edgecolor="#b8bec5", label=f"{name}, MiB")
        for name, colour in MEMORY_COLOURS.items()
    ]
    style = {"fontsize": 8, "frameon": False, "ncols": len(handles), "labelcolor": FAINT}
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.02 / height), **style)


def _box(x: float, y: float, width: float, height: float, colour: str, edge: str = "none") -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, edgecolor=edge, linewidth=0.8)
