"""A machine as a reader sees it: memory against the watermarks, kswapd, its failures, who cleared them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reclaim_env.model.constants import (
    ACTIVE,
    DOZE,
    INACTIVE,
    MAX_RECLAIM_RETRIES,
    PAGE_BYTES,
    REASONS,
    RUN,
)
from reclaim_env.reset_rules import GLOBAL_DIRECT_MASK, KSWAPD_MASK, MEMCG_MASK, is_hopeless

if TYPE_CHECKING:
    from reclaim_env.vector import ReclaimVectorEnv

BAR_CELLS = 46
MIB = 2**20 / PAGE_BYTES
MEMORY_COLOURS = {
    "anon": "#7a6fae",
    "kernel": "#9aa0a6",
    "active file": "#2f7fb8",
    "inactive file": "#8cc3e8",
    "free": "#eef1f4",
}
STATE_COLOURS = {"running": "#2e9e5b", "dozing": "#d9a514", "asleep": "#8a9199", "hopeless": "#cf3b32"}
INK, FAINT = "#20262d", "#77808a"


@dataclass(frozen=True)
class NodeView:
    """One node in a reader's units."""

    nid: int
    memory_mib: dict[str, float]  # name -> MiB, the node's whole
    usable_mib: float  # free pages that count against the watermarks
    watermarks_mib: dict[str, float]
    state: str
    failures: int
    last_reset: str
    allowed: str

    @property
    def total_mib(self) -> float:
        return sum(self.memory_mib.values())

    @property
    def scale_mib(self) -> float:
        """Right end of the picture of free memory."""
        return 1.6 * self.watermarks_mib["high"]


def render_row(env: "ReclaimVectorEnv", row: int, mode: str) -> str | np.ndarray:
    """Text, or (height, width, 3) uint8."""
    record = env.records[row]
    views = [_view(record, nid, env.rule) for nid in range(env.num_nodes)]
    scenario = env.scenarios[env.scenario_of_row[row]]
    title = f"{scenario.name}   t = {record['time_s']:.1f} s   kernel {env.kernel}"
    cost_s = 0.0 - env.last_reward[row]
    subtitle = f"{'rule ' + env.rule if env.rule else 'an agent'} decides   last interval cost {cost_s:.3f} s"
    if mode == "ansi":
        return "\n".join([f"{title}   {subtitle}", *(_node_text(view) for view in views)]) + "\n"
    return _picture(title, subtitle, views)


def _view(record: np.void, nid: int, rule: str | None) -> NodeView:
    node = record["node"][nid]
    inactive, active = (node["list_pages"][which] for which in (INACTIVE, ACTIVE))
    kernel = node["kernel_pages"] + node["slab_pages"]
    rest = node["managed_pages"] - node["free_pages"] - kernel - inactive - active
    pages = {
        "anon": rest,
        "kernel": kernel,
        "active file": active,
        "inactive file": inactive,
        "free": node["free_pages"],
    }
    return NodeView(
        nid=nid,
        memory_mib={name: float(count) / MIB for name, count in pages.items()},
        usable_mib=float(node["free_pages"] - node["unusable_pages"]) / MIB,
        watermarks_mib={mark: float(node[f"{mark}_wmark_pages"]) / MIB for mark in ("min", "low", "high")},
        state=_state(node),
        failures=int(node["kswapd_failures"]),
        last_reset=_last_reset(node, float(record["time_s"])),
        allowed=rule or _allowed(int(node["reset_always_mask"])),
    )


def _state(node: np.void) -> str:
    if is_hopeless(node):
        return "hopeless"
    return {int(RUN): "running", int(DOZE): "dozing"}.get(int(node["kswapd_phase"]), "asleep")


def _last_reset(node: np.void, time_s: float) -> str:
    reason = int(node["last_reset_reason"])
    if reason < 0:
        return "never reset"
    return f"reset {max(time_s - float(node['last_reset_s']), 0.0):.1f} s ago by {REASONS[reason]}"


def _allowed(mask: int) -> str:
    """What the agent lets reset the count in this interval."""
    sources = {"kswapd": KSWAPD_MASK, "direct": GLOBAL_DIRECT_MASK, "memcg": MEMCG_MASK}
    allowed = [name for name, bits in sources.items() if mask & bits == bits]
    if len(allowed) == len(sources):
        return "reset"
    return f"reset by {' and '.join(allowed)}" if allowed else "keep"


def _node_text(view: NodeView) -> str:
    marks = "  ".join(f"{name} {size:,.0f}" for name, size in view.watermarks_mib.items())
    parts = "  ".join(f"{name} {size:,.0f}" for name, size in view.memory_mib.items())
    return "\n".join(
        (
            f"node {view.nid}  free [{_free_bar(view)}] {view.usable_mib:,.0f} MiB usable",
            f"        {marks}  (m, l, h in the bar)",
            f"        {parts}  of {view.total_mib:,.0f} MiB",
            f"        kswapd {view.state}, failures {view.failures}/{MAX_RECLAIM_RETRIES}, {view.last_reset}",
            f"        now: {view.allowed}",
        )
    )


def _free_bar(view: NodeView) -> str:
    def cell(mib: float) -> int:
        return min(max(int(mib / view.scale_mib * BAR_CELLS), 0), BAR_CELLS - 1)

    cells = ["#" if i < cell(view.usable_mib) else "." for i in range(BAR_CELLS)]
    for name, mib in view.watermarks_mib.items():
        cells[cell(mib)] = name[0]
    return "".join(cells)


def _picture(title: str, subtitle: str, views: list[NodeView]) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 0.9 + 1.9 * len(views)), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    height = figure.get_figheight()
    figure.text(0.02, 1 - 0.3 / height, title, fontsize=12, color=INK, weight="bold", va="center")
    figure.text(0.98, 1 - 0.3 / height, subtitle, fontsize=9, color=FAINT, ha="right", va="center")
    for index, view in enumerate(views):
        bottom = 1 - (0.55 + 1.9 * (index + 1)) / height
        axes = figure.add_axes((0.02, bottom, 0.96, 1.8 / height))
        axes.set(xlim=(-0.3, 100.3), ylim=(0, 18))
        axes.axis("off")
        _draw_heading(axes, view)
        _draw_memory(axes, view)
        _draw_free(axes, view)
    if views:
        _draw_legend(figure, height)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_heading(axes: Any, view: NodeView) -> None:
    axes.text(0, 16, f"node {view.nid}", fontsize=12, color=INK, va="center")
    colour = STATE_COLOURS[view.state]
    badge = {"boxstyle": "round,pad=0.3", "facecolor": colour, "edgecolor": "none"}
    axes.text(9, 16, f"kswapd {view.state}", fontsize=9, color="white", va="center", bbox=badge)
    for run in range(MAX_RECLAIM_RETRIES):
        filled = run < view.failures
        axes.add_patch(_box(30 + 1.1 * run, 15, 0.85, 2, colour if filled else "#dfe3e7"))
    failures = f"{view.failures}/{MAX_RECLAIM_RETRIES} fruitless runs, {view.last_reset}"
    axes.text(49, 16, failures, fontsize=9, color=INK, va="center")
    axes.text(100, 1.2, f"now: {view.allowed}", fontsize=8, color=INK, va="center", ha="right")


def _draw_memory(axes: Any, view: NodeView) -> None:
    """The whole node, one stacked bar."""
    left = 0.0
    for name, size in view.memory_mib.items():
        width = 100 * size / view.total_mib
        axes.add_patch(_box(left, 9.5, width, 3.2, MEMORY_COLOURS[name]))
        if width > 10:
            ink = INK if name in ("free", "inactive file") else "white"
            axes.text(left + width / 2, 11.1, f"{size:,.0f}", fontsize=8, color=ink, ha="center", va="center")
        left += width
    axes.add_patch(_box(0, 9.5, 100, 3.2, "none", edge="#b8bec5"))


def _draw_free(axes: Any, view: NodeView) -> None:
    """Free memory that counts, enlarged, against min, low and high."""
    marks = view.watermarks_mib
    below = next((name for name in ("min", "low", "high") if view.usable_mib <= marks[name]), None)
    colour = {"min": "#cf3b32", "low": "#e07b39", "high": "#d9a514", None: "#2e9e5b"}[below]
    axes.add_patch(_box(0, 3.2, 100, 3.2, MEMORY_COLOURS["free"], edge="#b8bec5"))
    axes.add_patch(_box(0, 3.2, min(100.0, 100 * max(view.usable_mib, 0.0) / view.scale_mib), 3.2, colour))
    for name, mib in marks.items():
        x = 100 * mib / view.scale_mib
        axes.plot([x, x], [2.6, 7.0], color=INK, linewidth=1.2)
        axes.text(x, 1.2, f"{name} {mib:,.0f}", fontsize=8, color=FAINT, ha="center", va="center")
    usable = f"{view.usable_mib:,.0f} MiB free and usable"
    axes.text(99.4, 4.8, usable, fontsize=8, color=INK, ha="right", va="center")


def _draw_legend(figure: Any, height: float) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, edgecolor="#b8bec5", label=name) for name, colour in MEMORY_COLOURS.items()
    ]
    style = {"fontsize": 8, "frameon": False, "ncols": len(handles), "labelcolor": FAINT}
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.02 / height), **style)


def _box(x: float, y: float, width: float, height: float, colour: str, edge: str = "none") -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, edgecolor=edge, linewidth=0.8)
