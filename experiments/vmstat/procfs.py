"""/proc/vmstat, /proc/zoneinfo, /proc/pressure/* and /proc/uptime: read as any kernel from 5.x prints them.

Names nobody here knows are kept: kernels add some with every release. What is counted and what it is
called differ by version; `counters.py` brings that to one set of names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .lines import Line, Reading, nanoseconds, refusal, whole_number

NODE_AND_ZONE = re.compile(r"Node (\d{1,4}), zone +(\w{1,16})")
PRESSURE = re.compile(r"(some|full) (?:avg\d+=\d+\.\d+ )+total=(\d+)")


@dataclass(frozen=True)
class Node:
    """One node's part of /proc/zoneinfo; its zones are added up, those without a page left out."""

    zones: dict[str, Reading] = field(default_factory=dict)  # free, min, low, high, managed, numa_hit, ...
    stats: dict[str, Reading] = field(default_factory=dict)  # per-node stats
    unreclaimable: Reading | None = None  # kswapd_failures is 16 or more


def parse_vmstat(lines: Iterable[Line]) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for line in lines:
        name, digits = _name_and_number(line)
        if name in found:
            raise refusal(line, name, "the name a second time", "it once in a sample")
        found[name] = whole_number(line, name, digits)
    return found


def _name_and_number(line: Line) -> tuple[str, str]:
    words = line.text.split()
    if len(words) != 2:
        raise refusal(line, "", repr(line.text.strip()[:60]), "a name and a number, as `pgfree 123`")
    return words[0], words[1]


def parse_uptime(lines: Iterable[Line]) -> int:
    """Nanoseconds since boot: the clock of the snapshots."""
    for line in lines:
        return nanoseconds(line, "uptime", line.text.split()[0])
    raise ValueError("unreachable: a section without a line is not kept")


def parse_pressure(lines: Iterable[Line]) -> dict[str, Reading]:
    """some and full -> total stalled microseconds; the averages follow from two samples."""
    found = {}
    for line in lines:
        match = PRESSURE.fullmatch(line.text.strip())
        if match is None:
            raise refusal(line, "", repr(line.text.strip()[:60]), "`some avg10=0.00 ... total=123`")
        found[match[1]] = whole_number(line, match[1], match[2])
    return found


def parse_zoneinfo(lines: Iterable[Line]) -> dict[int, Node]:
    """Node id -> what the file says of it."""
    nodes: dict[int, Node] = {}
    for nid, zone in _zones(lines):
        before = nodes.get(nid, Node())
        managed = zone.zones.get("managed")
        empty = managed is None or managed.value == 0
        nodes[nid] = Node(
            before.zones if empty else _summed(before.zones, zone.zones),
            {**before.stats, **zone.stats},
            zone.unreclaimable or before.unreclaimable,
        )
    return nodes


def _summed(one: Mapping[str, Reading], other: Mapping[str, Reading]) -> dict[str, Reading]:
    """The sum of each name, at the line of the last part."""
    total = dict(one)
    for name, reading in other.items():
        total[name] = Reading(reading.value + (one[name].value if name in one else 0), reading.line)
    return total


def _zones(lines: Iterable[Line]) -> Iterator[tuple[int, Node]]:
    """Each `Node n, zone z` with the lines below it."""
    nid, below = -1, list[Line]()
    for line in lines:
        head = NODE_AND_ZONE.fullmatch(line.text.strip())
        if head is None:
            if nid < 0:
                raise refusal(line, "", repr(line.text.strip()[:60]), "`Node 0, zone Normal` first")
            below.append(line)
            continue
        if nid >= 0:
            yield nid, _zone(below)
        nid, below = int(head[1]), []
    if nid >= 0:
        yield nid, _zone(below)


def _zone(lines: Iterable[Line]) -> Node:
    """One zone, and the per-node stats where they come above its pages."""
    zone: dict[str, Reading] = {}
    stats: dict[str, Reading] = {}
    unreclaimable, into = None, zone
    for line in lines:
        words = line.text.split()
        if words == ["per-node", "stats"]:
            into = stats
        elif words[:2] == ["pages", "free"] and len(words) == 3:
            into = zone
            into["free"] = whole_number(line, "pages free", words[2])
        elif words[0] == "node_unreclaimable:":
            unreclaimable = whole_number(line, "node_unreclaimable", words[-1])
        elif line.text.rstrip().endswith("pagesets") or ":" in line.text:
            continue  # per-CPU lists, lowmem reserves, thresholds
        else:
            name, digits = _name_and_number(line)
            into[name] = whole_number(line, name, digits)
    return Node(zone, stats, unreclaimable)


def print_uptime(time_ns: int) -> str:
    """The second number is the idle time of all CPUs."""
    return f"{time_ns // 10**9}.{time_ns % 10**9 // 10**7:02} 0.00\n"


def print_pressure(shares: Mapping[str, Sequence[float]]) -> str:
    """some and full -> averages over 10 and 60 s as ratios, total in seconds. Nobody here keeps 300 s."""
    return "".join(
        f"{who} avg10={100 * avg10:.2f} avg60={100 * avg60:.2f} avg300=0.00 total={round(total_s * 1e6)}\n"
        for who, (avg10, avg60, total_s) in shares.items()
    )


def print_vmstat(counters: Mapping[str, int]) -> str:
    return "".join(f"{name} {value}\n" for name, value in counters.items())


def print_zone(nid: int, stats: Mapping[str, int], zone: Mapping[str, int], unreclaimable: bool) -> str:
    """A node with one zone. `zone` begins with free and the watermarks up to managed; its counters follow."""
    sizes = list(zone)[1 : list(zone).index("managed") + 1]
    lines = [
        f"Node {nid}, zone   Normal",
        "  per-node stats",
        *(f"      {name:<12} {value}" for name, value in stats.items()),
        f"  pages free     {zone['free']}",
        *(f"        {name:<8} {zone[name]}" for name in sizes),
        *(f"      {name:<12} {zone[name]}" for name in list(zone)[len(sizes) + 1 :]),
        f"  node_unreclaimable:  {int(unreclaimable)}",
    ]
    return "\n".join(lines) + "\n"
