"""A scenario from the `numastat -m` table of a real machine, in its own layout or quoted in a mail."""

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from reclaim_env.scenario import Scenario, parse_text
from reclaim_env.scenario.file import ScenarioError, read_text, shown, write_new
from reclaim_env.units import mib_from_pages, pages_from_mib

ROWS = ("MemTotal", "MemFree", "Active(anon)", "Inactive(anon)", "Active(file)", "Inactive(file)")
SLAB_ROW = "SReclaimable"  # a table without it says nothing of the slab: it stays with the kernel's memory
NODE = re.compile(r"Node\s+(\d{1,4})\b")
QUOTE = re.compile(r"^[>\s|]*")
TOTAL = re.compile(r"\bTotal\b")
NUMBER = re.compile(r"\d{1,10}(\.\d{1,6})?")
ROUNDING_MIB = 0.0051  # of a number with two decimals


class NodeMemory(NamedTuple):
    """What the table says of one node."""

    nid: int
    total_mib: float
    free_mib: float
    anon_mib: float
    active_file_mib: float
    inactive_file_mib: float
    slab_mib: float = 0.0  # reclaimable

    @property
    def kernel_mib(self) -> float:
        """The rest, exact to a page, so that the scenario's free pages are those of the table."""
        file_mib = (self.active_file_mib, self.inactive_file_mib)
        told_mib = (self.free_mib, self.anon_mib, *file_mib, self.slab_mib)
        return mib_from_pages(pages_from_mib(self.total_mib) - sum(pages_from_mib(mib) for mib in told_mib))


def parse_numastat(text: str, file: str = "numastat") -> tuple[NodeMemory, ...]:
    """Nodes with memory. Wide machines come in several blocks, each with its own `Node a Node b` line."""
    cells: dict[tuple[int, str], float] = {}
    columns: list[str] = []
    for line_number, raw in enumerate(text.splitlines(), start=1):
        line = QUOTE.sub("", raw)
        if NODE.match(line):
            columns = [*NODE.findall(line), *TOTAL.findall(line)]
            continue
        label, *values = line.split() or [""]
        if label in (*ROWS, SLAB_ROW):
            numbers = _numbers(columns, values, file, f"line {line_number}: {label}")
            _add(cells, label, numbers, file, f"line {line_number}: {label}")
    nodes = [_node(nid, cells, file) for nid in sorted({nid for nid, _ in cells}) or (0,)]
    found = tuple(node for node in nodes if node.total_mib > 0)
    if not found:
        raise ScenarioError(file, "MemTotal", "no node with memory", "one at least")
    return found


def _numbers(columns: list[str], values: list[str], file: str, where: str) -> dict[str, float]:
    """A row's number of MiB by column."""
    if len(values) < len(columns) or not columns:
        wanted = "a line `Node 0 Node 1 ...` above it"
        if columns:
            wanted = f"a number for each of {len(columns)} columns"
        raise ScenarioError(file, where, f"{len(values)} numbers", wanted)
    for value in values[: len(columns)]:
        if not NUMBER.fullmatch(value):
            raise ScenarioError(file, where, shown(value), "a number of MiB")
    return dict(zip(columns, map(float, values), strict=False))


def _add(
    cells: dict[tuple[int, str], float], label: str, numbers: dict[str, float], file: str, where: str
) -> None:
    """A row's numbers to those of the table; where it ends they make the total."""
    total_mib = numbers.pop("Total", None)
    for nid, mib in numbers.items():
        if (int(nid), label) in cells:
            raise ScenarioError(file, where, f"Node {nid} a second time", "one table")
        cells[int(nid), label] = mib
    if total_mib is None:
        return
    of_nodes = [mib for (_, one), mib in cells.items() if one == label]
    if abs(sum(of_nodes) - total_mib) > ROUNDING_MIB * (len(of_nodes) + 1):
        raise ScenarioError(file, where, f"{sum(of_nodes):.2f} MiB on all nodes", f"the Total, {total_mib:g}")


def _node(nid: int, cells: dict[tuple[int, str], float], file: str) -> NodeMemory:
    for label in ROWS:
        if (nid, label) not in cells:
            raise ScenarioError(file, f"Node {nid}", f"no row {label}", "the table `numastat -m` prints")
    anon_mib = round(cells[nid, "Active(anon)"] + cells[nid, "Inactive(anon)"], 6)
    node = NodeMemory(
        nid,
        cells[nid, "MemTotal"],
        cells[nid, "MemFree"],
        anon_mib,
        cells[nid, "Active(file)"],
        cells[nid, "Inactive(file)"],
        cells.get((nid, SLAB_ROW), 0.0),
    )
    if node.kernel_mib < 0:
        wanted = f"free, anon, file and slab pages within MemTotal {node.total_mib:g}"
        raise ScenarioError(file, f"Node {nid}", f"{-node.kernel_mib:.2f} MiB more", wanted)
    return node


HEAD = """\
# Written by `reclaim scenario from-numastat`. The table says what lies on each node. Everything
# else is a guess to replace: a number is listed under [[assumed]] below; besides, that memory and
# readers are bound to their node, that huge pages are enabled, and that files are read, not mapped.
name = "{name}"
source = "numastat -m: {name}"

watermark_scale_factor = 10  # assumed: the kernel's default
"""

DEVICE_TABLE = """
[device]  # assumed: a data-centre NVMe device
latency_us = 80
bandwidth_mib_per_s = 4768
iops_per_s = 800_000
"""

NODE_TABLE = """
[[node]]  # Node {node.nid}
total_mib = {node.total_mib}   # MemTotal
slab_mib = {node.slab_mib}  # SReclaimable, if the table has it
kernel_mib = {node.kernel_mib}  # what leaves MemFree {node.free_mib} free
"""

ANON_TABLE = """
[[anon]]
name = "anon-{node.nid}"
cpu_node = {index}
policy = "bind"
nodes = [{index}]
initial_mib = {anon_mib}  # Active(anon) + Inactive(anon)
"""

READER_TABLE = """
[[reader]]
name = "files-{node.nid}"
cpu_node = {index}
policy = "bind"
nodes = [{index}]
threads = 4   # assumed
think_ms = 1  # assumed

[[reader.file]]
mib = {file_mib}  # assumed: all of it is resident
inactive_mib = {inactive_mib}
active_mib = {active_mib}
"""

ASSUMED_TABLE = """
[[assumed]]
field = "{field}"
low = {low}
high = {high}
why = "{why}"
"""

Guess = tuple[str, float, float, str]  # field, low, high, why

ASSUMED_DEVICE: tuple[Guess, ...] = (
    ("device.latency_us", 50, 10_000, "from NVMe to a hard disk"),
    ("device.bandwidth_mib_per_s", 150, 6676, "from a hard disk to NVMe"),
    ("device.iops_per_s", 80, 1_500_000, "from a hard disk to NVMe"),
)
ASSUMED: tuple[Guess, ...] = (
    ("watermark_scale_factor", 10, 300, "numastat does not tell; 10 is the kernel's default"),
    *ASSUMED_DEVICE,
)
ASSUMED_OF_ANON: tuple[Guess, ...] = (
    ("churn_mib_per_s", 0, 1000, "numastat does not tell how much is freed and touched again"),
)
ASSUMED_OF_READER: tuple[Guess, ...] = (
    ("threads", 1, 64, "numastat does not tell who reads"),
    ("think_ms", 0, 1000, "numastat does not tell how often"),
)


def scenario_toml(nodes: Sequence[NodeMemory], name: str) -> str:
    """A scenario file; nodes are numbered anew from 0 where the machine's ids have holes."""
    parts = [HEAD.format(name=name), DEVICE_TABLE, *(NODE_TABLE.format(node=node) for node in nodes)]
    assumed = list(ASSUMED)
    for index, node in enumerate(nodes):
        if node.anon_mib:
            parts.append(
                ANON_TABLE.format(node=node, index=index, anon_mib=_row(nodes, index, node.anon_mib))
            )
            assumed += _of(f"anon.anon-{node.nid}", ASSUMED_OF_ANON)
    for index, node in enumerate(nodes):
        file_mib = round(node.active_file_mib + node.inactive_file_mib, 6)
        if not file_mib:
            continue
        inactive_mib = _row(nodes, index, node.inactive_file_mib)
        active_mib = _row(nodes, index, node.active_file_mib)
        lists = {"inactive_mib": inactive_mib, "active_mib": active_mib}
        parts.append(READER_TABLE.format(node=node, index=index, file_mib=file_mib, **lists))
        reader = f"reader.files-{node.nid}"
        assumed += _of(reader, ASSUMED_OF_READER)
        why = "numastat tells what is resident, not how large the files are"
        assumed.append((f"{reader}.file.0.mib", file_mib, 10 * file_mib, why))
    for field, low, high, why in assumed:
        parts.append(ASSUMED_TABLE.format(field=field, low=low, high=high, why=why))
    return "".join(parts)


def _of(table: str, guesses: tuple[Guess, ...]) -> list[Guess]:
    return [(f"{table}.{field}", low, high, why) for field, low, high, why in guesses]


def _row(nodes: Sequence[NodeMemory], index: int, mib: float) -> str:
    return f"[{', '.join(str(mib) if other == index else '0' for other in range(len(nodes)))}]"


def from_numastat(table: str | PathLike[str], out: str | PathLike[str]) -> Scenario:
    """Write the scenario of a table to `out`, a new file named after the scenario it holds."""
    name = re.sub(r"[^a-z0-9_-]+", "-", Path(out).stem.lower()).strip("-")[:64] or "numastat"
    toml = scenario_toml(parse_numastat(read_text(table), str(table)), name)
    scenario = parse_text(toml, str(table))
    write_new(Path(out), toml)
    return scenario
