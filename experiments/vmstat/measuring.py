"""A recording measured: the metrics of experiments/metrics.py as far as /proc tells them, NaN where not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from reclaim_env.model.constants import MAX_RECLAIM_RETRIES, NR_REASONS
from reclaim_env.model.layout import VMSTAT
from reclaim_env.reward import COST_TERMS, OOM_KILL_S

from ..metrics import NODE_METRICS, NODE_STATE_METRICS, Counters
from ..series import Series
from . import counters
from .counters import Growth
from .failures import Failures, seen_in_zoneinfo, told_by_trace
from .lines import refusal, seconds
from .procfs import Node
from .snapshots import Sample
from .tracepoints import Trace

CUMULATIVE = ("workingset_refault_file", "allocstall", "pgscan_kswapd", "pgsteal_kswapd")
MARKS = ("min", "low", "high")
BY_REASON = ("progress", "resets", "revivals")
MICROSECONDS_PER_S = 1e6


@dataclass(frozen=True)
class Measured:
    metrics: dict[str, float]  # NaN: cannot be told
    series: Series | None  # None: without zoneinfo there are no nodes
    failures: dict[int, Failures]  # by node
    files: frozenset[str]  # that every sample has
    nr_samples: int
    duration_s: float
    nr_disagreements: int  # samples of a node that trace and zoneinfo call hopeless and not


@dataclass
class _Growths:
    """What is kept of all samples: counters from the first to the last, and a little of each."""

    first: Sample
    last: Sample
    machine: Growth
    pressure: Growth
    node: dict[int, Growth]
    time_ns: list[int]
    free_pages: list[list[float]]  # [sample][node]
    marks: list[list[list[float]]]  # [sample][node][MARKS]
    hopeless: list[list[float]]  # node_unreclaimable
    cumulative: list[list[list[float]]]  # [sample][node][CUMULATIVE]

    @classmethod
    def since(cls, first: Sample) -> "_Growths":
        growths = {nid: Growth() for nid in sorted(first.nodes)}
        return cls(first, first, Growth(), Growth(), growths, [], [], [], [], [])

    def add(self, sample: Sample) -> None:
        self.last = sample
        machine = counters.of_machine(sample.vmstat)
        self.machine.add(machine)
        self.pressure.add(sample.pressure)
        for nid, growth in self.node.items():
            own = counters.of_node(sample.nodes[nid])
            growth.add({**machine, **own} if len(self.node) == 1 else own)  # the only node is the machine
        nodes = [sample.nodes[nid] for nid in self.node]
        self.time_ns.append(sample.time_ns)
        self.free_pages.append([_size(node, "free") for node in nodes])
        self.marks.append([[_size(node, name) for name in MARKS] for node in nodes])
        self.hopeless.append([_hopeless(node) for node in nodes])
        self.cumulative.append([[growth[name] for name in CUMULATIVE] for growth in self.node.values()])


def _size(node: Node, name: str) -> float:
    return node.zones[name].value if name in node.zones else nan


def _hopeless(node: Node) -> float:
    return nan if node.unreclaimable is None else float(node.unreclaimable.value > 0)


def measure(samples: Iterable[Sample], trace: Trace | None) -> Measured:
    grown = None
    for sample in samples:
        grown = grown or _Growths.since(sample)
        grown.add(sample)
    if grown is None:
        raise ValueError("snapshots: found no whole sample, wanted 2 or more")
    if len(grown.time_ns) < 2:
        raise refusal(grown.first.stamp, "", "the only sample", "2 or more")
    time_ns = np.array(grown.time_ns, np.int64)
    failures = _failures(grown, time_ns, trace)
    shown = np.array(grown.hopeless, float)
    told = np.array([one.hopeless for one in failures.values()]).T
    return Measured(
        metrics=_metrics(grown, failures),
        series=_series(grown, time_ns, list(failures.values())) if grown.node else None,
        failures=failures,
        files=grown.first.files,
        nr_samples=len(time_ns),
        duration_s=seconds(time_ns[-1] - time_ns[0]),
        nr_disagreements=int(np.sum(np.abs(shown - told) == 1)) if grown.node else 0,
    )


def _failures(grown: _Growths, time_ns: np.ndarray, trace: Trace | None) -> dict[int, Failures]:
    """Of zoneinfo's nodes, or without it of those in the trace."""
    hopeless = np.array(grown.hopeless, float)
    shown = dict(zip(grown.node, hopeless.T, strict=True))
    if trace is None:
        return {nid: seen_in_zoneinfo(time_ns, flags) for nid, flags in shown.items()}
    _refuse_strange(trace, time_ns, list(shown))
    unknown = np.full(len(time_ns), nan)
    nids = sorted(shown or {event.nid for event in trace.events})
    return {
        nid: told_by_trace(
            time_ns, shown.get(nid, unknown), [event for event in trace.events if event.nid == nid]
        )
        for nid in nids
    }


def _refuse_strange(trace: Trace, time_ns: np.ndarray, nids: Sequence[int]) -> None:
    """A trace of another machine, or by another clock."""
    for event in trace.events:
        if nids and event.nid not in nids:
            raise refusal(
                event.line, "nid", str(event.nid), f"a node of zoneinfo: {', '.join(map(str, nids))}"
            )
    if trace.events and not any(time_ns[0] <= event.time_ns < time_ns[-1] for event in trace.events):
        first = trace.events[0]
        between = f"between {seconds(time_ns[0]):.2f} and {seconds(time_ns[-1]):.2f} s, the snapshots' uptime"
        raise refusal(first.line, "time", f"{seconds(first.time_ns)} s and no event", f"one {between}")


def _metrics(grown: _Growths, failures: dict[int, Failures]) -> dict[str, float]:
    """By the names and in the order of metrics.measure(); then what only a real machine counts."""
    duration_s = seconds(grown.last.time_ns - grown.first.time_ns)
    found = dict.fromkeys(("cost_s", *(f"cost_{term}_s" for term in COST_TERMS)), nan)
    found["cost_oom_s"] = grown.machine["oom_kill"] * OOM_KILL_S
    found |= _scope("", grown.machine, list(failures.values()), duration_s)
    for nid, growth in grown.node.items():
        one = failures[nid]
        found |= _scope(f"node{nid}/", growth, [one], duration_s)
        found |= {
            f"node{nid}/{metric.name}": _at_end(one).get(metric.name, nan) for metric in NODE_STATE_METRICS
        }
    for name in grown.pressure:
        found[f"pressure/{name}_s"] = grown.pressure[name] / MICROSECONDS_PER_S
    before, after = (counters.others(sample.vmstat) for sample in (grown.first, grown.last))
    found |= {f"vmstat/{name}": float(after[name].value - before[name].value) for name in before}
    return found


def _scope(prefix: str, growth: Growth, failures: Sequence[Failures], duration_s: float) -> dict[str, float]:
    read = _counters(growth, failures, duration_s)
    found = {f"{prefix}{metric.name}": float(metric.of(read)) for metric in NODE_METRICS}
    found[f"{prefix}resets"] = sum(one.nr_resets for one in failures) if failures else nan
    return found


def _counters(growth: Growth, failures: Sequence[Failures], duration_s: float) -> Counters:
    """What the formulas ask for, summed over nodes; NaN where nobody told."""
    found = {"time_s": np.array(duration_s)}
    found |= {name: np.array(growth[name]) for name in VMSTAT.names or ()}
    found |= {name: np.full(NR_REASONS, nan) for name in BY_REASON}
    if failures:
        found["kswapd_fruitless_runs"] = np.array(sum(one.fruitless_runs for one in failures))
        found["hopeless_s"] = np.array(sum(one.hopeless_s for one in failures))
        found["resets"] = np.sum([one.resets[-1] for one in failures], axis=0)
        found["revivals"] = np.sum([one.revivals for one in failures], axis=0)
    return found


def _at_end(one: Failures) -> dict[str, float]:
    return {
        "kswapd_failures_at_end": float(one.count[-1]),
        "hopeless_at_end": float(one.hopeless[-1]),
        "first_fruitless_s": one.first_fruitless_s,
        "first_hopeless_s": one.first_hopeless_s,
        "last_reset_s": one.last_reset_s,
    }


def _series(grown: _Growths, time_ns: np.ndarray, failures: Sequence[Failures]) -> Series:
    free = np.array(grown.free_pages, float)
    marks = np.array(grown.marks, float)
    cumulative = np.array(grown.cumulative, float)
    unknown = np.full(free.shape, nan)
    return Series(
        time_s=(time_ns - time_ns[0]) / 1e9,
        failure_limit=np.full(free.shape[1], MAX_RECLAIM_RETRIES),
        unusable_pages=np.zeros(free.shape[1]),  # zoneinfo does not tell which free pages are reserved
        free_pages=free,
        kswapd_failures=np.stack([one.count for one in failures], axis=1),
        kswapd_phase=unknown,
        resets=np.stack([one.resets for one in failures], axis=1),
        kswapd_cpu_s=unknown,
        awake_s=unknown,
        bystander_refault_pages=unknown,
        stall_s=unknown,
        **{f"{name}_wmark_pages": marks[..., index] for index, name in enumerate(MARKS)},
        **{name: cumulative[..., index] for index, name in enumerate(CUMULATIVE)},
    )
