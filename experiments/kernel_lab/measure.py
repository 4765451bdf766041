"""From a console to the names of the simulator: the same table of metrics, the same series over time.

What a kernel does not count is NaN. Counters of /proc/vmstat exist for the machine alone; those of the lab's
kernel for each node. Delay accounting does not tell an allocator's direct reclaim from a limit's, so the
time of a workload below a memory.high or memory.max counts as limit reclaim and that of the others as stall.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reclaim_env.model.constants import FREE_PATH, MAX_RECLAIM_RETRIES, NR_REASONS, REASONS, RUN, SLEEP
from reclaim_env.model.layout import NR_LATENCY_BINS
from reclaim_env.scenario import Scenario

from ..metrics import (
    CGROUP_METRICS,
    MIB_PER_PAGE,
    NODE_METRICS,
    NODE_STATE_METRICS,
    WORKLOAD_METRICS,
    Counters,
    Metric,
)
from ..series import Series
from .console import Console

NS_PER_S = 1e9
FROM_VMSTAT = (
    *("pgscan_file", "pgsteal_file", "pgrefill", "pgactivate", "pgdeactivate", "pgscan_direct_throttle"),
    *("kswapd_low_wmark_hit_quickly", "kswapd_high_wmark_hit_quickly", "pgmajfault", "pgpgin", "oom_kill"),
    *("numa_hit", "numa_miss", "pgfree"),
)
ALLOCSTALL = ("allocstall_normal", "allocstall_movable")
BY_NODE = (
    *("pgscan_kswapd", "pgsteal_kswapd", "pgscan_direct", "pgsteal_direct"),
    *("workingset_refault_file", "workingset_activate_file"),
)
SLEEPING = "S"

Sample = Mapping[str, Any]


def metrics(log: Console, scenario: Scenario) -> dict[str, float]:
    """Name -> value at the end of the run, in the order of the simulator's table."""
    found = {"cost_s": np.nan}  # needs what no kernel counts
    for prefix, table, counters in _scopes(log, scenario):
        found |= {prefix + metric.name: float(metric.of(counters)) for metric in table}
    return found


def beside(log: Console) -> dict[str, float]:
    """What the simulator's table has no name for, and a comparison with the model asks for."""
    boot, last = _boot(log), log.samples[-1]
    found = {f"disk_{name}": float(value) for name, value in last["disk"].items()}
    for nid, (start, end) in enumerate(zip(boot["nodes"], last["node"], strict=True)):
        pages = end["inactive_file_pages"] + end["active_file_pages"]
        of_node = {
            "managed_pages": start["managed_pages"],
            "free_pages_at_start": start["free_pages"],
            "shortfall_pages": start["shortfall_pages"],
            "free_mib_at_end": end["free_pages"] * MIB_PER_PAGE,
            "file_mib_at_end": pages * MIB_PER_PAGE,
            "wakes": end["wakes"],
            "wakes_skipped": end["wakes_skipped"],
            "pgscan_memcg": end["pgscan_memcg"],
            "pgsteal_memcg": end["pgsteal_memcg"],
        }
        found |= {f"node{nid}/{name}": float(value) for name, value in of_node.items()}
    for row in last["reason"]:
        for counter in ("passes", "denied"):
            found[f"node{row['nid']}/{counter}_{row['reason']}"] = float(row[counter])
    return found


def series(log: Console, scenario: Scenario) -> Series:
    """NaN for a node's share of what only the machine has; bystanders' refaults are one column for all."""
    boot, samples = _boot(log), log.samples
    unknown = np.full((len(samples), len(boot["nodes"])), np.nan)
    marks = {
        f"{name}_wmark_pages": np.tile([node[f"{name}_pages"] for node in boot["nodes"]], (len(samples), 1))
        for name in ("min", "low", "high")
    }
    return Series(
        **marks,
        time_s=np.array([sample["t_s"] for sample in samples], float),
        unusable_pages=np.zeros(len(boot["nodes"]), int),
        failure_limit=np.full(len(boot["nodes"]), MAX_RECLAIM_RETRIES),
        free_pages=_columns(log, "free_pages"),
        kswapd_failures=_columns(log, "kswapd_failures"),
        kswapd_phase=np.where(_awake(log), RUN, SLEEP),
        resets=np.array([_by_reason(sample, "resets") for sample in samples]),
        kswapd_cpu_s=_columns(log, "kswapd_cpu_ns") / NS_PER_S,
        awake_s=_awake_s(log),
        workingset_refault_file=_columns(log, "workingset_refault_file"),
        bystander_refault_pages=np.array([[_bystander_refault_pages(s, scenario)] for s in samples]),
        allocstall=unknown,
        stall_s=unknown,
        pgscan_kswapd=_columns(log, "pgscan_kswapd"),
        pgsteal_kswapd=_columns(log, "pgsteal_kswapd"),
    )


def _scopes(log: Console, scenario: Scenario) -> Iterator[tuple[str, tuple[Metric, ...], Counters]]:
    last = log.samples[-1]
    time_s = np.float64(last["t_s"])
    nodes = [_node(log, nid) for nid in range(len(last["node"]))]
    yield "", NODE_METRICS, _machine(last, scenario, nodes) | {"time_s": time_s}
    for nid, counters in enumerate(nodes):
        yield f"node{nid}/", NODE_METRICS, _undefined(counters) | {"time_s": time_s}
        yield f"node{nid}/", NODE_STATE_METRICS, _state(log, nid)
    for cgroup in last["cgroup"]:
        yield f"cgroup/{cgroup['name']}/", CGROUP_METRICS, _undefined(_numbers(cgroup))
    for workload in last["workload"]:
        prefix = f"workload/{workload['name']}/"
        yield prefix, WORKLOAD_METRICS, _workload(log, scenario, workload) | {"time_s": time_s}


def _undefined(counters: Mapping[str, Any]) -> defaultdict[str, Any]:
    """NaN for whatever is not there."""
    return defaultdict(lambda: np.float64(np.nan), counters)


def _numbers(record: Mapping[str, Any]) -> dict[str, np.float64]:
    return {name: np.float64(value) for name, value in record.items() if not isinstance(value, str)}


def _node(log: Console, nid: int) -> dict[str, Any]:
    """What the lab's kernel counts for one node."""
    last = log.samples[-1]
    found = last["node"][nid]
    return {
        **{name: np.float64(found[name]) for name in BY_NODE},
        "kswapd_cpu_s": np.float64(found["kswapd_cpu_ns"] / NS_PER_S),
        "awake_s": _awake_s(log)[-1, nid],
        "pageoutrun": np.float64(found["runs"]),
        "kswapd_fruitless_runs": np.float64(found["fruitless"]),
        "hopeless_s": np.float64(found["hopeless_ns"] / NS_PER_S),
        **{name: _by_reason(last, name)[nid] for name in ("resets", "revivals", "progress")},
    }


def _machine(last: Sample, scenario: Scenario, nodes: list[dict[str, Any]]) -> defaultdict[str, Any]:
    """Sums of the nodes, and what only the machine has."""
    sums = {name: sum(node[name] for node in nodes) for name in nodes[0]}
    vmstat = {name: np.float64(last["vmstat"][name]) for name in FROM_VMSTAT if name in last["vmstat"]}
    limited = set(scenario.workload_names) - _unlimited_workloads(scenario)
    whole = {
        "allocstall": np.float64(_allocstall(last)),
        "bystander_refault_pages": np.float64(_bystander_refault_pages(last, scenario)),
        "stall_s": np.float64(_direct_s(last, _unlimited_workloads(scenario))),
        "limit_reclaim_s": np.float64(_direct_s(last, limited)),
    }
    return _undefined(sums | vmstat | whole)


def _state(log: Console, nid: int) -> dict[str, Any]:
    last = log.samples[-1]["node"][nid]
    when = {
        name: np.float64(last[f"{name}_ns"] / NS_PER_S if last[f"{name}_ns"] >= 0 else -1)
        for name in ("first_fruitless", "first_hopeless")
    }
    resets = np.array([_by_reason(sample, "resets")[nid].sum() for sample in log.samples])
    grew = np.flatnonzero(np.diff(resets, prepend=0) > 0)
    return {
        "kswapd_failures": np.float64(last["kswapd_failures"]),
        "failure_limit": MAX_RECLAIM_RETRIES,
        "kswapd_phase": SLEEP if last["kswapd_state"] == SLEEPING else RUN,
        "first_fruitless_s": when["first_fruitless"],
        "first_hopeless_s": when["first_hopeless"],
        "last_reset_reason": 0 if grew.size else -1,  # only its sign is asked for
        "last_reset_s": np.float64(log.samples[grew[-1]]["t_s"] if grew.size else np.nan),
    }


def _workload(log: Console, scenario: Scenario, found: Mapping[str, Any]) -> defaultdict[str, Any]:
    name = found["name"]
    bins = np.array(log.latency_bins.get(name, [0] * NR_LATENCY_BINS), float)
    counters = _undefined(_numbers(found))
    counters["latency_ops"] = _checked_bins(bins, name)
    counters["oom_kill"] = np.float64(sum(kill["name"] == name for kill in log.kills))
    if name in _unlimited_workloads(scenario) and "direct_ns" in found:
        counters["stall_s"] = np.float64(found["direct_ns"] / NS_PER_S)
    return counters


def _checked_bins(bins: np.ndarray, name: str) -> np.ndarray:
    """A guest may keep more bins than the model: slower operations go to the last one."""
    if len(bins) < NR_LATENCY_BINS:
        raise ValueError(f"console log: {name}: found {len(bins)} latency bins, wanted {NR_LATENCY_BINS}")
    return np.append(bins[: NR_LATENCY_BINS - 1], bins[NR_LATENCY_BINS - 1 :].sum())


def _by_reason(sample: Sample, counter: str) -> np.ndarray:
    """(nodes, reasons). The page-free path is no pass, so it makes no progress that could be counted."""
    found = np.zeros((len(sample["node"]), NR_REASONS))
    for row in sample["reason"]:
        found[row["nid"], REASONS.index(row["reason"])] = row[counter]
    for node in sample["node"]:
        found[node["nid"], FREE_PATH] = node.get(f"free_path_{counter}", np.nan)
    return found


def _allocstall(sample: Sample) -> int:
    return sum(sample["vmstat"].get(name, 0) for name in ALLOCSTALL)


def _bystander_refault_pages(sample: Sample, scenario: Scenario) -> int:
    """Everybody's refaults without those below a limit; a cgroup's count holds its descendants'."""
    topmost = {
        table.name
        for table in scenario.cgroup
        if not _is_unlimited(scenario, table.name) and _is_unlimited(scenario, table.parent)
    }
    below = sum(c["workingset_refault_file"] for c in sample["cgroup"] if c["name"] in topmost)
    return max(sample["vmstat"]["workingset_refault_file"] - below, 0)


def _is_unlimited(scenario: Scenario, cgroup: str) -> bool:
    """No memory.high or memory.max on it or an ancestor; the root has none."""
    tables = {table.name: table for table in scenario.cgroup}
    while cgroup:
        table = tables[cgroup]
        if table.memory_high_mib is not None or table.memory_max_mib is not None:
            return False
        cgroup = table.parent
    return True


def _unlimited_workloads(scenario: Scenario) -> set[str]:
    return {one.name for one in scenario.workloads if _is_unlimited(scenario, getattr(one, "cgroup", ""))}


def _direct_s(sample: Sample, workloads: set[str]) -> float:
    """NaN while the guest does not tell the time of all of them (it asks large crowds at the end only)."""
    found = [one.get("direct_ns", np.nan) for one in sample["workload"] if one["name"] in workloads]
    return float(sum(found)) / NS_PER_S


def _columns(log: Console, field: str) -> np.ndarray:
    """(samples, nodes)"""
    return np.array([[node[field] for node in sample["node"]] for sample in log.samples])


def _awake(log: Console) -> np.ndarray:
    """(samples, nodes): kswapd runs, or waits to, at the moment of the sample."""
    return np.array([[n["kswapd_state"] != SLEEPING for n in s["node"]] for s in log.samples])


def _awake_s(log: Console) -> np.ndarray:
    """(samples, nodes), cumulative: an estimate, each interval judged by the state at its end."""
    time_s = np.array([sample["t_s"] for sample in log.samples])
    return np.cumsum(_awake(log) * np.diff(time_s, prepend=0.0)[:, None], axis=0)


def _boot(log: Console) -> dict[str, Any]:
    assert log.boot is not None, "a whole console begins with its boot record"
    return log.boot
