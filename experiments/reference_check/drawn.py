"""A small machine and its story from one integer: all that the schema can say, under pressure from the start.

The same integer is the same story on every machine and in every version of Python: only random() is used,
whose stream is guaranteed.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reclaim_env.scenario import Scenario, parse

KERNELS = ("6.12", "6.18", "6.19", "7.0")
# Those that are masks and no more, which the page-exact simulator knows
RULES = (
    "always",
    "balanced",
    "direct_balanced",
    "global_direct",
    "kswapd_only",
    "never",
    "no_memcg",
    "random",
)
GROUPS: tuple[str, ...] = ("", "free", "top", "child")  # where tasks live; the crowd has readers of its own
ROOM_MIB = 12.0  # left free at the start on every node, one of them unusable

T = TypeVar("T")


@dataclass(frozen=True)
class Drawn:
    scenario: Scenario
    rule: str
    kernel: str


class Dice:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, n: int) -> int:
        return int(self._random.random() * n)

    def one_of(self, *options: T) -> T:
        return options[self.below(len(options))]

    def often(self) -> bool:
        return self._random.random() < 0.5

    def several(self, options: Sequence[T]) -> list[T]:
        """At least one of the options, each once."""
        kept = [option for option in options if self.often()]
        return kept or [self.one_of(*options)]

    def between(self, low: float, high: float) -> float:
        """Evenly spread over the magnitudes from low to high."""
        return low * math.exp(self._random.random() * math.log(high / low))

    def mib_of_each(self, nr_nodes: int, most: int) -> list[float]:
        return [float(self.below(most // nr_nodes + 1)) for _ in range(nr_nodes)]


def draw(seed: int, duration_s: float = 0.8) -> Drawn:
    """What happens by the clock is spread over duration_s."""
    dice = Dice(seed)
    nr_nodes = dice.one_of(1, 1, 2, 3)
    tables: dict[str, Any] = {
        "name": f"drawn-{seed}",
        "source": f"drawn at random from {seed}",
        "duration_s": duration_s,
        "watermark_scale_factor": dice.one_of(10, 50, 200),
        "min_free_kib": 2048 * nr_nodes,
        "device": _device(dice),
        "cost": _cost(dice),
        "node": [_node(dice, nid, nr_nodes) for nid in range(nr_nodes)],
        "cgroup": _cgroups(dice),
        "anon": [_anon(dice, f"anon{i}", nr_nodes, duration_s) for i in range(dice.below(3))],
        "reader": [_reader(dice, f"reader{i}", nr_nodes, duration_s) for i in range(dice.below(3))],
        "stream": [_stream(dice, nr_nodes)] if dice.often() else [],
        "atomic": [_atomic(dice, nr_nodes)] if dice.one_of(True, False, False) else [],
        "event": _events(dice, duration_s),
        "hopeless": [{"node": dice.below(nr_nodes)}] if dice.one_of(True, False, False) else [],
    }
    if dice.often():
        tables["reader"].append(_crowd(dice))
    return Drawn(parse(fitted(tables)), dice.one_of(*RULES), dice.one_of(*KERNELS))


def _device(dice: Dice) -> dict:
    return {
        "latency_us": dice.between(20, 2000),
        "bandwidth_mib_per_s": dice.one_of(30.0, 300.0, 3000.0),
        "iops_per_s": dice.one_of(5_000.0, 400_000.0),
    }


def _cost(dice: Dice) -> dict:
    """Mostly the defaults: what they are is swept elsewhere."""
    if dice.often():
        return {}
    times = {"scan_us": 0.1, "scan_mapped_us": 0.25, "free_us": 0.6, "unmap_us": 0.7, "pass_us": 20.0}
    drawn = {name: us * dice.between(0.5, 2) for name, us in times.items()}
    return {"source": "drawn at random", "tlb_ms": dice.one_of(0.0, 0.0, 2.0), **drawn}


def _node(dice: Dice, nid: int, nr_nodes: int) -> dict:
    row = {"distance": [10 if j == nid else 21 + (nid - j) % nr_nodes for j in range(nr_nodes)]}
    share = dice.one_of(1.0, 1.0, 0.3)
    boosts = {"boosts_per_s": dice.one_of(0.0, 0.0, 5.0, 200.0)}
    return {"total_mib": dice.one_of(256.0, 300.0), "kswapd_cpu_share_ratio": share, **row, **boosts}


def _cgroups(dice: Dice) -> list[dict]:
    """A top cgroup with a child, a crowd of identical ones, and one without limits."""
    groups: list[dict] = [
        {"name": "top"},
        {"name": "child", "parent": "top"},
        {"name": "crowd", "count": dice.one_of(1, 3, 40)},
        {"name": "free"},
    ]
    for group in groups[:3]:
        for limit in ("min", "low", "high", "max"):
            if dice.one_of(True, False, False):
                mib = dice.one_of(1.0, 12.0, 80.0) / group.get("count", 1)
                group[f"memory_{limit}_mib"] = mib
    return groups


def _task(dice: Dice, nr_nodes: int) -> dict:
    """What every task says of itself."""
    policy = dice.one_of("local", "local", "bind", "preferred", "interleave")
    nodes = {} if policy == "local" else {"nodes": dice.several(range(nr_nodes))}
    where = {"cgroup": dice.one_of(*GROUPS), "cpu_node": dice.below(nr_nodes), "policy": policy}
    return {**where, **nodes, "threads": 1 + dice.below(6)}


def _anon(dice: Dice, name: str, nr_nodes: int, duration_s: float) -> dict:
    """A task that may want more than there is."""
    initial = dice.mib_of_each(nr_nodes, 200)
    task = {"name": name, "initial_mib": initial, **_task(dice, nr_nodes)}
    if dice.often():
        peak = max(sum(initial) + dice.one_of(-30.0, 20.0, 300.0), 0.0)
        task["schedule"] = [[0, sum(initial)], [0.4 * duration_s, peak], [0.8 * duration_s, sum(initial) / 2]]
    if dice.often():
        size, every_ms = dice.one_of(1.0, 40.0), dice.one_of(90.0, 400.0)
        task |= {"burst_mib": size, "burst_every_ms": every_ms, "burst_hold_ms": every_ms / 2}
    task["churn_mib_per_s"] = dice.one_of(0.0, 30.0, 500.0)
    return {**task, "oom_score_adj": dice.one_of(0, -500, 300), "restart_s": 0.4 * duration_s}


def _reader(dice: Dice, name: str, nr_nodes: int, duration_s: float) -> dict:
    files = [_file(dice, nr_nodes, duration_s) for _ in range(1 + dice.below(3))]
    pace = {"ops_per_s": dice.between(50, 20_000)} if dice.often() else {}
    start = (
        {"start_s": 0.2 * duration_s, "stop_s": 0.9 * duration_s} if dice.one_of(True, False, False) else {}
    )
    rest = {"think_ms": dice.one_of(0.0, 0.5), "pages_per_op": dice.one_of(1.0, 8.0)}
    return {"name": name, "file": files, **rest, **pace, **start, **_task(dice, nr_nodes)}


def _file(dice: Dice, nr_nodes: int, duration_s: float) -> dict:
    inactive, active = (dice.mib_of_each(nr_nodes, 16) for _ in range(2))
    silence = {"on_s": duration_s / 8, "off_s": duration_s / 16} if dice.one_of(True, False, False) else {}
    return {
        "mib": sum(inactive) + sum(active) + dice.between(0.02, 60),
        "share": dice.one_of(0.1, 1.0),
        "access": dice.one_of("read", "mmap", "exec"),
        "pattern": dice.one_of("random", "random", "random", "loop"),
        "readahead_pages": dice.one_of(1, 8, 32),
        "inactive_mib": inactive,
        "active_mib": active,
        **silence,
    }


def _crowd(dice: Dice) -> dict:
    """A reader in each of the crowd, of a file of some pages."""
    tiny = {"mib": dice.one_of(0.02, 0.2), "access": dice.one_of("read", "mmap")}
    return {"name": "crowd", "cgroup": "crowd", "cpu_node": 0, "ops_per_s": 100, "file": [tiny]}


def _stream(dice: Dice, nr_nodes: int) -> dict:
    return {"name": "stream", "mib_per_s": dice.between(5, 400), **_task(dice, nr_nodes)}


def _atomic(dice: Dice, nr_nodes: int) -> dict:
    burst = {"burst_kib": dice.one_of(64.0, 3000.0), "every_ms": 50, "hold_ms": 20}
    return {"name": "net", "cpu_node": dice.below(nr_nodes), **burst}


def _events(dice: Dice, duration_s: float) -> list[dict]:
    kinds = ("memory_high", "memory_max", "memory_reclaim")
    moments = [
        (kind, dice.between(0.05, 0.8) * duration_s) for kind in kinds if dice.one_of(True, False, False)
    ]
    return [
        {"at_s": at_s, "kind": kind, "cgroup": "top", "mib": dice.one_of(4.0, 50.0)} for kind, at_s in moments
    ]


def fitted(tables: dict[str, Any]) -> dict[str, Any]:
    """The same story where the kernel holds all but ROOM_MIB, and no cgroup begins above its max."""
    used = [0.0] * len(tables["node"])
    held = dict.fromkeys((*GROUPS, "crowd"), 0.0)
    for cgroup, lists in _resident(tables):
        for mib_of_each in lists:
            used = [total + mib for total, mib in zip(used, mib_of_each, strict=True)]
            held[cgroup] += sum(mib_of_each)
    held["top"] += held["child"]
    for group in tables["cgroup"]:
        if "memory_max_mib" in group:
            group["memory_max_mib"] += held[group["name"]]
    return {**tables, "node": [_filled(node, mib) for node, mib in zip(tables["node"], used, strict=True)]}


def _resident(tables: dict[str, Any]) -> list[tuple[str, list[list[float]]]]:
    """(cgroup, MiB by node) of all that is in memory at the start."""
    found = [(task["cgroup"], [task["initial_mib"]]) for task in tables["anon"]]
    for reader in tables["reader"]:
        for file in reader["file"]:
            lists = [file[name] for name in ("inactive_mib", "active_mib") if name in file]
            found.append((reader["cgroup"], lists))
    return found


def _filled(node: dict, used_mib: float) -> dict:
    total_mib = max(node["total_mib"], math.ceil(used_mib) + ROOM_MIB)
    kernel_mib = total_mib - used_mib - ROOM_MIB
    return {**node, "total_mib": total_mib, "kernel_mib": kernel_mib, "unusable_mib": 1.0}
