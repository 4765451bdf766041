"""What was read from a machine: a page of text for a terminal of 80 columns, and the same with a picture."""

from collections.abc import Iterator, Sequence
from math import isnan, nan

from ..metrics import NODE_METRICS, NODE_STATE_METRICS, describe
from ..reporting import charts
from ..reporting.report import template
from ..reporting.tables import WIDTH, paragraph
from ..wording import compact, fitted, visible, with_unit
from .failures import Failures
from .importing import Imported
from .snapshots import TRACE_NAME
from .untold import untold

NAME_WIDTH, UNIT_WIDTH, CELL_WIDTH = 31, 13, 9
COLUMNS = (WIDTH - NAME_WIDTH - UNIT_WIDTH) // CELL_WIDTH

Row = tuple[str, str, list[str]]  # metric, unit, a cell for each column
Table = tuple[str, list[str], list[Row]]


def render_text(imported: Imported) -> str:
    lines = [visible(imported.found.name), "=" * WIDTH]
    for sentence in (heading(imported), *story(imported)):
        lines += paragraph(sentence)
    for title, columns, rows in tables(imported):
        lines += ["", title, *_table(columns, rows)]
    lines += ["", "What these files cannot tell"]
    for why, names in _untold(imported):
        lines += paragraph(f"{why}: {', '.join(names)}.", indent="  ")
    return "\n".join(lines) + "\n"


def render_html(imported: Imported) -> str:
    series = list(imported.found.series.values())
    scales = charts.Scales.of(imported.found) if series else None
    return template("import.html.j2").render(
        name=imported.found.name,
        heading=heading(imported),
        command=imported.command,
        story=story(imported),
        figure=scales and charts.timeline(series[0], scales, f"{imported.found.name} over time", "f-"),
        legend=list(charts.legend(scales)) if scales else [],
        nodes_shown=scales.nodes if scales else (),
        tables=tables(imported),
        untold=_untold(imported),
    )


def heading(imported: Imported) -> str:
    measured = imported.measured
    nr_nodes = len(measured.failures)
    nodes = f", {nr_nodes} node{'s' if nr_nodes > 1 else ''}" if nr_nodes else ""
    missing = [name for name in ("vmstat", "zoneinfo", TRACE_NAME) if name not in imported.files]
    said = f"{measured.nr_samples} samples in {measured.duration_s:g} s{nodes}: {', '.join(imported.files)}."
    return f"{said} Not there: {', '.join(missing)}." if missing else said


def story(imported: Imported) -> list[str]:
    """Who reclaimed, who waited, who reset the count; then what was passed over."""
    of = imported.measured.metrics
    pressed = [(name[9:-2], seconds) for name, seconds in of.items() if name.startswith("pressure/")]
    told = {name: "?" if isnan(value) else amount(value) for name, value in of.items()}
    sentences = [
        f"kswapd ran {told['pageoutrun']} times, scanned {told['pgscan_kswapd']} pages and freed "
        f"{told['pgsteal_kswapd']}; direct reclaim was entered {told['allocstall']} times, scanned "
        f"{told['pgscan_direct']} pages and freed {told['pgsteal_direct']}; "
        f"{told['workingset_refault_file']} file pages were refaulted."
    ]
    if pressed:
        waits = ", ".join(f"{name.replace('_', ' ')} {with_unit(seconds, 's')}" for name, seconds in pressed)
        sentences.append(f"Tasks waited: {waits}.")
    sentences += [_node_story(nid, one) for nid, one in imported.measured.failures.items()]
    return [*sentences, *imported.notes]


def amount(value: float) -> str:
    """Compact, but a small whole number as one."""
    return f"{value:.0f}" if abs(value) < 1000 and value == round(value) else compact(value)


def _node_story(nid: int, one: Failures) -> str:
    said = []
    if not isnan(one.fruitless_runs):
        said.append(f"{amount(one.fruitless_runs)} runs of kswapd freed nothing")
    if one.nr_cleared:
        by = ", ".join(f"{name} {nr}" for name, nr in one.nr_cleared.items() if nr)
        said.append(f"resets: {by}" if by else "no reset")
    if one.hopeless_s:
        from_s = "" if isnan(one.first_hopeless_s) else f" from {one.first_hopeless_s:.2f} s"
        said.append(f"hopeless{from_s}, {with_unit(one.hopeless_s, 's')} in all")
    else:
        said.append("never hopeless" if one.nr_cleared else "hopeless in no sample")
    return f"node {nid}: {'; '.join(said)}."


def tables(imported: Imported) -> list[Table]:
    """The machine beside its nodes, then what only real machines count."""
    of = imported.measured.metrics
    prefixes = {"machine": "", **{f"node {nid}": f"node{nid}/" for nid in imported.measured.failures}}
    names = [metric.name for metric in (*NODE_METRICS, *NODE_STATE_METRICS)]
    rows = [
        (name, describe(name).unit, [_cell(of, f"{prefix}{name}") for prefix in prefixes.values()])
        for name in names
        if any(abs(of.get(f"{prefix}{name}", nan)) > 0 for prefix in prefixes.values())
    ]
    found = [("Known, and not 0 everywhere", list(prefixes), rows)]
    others = [(name, describe(name).unit, [amount(of[name])]) for name in of if _is_other(name) and of[name]]
    return [*found, ("Counted besides (last sample minus first)", ["machine"], others)] if others else found


def _is_other(name: str) -> bool:
    return name.startswith(("pressure/", "vmstat/"))


def _cell(of: dict[str, float], name: str) -> str:
    """Empty: cannot be told, or means nothing."""
    value = of.get(name, nan)
    return "" if isnan(value) else amount(value)


def _table(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    """As many columns side by side as a line holds."""
    for start in range(0, len(columns), COLUMNS):
        some = slice(start, start + COLUMNS)
        yield " " * (NAME_WIDTH + UNIT_WIDTH) + "".join(f"{head:>{CELL_WIDTH}}" for head in columns[some])
        for name, unit, cells in rows:
            head = fitted(name, NAME_WIDTH) + fitted(f" {unit}", UNIT_WIDTH)
            yield (head + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells[some])).rstrip()


def _untold(imported: Imported) -> list[tuple[str, list[str]]]:
    return untold(imported.measured.metrics, TRACE_NAME in imported.files)
