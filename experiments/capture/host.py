"""What a host shows of its memory: nodes, watermark settings, counters twice, pressure, cgroups."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from reclaim_env.model.layout import MAX_NODES, MAX_WORKLOADS
from reclaim_env.numastat import ROWS, SLAB_ROW, NodeMemory
from reclaim_env.units import KIB_PER_PAGE

from ..vmstat import counters, procfs
from ..vmstat.counters import Growth
from ..vmstat.lines import Line, Reading, refusal, seconds, whole_number
from .cgroups import Cgroups, read_cgroups
from .host_files import HostFiles
from .swap import HostSwap, most_cgroups_with_swap, read_swap

NODES = "/sys/devices/system/node"
MEMINFO = re.compile(r"(?:Node \d+ )?([\w()]+): +(\d+)(?: kB)?")
RELEASE = re.compile(r"(\d+\.\d+)\b")
SETTINGS = {
    "watermark_scale_factor": "/proc/sys/vm/watermark_scale_factor",
    "watermark_boost_factor": "/proc/sys/vm/watermark_boost_factor",
    "min_free_kib": "/proc/sys/vm/min_free_kbytes",
}
THP = "/sys/kernel/mm/transparent_hugepage/enabled"


@dataclass(frozen=True)
class Rates:
    """Of the machine, between two readings of /proc/vmstat. MiB are of 4 KiB pages."""

    seconds: float
    allocated_mib_per_s: float
    read_mib_per_s: float
    refault_pages_per_s: float
    scanned_pages_per_s: float
    reclaimed_pages_per_s: float
    allocstall_per_s: float


@dataclass(frozen=True)
class Host:
    release: str  # "6.12", or empty
    nodes: tuple[NodeMemory, ...]
    distances: tuple[tuple[int, ...], ...]  # of the nodes, in their order; empty: not told
    settings: dict[str, int]  # those that could be read
    thp: bool | None
    hopeless: tuple[int, ...]  # places of nodes whose kswapd has given up
    rates: Rates | None  # None: not measured
    pressure: dict[str, dict[str, float]]  # memory, io -> some, full: per cent of a minute that tasks waited
    cgroups: Cgroups
    memory_files: tuple[str, ...]  # where the nodes' sizes were read
    active_anon_ratio: float  # of the anonymous memory of all nodes
    swap: HostSwap
    unread: dict[str, str] = field(default_factory=dict)


def read_host(root: Path, interval_s: float, sleep: Callable[[float], None]) -> Host:
    """Reads the host below root, waiting interval_s between the two readings of its counters (0: no second).

    ValueError where not even the sizes of the nodes can be had.
    """
    files = HostFiles(root)
    read = _nodes(files)
    sources, nodes = tuple(read), tuple(one.memory for one in read.values())
    nids = [node.nid for node in nodes]
    zoneinfo = files.parsed("/proc/zoneinfo", procfs.parse_zoneinfo, {})
    dead = {nid for nid, node in zoneinfo.items() if node.unreclaimable and node.unreclaimable.value}
    rates = _rates(files, interval_s, sleep)
    swap = read_swap(files)
    return Host(
        release=files.parsed("/proc/sys/kernel/osrelease", _release, ""),
        nodes=nodes,
        distances=_distances(files, nids),
        settings=_settings(files),
        thp=files.parsed(THP, lambda lines: "[never]" not in lines[0].text, None),
        hopeless=tuple(place for place, nid in enumerate(nids) if nid in dead),
        rates=rates,
        pressure={name: files.parsed(f"/proc/pressure/{name}", _averages, {}) for name in ("memory", "io")},
        cgroups=read_cgroups(files, most_cgroups(len(nodes), swap), holds_swap(len(nodes), swap)),
        memory_files=sources,
        active_anon_ratio=_active_anon_ratio(list(read.values())),
        swap=swap,
        unread=files.unread,
    )


def holds_swap(nr_nodes: int, swap: HostSwap) -> bool:
    """Is any swap free, and does a scenario of so many nodes have room for both types of lists?"""
    return swap.free_mib > 0 and most_cgroups_with_swap(nr_nodes) >= 0


def most_cgroups(nr_nodes: int, swap: HostSwap) -> int:
    """Two workloads for each cgroup and for the root on each node, and a stream."""
    most = (MAX_WORKLOADS - 1) // 2 - nr_nodes
    return min(most, most_cgroups_with_swap(nr_nodes)) if holds_swap(nr_nodes, swap) else most


class _NodeFile(NamedTuple):
    """What one node's meminfo tells."""

    memory: NodeMemory
    active_anon_mib: float


def _active_anon_ratio(nodes: Sequence[_NodeFile]) -> float:
    whole_mib = sum(one.memory.anon_mib for one in nodes)
    return sum(one.active_anon_mib for one in nodes) / whole_mib if whole_mib else 0.0


def _nodes(files: HostFiles) -> dict[str, _NodeFile]:
    """Nodes with memory, by the file that tells.

    A kernel without NUMA has no folder for them, but /proc/meminfo.
    """
    nids = sorted(int(name[4:]) for name in files.children(NODES) if re.fullmatch(r"node\d{1,4}", name))
    sources = {nid: f"{NODES}/node{nid}/meminfo" for nid in nids} or {0: "/proc/meminfo"}
    found: dict[str, _NodeFile] = {}
    for nid, name in sources.items():
        lines = files.lines(name)
        if not lines:
            raise ValueError(
                f"{name}: {files.unread.get(name, 'found nothing, wanted the memory of a node')}"
            )
        mib = _meminfo(lines)
        memory = _node(nid, mib, name)
        if memory.total_mib > 0:
            found[name] = _NodeFile(memory, mib["Active(anon)"])
    if not 0 < len(found) <= MAX_NODES:
        raise ValueError(f"{NODES}: found {len(found)} nodes with memory, wanted 1 to {MAX_NODES}")
    return found


def _meminfo(lines: Sequence[Line]) -> dict[str, float]:
    """Name -> MiB."""
    found = {}
    for line in lines:
        match = MEMINFO.fullmatch(line.text.strip())
        if match is None:
            raise refusal(line, "", repr(line.text[:60]), "`Node 0 MemTotal: 123 kB`")
        found[match[1]] = whole_number(line, match[1], match[2]).value / 1024
    return found


def _node(nid: int, mib: dict[str, float], name: str) -> NodeMemory:
    for row in ROWS:
        if row not in mib:
            raise ValueError(f"{name}: found no {row}, wanted it")
    total, free, active_anon, inactive_anon, active, inactive = (mib[row] for row in ROWS)
    node = NodeMemory(nid, total, free, active_anon + inactive_anon, active, inactive)
    if node.kernel_mib < 0:
        raise ValueError(f"{name}: found {-node.kernel_mib:.2f} MiB more than MemTotal, wanted parts of it")
    return node._replace(slab_mib=min(mib.get(SLAB_ROW, 0.0), node.kernel_mib))


def _distances(files: HostFiles, nids: list[int]) -> tuple[tuple[int, ...], ...]:
    """Rows of the SLIT. The columns are those of all nodes, so a node without memory makes it unusable."""
    if len(nids) == 1 or nids != list(range(len(nids))):
        return ()
    rows = []
    for nid in nids:
        row = files.parsed(f"{NODES}/node{nid}/distance", _whole_numbers, ())
        if len(row) != len(nids):
            return ()
        rows.append(row)
    return tuple(rows)


def _whole_numbers(lines: Sequence[Line]) -> tuple[int, ...]:
    return tuple(whole_number(lines[0], "", word).value for word in lines[0].text.split())


def _settings(files: HostFiles) -> dict[str, int]:
    found = {name: files.parsed(path, _whole_numbers, ()) for name, path in SETTINGS.items()}
    return {name: values[0] for name, values in found.items() if values}


def _release(lines: Sequence[Line]) -> str:
    """Major and minor only: what follows may be the name of a build."""
    match = RELEASE.match(lines[0].text)
    return match[1] if match else ""


def _averages(lines: Sequence[Line]) -> dict[str, float]:
    found = {}
    for line in lines:
        match = re.search(r"^(some|full) .*avg60=(\d+\.\d+)", line.text)
        if match:
            found[match[1]] = float(match[2])
    return found


def _rates(files: HostFiles, interval_s: float, sleep: Callable[[float], None]) -> Rates | None:
    if interval_s == 0:
        return None
    growth = Growth()
    times_ns = []
    for pause_s in (interval_s, 0.0):
        times_ns.append(files.parsed("/proc/uptime", procfs.parse_uptime, 0))
        vmstat = files.parsed("/proc/vmstat", procfs.parse_vmstat, {})
        if not vmstat:
            return None
        growth.add({**counters.of_machine(vmstat), "allocated": _allocated(vmstat)})
        if pause_s:
            sleep(pause_s)
    passed_s = seconds(times_ns[1] - times_ns[0]) if 0 not in times_ns else interval_s
    if passed_s <= 0:
        raise ValueError(f"/proc/uptime: found {passed_s:g} s between two readings, wanted {interval_s:g}")
    return _per_s(growth, passed_s)


def _allocated(vmstat: dict[str, Reading]) -> Reading:
    """Pages, all zones together."""
    parts = [reading for name, reading in vmstat.items() if name.startswith("pgalloc_")]
    return Reading(
        sum(one.value for one in parts), parts[-1].line if parts else next(iter(vmstat.values())).line
    )


def _per_s(growth: Growth, passed_s: float) -> Rates:
    def per_s(*names: str) -> float:
        return sum(growth[name] for name in names if name in set(growth)) / passed_s

    return Rates(
        seconds=passed_s,
        allocated_mib_per_s=per_s("allocated") * KIB_PER_PAGE / 1024,
        read_mib_per_s=per_s("pgpgin") / 1024,
        refault_pages_per_s=per_s("workingset_refault_file"),
        scanned_pages_per_s=per_s("pgscan_kswapd", "pgscan_direct"),
        reclaimed_pages_per_s=per_s("pgsteal_kswapd", "pgsteal_direct"),
        allocstall_per_s=per_s("allocstall"),
    )
