"""A machine's tables under construction: nodes of 4 GiB, workloads bound to their nodes, sizes in MiB."""

from collections.abc import Mapping, Sequence
from typing import Any

from reclaim_env.units import mib_from_pages, pages_from_mib
from reclaim_env.watermarks import boot_min_free_kib, setup_per_zone_wmarks

TOTAL_MIB, KERNEL_MIB = 4096, 256
DURATION_S = 30
SLOW_LATENCY_US, FAST_LATENCY_US = 2000, 50
SLOW_IOPS_PER_S, FAST_IOPS_PER_S = 4000, 1_500_000
SLOW_MIB_PER_S, FAST_MIB_PER_S = 125, 6676

HOT = [{"touch_per_s": 100, "active_ratio": 1}]
Moves = Sequence[tuple[float, float]]  # (t_s, MiB more than at the start)


class Machine:
    def __init__(self, numbers: Mapping[str, float], nr_nodes: int = 2):
        self.nr_nodes = nr_nodes
        scale_factor = max(round(numbers["gap_mib"] * 1e4 / TOTAL_MIB), 1)
        self._tables: dict[str, Any] = {
            "duration_s": DURATION_S,
            "watermark_scale_factor": scale_factor,
            "thp": False,
            "device": disk(numbers["device"]),
            "node": [self._node(numbers["cpu_share"]) for _ in range(nr_nodes)],
        }
        node_pages = [pages_from_mib(TOTAL_MIB)] * nr_nodes
        min_free_kib = boot_min_free_kib(node_pages, thp=False)
        marks = setup_per_zone_wmarks(node_pages, min_free_kib, scale_factor)
        self.min_mib, self.low_mib, self.high_mib, _ = (mib_from_pages(pages) for pages in marks[0])
        self.gap_mib = self.low_mib - self.min_mib
        self._used_mib = [float(KERNEL_MIB)] * nr_nodes
        self._heat: list[dict[str, Any]] = []
        self._counts = {"": 1}

    @staticmethod
    def _node(cpu_share: float) -> dict[str, Any]:
        return {"total_mib": TOTAL_MIB, "kernel_mib": KERNEL_MIB, "kswapd_cpu_share_ratio": cpu_share}

    def swap(self, mib: float, **rest: Any) -> None:
        """From here on processes have anonymous lists; those that say nothing else are hot."""
        self._tables["swap"] = {"mib": mib, **rest}
        self._heat = HOT

    def demotes(self, nid: int, to: int) -> None:
        self._tables["node"][nid]["demotes_to"] = to
        self._heat = HOT

    def boosts(self, nid: int, per_s: float) -> None:
        self._tables["node"][nid]["boosts_per_s"] = per_s

    def event(self, at_s: float, kind: str) -> None:
        self._add("event", at_s=at_s, kind=kind)

    def cgroup(self, name: str, **rest: Any) -> str:
        self._counts[name] = rest.get("count", 1)
        self._add("cgroup", name=name, **rest)
        return name

    def anon(self, name: str, nid: int, mib: float, moves: Moves = (), cgroup: str = "", **rest: Any) -> None:
        """Resident from the start; `moves` say how its wanted size goes on from there."""
        if moves:
            rest["schedule"] = [[t_s, mib + more_mib] for t_s, more_mib in moves]
        heat = {"heat": self._heat} if self._heat else {}
        self._add("anon", name=name, cgroup=cgroup, **self._at(nid), **(heat | rest))
        self._tables["anon"][-1]["initial_mib"] = self._on(nid, mib, cgroup)

    def reader(
        self, name: str, nid: int, files: Sequence[dict[str, Any]], cgroup: str = "", **rest: Any
    ) -> None:
        """`active_mib` and `inactive_mib` of a file are numbers here: the node is the reader's."""
        placed = [
            file
            | {"mib": whole_pages_mib(file["mib"])}
            | {key: self._on(nid, file[key], cgroup) for key in ("active_mib", "inactive_mib") if key in file}
            for file in files
        ]
        self._add("reader", name=name, cgroup=cgroup, **self._at(nid), **rest, file=placed)

    def stream(
        self, name: str, nid: int, mib_per_s: float, cold_mib: float = 0, cgroup: str = "", **rest: Any
    ) -> None:
        """`cold_mib` of it lie on the inactive list at the start."""
        self._add("stream", name=name, cgroup=cgroup, **self._at(nid), mib_per_s=mib_per_s, **rest)
        self._tables["stream"][-1]["inactive_mib"] = self._on(nid, cold_mib, cgroup)

    def loose_stream(self, name: str, nid: int, mib_per_s: float) -> None:
        """Not bound: it takes memory of any node that has some above low."""
        self._add("stream", name=name, cpu_node=nid, mib_per_s=mib_per_s)

    def hopeless(self, nid: int) -> None:
        self._add("hopeless", node=nid)

    def fill(self, nid: int, free_mib: float, moves: Moves = (), **rest: Any) -> None:
        """Anonymous memory until `free_mib` are left: the last thing a node is told."""
        room_mib = TOTAL_MIB - self._used_mib[nid] - free_mib
        self.anon(f"hog-{nid}", nid, room_mib, moves, **rest)

    def tables(self) -> dict[str, Any]:
        return self._tables

    def _add(self, table: str, **fields: Any) -> None:
        self._tables.setdefault(table, []).append(fields)

    def _at(self, nid: int) -> dict[str, Any]:
        return {"cpu_node": nid, "policy": "bind", "nodes": [nid]}

    def _on(self, nid: int, mib: float, cgroup: str) -> list[float]:
        """One number for each node; counted for every member, in whole pages."""
        placed_mib = whole_pages_mib(mib)
        self._used_mib[nid] += self._counts[cgroup] * placed_mib
        return [placed_mib if n == nid else 0.0 for n in range(self.nr_nodes)]


def whole_pages_mib(mib: float) -> float:
    return mib_from_pages(pages_from_mib(mib))


def disk(rank: float) -> dict[str, Any]:
    """From a network volume at 0 to a fast NVMe at 1, all three numbers together."""

    def between(slow: float, fast: float) -> float:
        return slow * (fast / slow) ** rank

    return {
        "latency_us": between(SLOW_LATENCY_US, FAST_LATENCY_US),
        "iops_per_s": between(SLOW_IOPS_PER_S, FAST_IOPS_PER_S),
        "bandwidth_mib_per_s": between(SLOW_MIB_PER_S, FAST_MIB_PER_S),
    }
