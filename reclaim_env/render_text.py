"""A node for a terminal: letters that stand without colour, on colours where there are some."""

import os
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from reclaim_env.render_view import (
    FAILURE_CELLS,
    MARK_COLOURS,
    MEMORY_COLOURS,
    STATE_COLOURS,
    MachineView,
    NodeView,
)

WIDTH = 100
LABEL_CELLS = 8
LETTERS = {"anon": "a", "kernel": "k", "active file": "F", "inactive file": "f", "free": "."}
DARK_LETTERS = ("inactive file", "free")  # on a light ground


def ansi_text(view: MachineView) -> str:
    """All nodes as lines of WIDTH cells with colours, unless NO_COLOR is set."""
    colours = None if os.environ.get("NO_COLOR") else "truecolor"
    console = Console(
        width=WIDTH, force_terminal=colours is not None, color_system=colours, legacy_windows=False
    )
    with console.capture() as captured:
        for line in machine_lines(view, WIDTH):
            console.print(line, soft_wrap=True)
    return captured.get()


def machine_lines(view: MachineView, width: int) -> Iterator[Text]:
    yield _cut(Text(f"{view.title}", style="bold"), width)
    yield _cut(Text(view.subtitle, style="dim"), width)
    yield _cut(Text(view.pressure, style="dim"), width)
    for node in view.nodes:
        yield Text("")
        yield from (_cut(line, width) for line in node_lines(node, width))


def node_lines(view: NodeView, width: int) -> Iterator[Text]:
    yield _head(view)
    yield _labelled("memory", _memory_bar(view, width - LABEL_CELLS))
    yield _labelled("", _legend(view))
    yield _labelled("free", _free_bar(view, width - LABEL_CELLS))
    marks = "  ".join(f"{name} {mib:,.0f}" for name, mib in view.watermarks_mib.items())
    yield _labelled("", Text(f"{view.usable_mib:,.0f} MiB usable; {marks}", style="dim"))
    yield _labelled("resets", Text(view.resets))
    yield _labelled("so far", Text(view.activity))
    if view.besides:
        yield _labelled("besides", Text(view.besides))
    if view.allowed:
        yield _labelled("agent", Text(view.allowed))


def _head(view: NodeView) -> Text:
    line = Text.assemble((f"node {view.nid}  ", "bold"))
    line.append(f" kswapd {view.state} ", style=f"bold white on {STATE_COLOURS[view.state]}")
    line.append("  failures ")
    line.append("#" * view.failure_cells, style=STATE_COLOURS["hopeless"])
    line.append("-" * (FAILURE_CELLS - view.failure_cells), style="dim")
    return line.append(f" {view.failures_text}")


def _labelled(label: str, text: Text) -> Text:
    return Text.assemble((label.ljust(LABEL_CELLS), "dim"), text)


def _memory_bar(view: NodeView, cells: int) -> Text:
    """The whole node, one letter for each part; the largest gives way so that the small ones show."""
    parts = {
        name: max(round(cells * mib / view.total_mib), int(mib > 0)) for name, mib in view.memory_mib.items()
    }
    parts[max(parts, key=lambda name: parts[name])] += cells - sum(parts.values())
    bar = Text()
    for name, letters in parts.items():
        ink = "black" if name in DARK_LETTERS else "white"
        bar.append(LETTERS[name] * letters, style=f"{ink} on {MEMORY_COLOURS[name]}")
    return bar


def _legend(view: NodeView) -> Text:
    parts = (
        f"{LETTERS[name]} {name.removesuffix(' file')} {mib:,.0f}" for name, mib in view.memory_mib.items()
    )
    return Text("  ".join(parts), style="dim")


def _free_bar(view: NodeView, cells: int) -> Text:
    """Free pages that count, enlarged, with m, l and h at the watermarks."""

    def cell(mib: float) -> int:
        return min(max(int(mib / view.scale_mib * cells), 0), cells - 1)

    letters = ["#" if i < cell(view.usable_mib) else "." for i in range(cells)]
    bar = Text("".join(letters), style=f"bold {MARK_COLOURS[view.below]}")
    for name, mib in view.watermarks_mib.items():
        place = cell(mib)
        bar = Text.assemble(bar[:place], (name[0], "bold reverse"), bar[place + 1 :])
    return bar


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line
