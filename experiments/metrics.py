"""What is measured: the one table behind the JSON, the ledger, the terminal, TensorBoard and the report.

A formula gets counters that are already summed over the nodes, or those of one node, so a ratio of
the machine is the ratio of its sums. NaN says undefined (nothing scanned: no efficiency).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from reclaim_env.model.constants import PAGE_BYTES, PRESSURES, REASONS, RUN
from reclaim_env.model.layout import NR_LATENCY_BINS, VMSTAT
from reclaim_env.reset_rules import is_hopeless

MIB_PER_PAGE = PAGE_BYTES / 2**20
LATENCY_FLOOR_S = 1e-6  # bin b of the histogram holds [floor * 2**(b/2), floor * 2**((b+1)/2))

Counters = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    group: str
    of: Callable[[Counters], np.ndarray]
    lower_is_better: bool | None = True  # None: neither


def count(name: str, unit: str, group: str, lower_is_better: bool | None = None) -> Metric:
    return Metric(name, unit, group, lambda c: c[name], lower_is_better)


def share(name: str, part: str, whole: str, group: str) -> Metric:
    return Metric(name, "ratio", group, lambda c: ratio(c[part], c[whole]), lower_is_better=False)


def mib(name: str, pages: str, group: str) -> Metric:
    return Metric(name, "MiB", group, lambda c: c[pages] * MIB_PER_PAGE)


def mib_per_s(name: str, pages: str, group: str) -> Metric:
    return Metric(name, "MiB/s", group, lambda c: ratio(c[pages] * MIB_PER_PAGE, c["time_s"]))


def by_reason(counter: str, group: str) -> tuple[Metric, ...]:
    def one(index: int, reason: str) -> Metric:
        return Metric(f"{counter}_{reason}", "events", group, lambda c: c[counter][..., index], None)

    return tuple(one(index, reason) for index, reason in enumerate(REASONS))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)


# Summed over the nodes for the machine, and once more for every node under node<n>/.
NODE_METRICS = (
    Metric("kswapd_cpu_s", "s", "kswapd", lambda c: c["kswapd_cpu_s"]),
    Metric("kswapd_awake_s", "s", "kswapd", lambda c: c["awake_s"]),
    count("pageoutrun", "runs", "kswapd"),
    count("kswapd_fruitless_runs", "runs", "kswapd"),
    count("boosted_fruitless_runs", "runs", "kswapd"),
    count("boosts", "events", "kswapd"),
    count("kswapd_low_wmark_hit_quickly", "events", "kswapd"),
    count("kswapd_high_wmark_hit_quickly", "events", "kswapd"),
    count("pgscan_kswapd", "pages", "reclaim"),
    count("pgsteal_kswapd", "pages", "reclaim"),
    share("efficiency_kswapd", "pgsteal_kswapd", "pgscan_kswapd", "reclaim"),
    count("pgscan_direct", "pages", "reclaim"),
    count("pgsteal_direct", "pages", "reclaim"),
    share("efficiency_direct", "pgsteal_direct", "pgscan_direct", "reclaim"),
    count("pgscan_file", "pages", "reclaim"),
    count("pgsteal_file", "pages", "reclaim"),
    count("pgscan_anon", "pages", "reclaim"),
    count("pgsteal_anon", "pages", "reclaim"),
    count("pgdemote_kswapd", "pages", "reclaim"),
    count("pgdemote_direct", "pages", "reclaim"),
    count("pgrefill", "pages", "reclaim"),
    count("slabs_scanned", "objects", "reclaim"),
    count("pgactivate", "pages", "reclaim"),
    count("pgdeactivate", "pages", "reclaim"),
    count("workingset_refault_file", "pages", "refault", lower_is_better=True),
    mib("refault_mib", "workingset_refault_file", "refault"),
    mib_per_s("refault_mib_per_s", "workingset_refault_file", "refault"),
    mib("bystander_refault_mib", "bystander_refault_pages", "refault"),
    mib_per_s("bystander_refault_mib_per_s", "bystander_refault_pages", "refault"),
    count("workingset_activate_file", "pages", "refault"),
    count("workingset_refault_anon", "pages", "refault", lower_is_better=True),
    count("workingset_activate_anon", "pages", "refault"),
    count("pswpin", "pages", "refault", lower_is_better=True),
    count("pswpout", "pages", "refault"),
    count("pgmajfault", "events", "refault"),
    count("pgpgin", "KiB", "refault"),
    Metric("refault_wait_s", "thread s", "refault", lambda c: c["refault_wait_s"]),
    Metric("workingset_wait_s", "thread s", "refault", lambda c: c["workingset_wait_s"]),
    Metric("read_wait_s", "thread s", "refault", lambda c: c["read_wait_s"]),
    count("allocstall", "events", "stalls", lower_is_better=True),
    Metric("stall_s", "thread s", "stalls", lambda c: c["stall_s"]),
    Metric("limit_reclaim_s", "thread s", "stalls", lambda c: c["limit_reclaim_s"]),
    Metric("high_delay_s", "thread s", "stalls", lambda c: c["high_delay_s"]),
    count("pgscan_direct_throttle", "events", "stalls", lower_is_better=True),
    Metric("oom_kills", "kills", "stalls", lambda c: c["oom_kill"]),
    Metric("oomd_kills", "kills", "stalls", lambda c: c["oomd_kill"]),
    count("atomic_fail", "events", "stalls", lower_is_better=True),
    Metric("resets", "events", "resets", lambda c: c["resets"].sum(axis=-1), None),
    *by_reason("resets", "resets"),
    *by_reason("revivals", "resets"),
    *by_reason("progress", "resets"),
    Metric("hopeless_s", "node s", "hopeless", lambda c: c["hopeless_s"], None),
    Metric("false_dead_s", "node s", "hopeless", lambda c: c["false_dead_s"]),
    Metric("false_alive_s", "node s", "hopeless", lambda c: c["false_alive_s"]),
    count("numa_hit", "pages", "allocation"),
    count("numa_miss", "pages", "allocation"),
    count("numa_foreign", "pages", "allocation"),
    count("pgalloc_normal", "pages", "allocation"),
    count("pgfree", "pages", "allocation"),
)


def since_start(field: str) -> Callable[[Counters], np.ndarray]:
    """A moment of the episode; the record says -1 for never."""
    return lambda node: np.where(node[field] >= 0, node[field], np.nan)


# How the episode left a node: no sum over nodes means anything.
NODE_STATE_METRICS = (
    Metric("kswapd_failures_at_end", "runs", "hopeless", lambda n: n["kswapd_failures"], None),
    Metric("hopeless_at_end", "0 or 1", "hopeless", is_hopeless, None),
    Metric("running_at_end", "0 or 1", "kswapd", lambda n: n["kswapd_phase"] == RUN, None),
    Metric("first_fruitless_s", "s", "hopeless", since_start("first_fruitless_s"), None),
    Metric("first_hopeless_s", "s", "hopeless", since_start("first_hopeless_s"), None),
    Metric(
        "last_reset_s",
        "s",
        "resets",
        lambda n: np.where(n["last_reset_reason"] >= 0, n["last_reset_s"], np.nan),
        None,
    ),
)

CGROUP_METRICS = (
    count("pgscan", "pages", "reclaim"),
    count("pgsteal", "pages", "reclaim"),
    mib("refault_mib", "workingset_refault_file", "refault"),
    mib("refault_anon_mib", "workingset_refault_anon", "refault"),
    Metric("swap_mib", "MiB", "refault", lambda c: c["swap_pages"] * MIB_PER_PAGE, None),
    count("events_low", "events", "stalls"),
    count("events_high", "events", "stalls"),
    count("events_max", "events", "stalls"),
    count("events_oom_kill", "kills", "stalls"),
    Metric("high_delay_s", "thread s", "stalls", lambda c: c["high_delay_s"]),
)

WORKLOAD_METRICS = (
    Metric(
        "throughput_per_s",
        "operations/s",
        "jobs",
        lambda w: ratio(w["ops"], w["time_s"]),
        lower_is_better=False,
    ),
    Metric("latency_p50_ms", "ms", "jobs", lambda w: 1e3 * latency_s(w["latency_ops"], 0.50)),
    Metric("latency_p99_ms", "ms", "jobs", lambda w: 1e3 * latency_s(w["latency_ops"], 0.99)),
    Metric("lost_ops", "operations", "jobs", lambda w: w["lost_ops"]),
    Metric("stall_s", "thread s", "jobs", lambda w: w["stall_s"]),
    Metric("refault_wait_s", "thread s", "jobs", lambda w: w["refault_wait_s"]),
    Metric("allocstall", "events", "jobs", lambda w: w["allocstall"]),
    Metric("oom_kills", "kills", "jobs", lambda w: w["oom_kill"]),
    Metric("oomd_kills", "kills", "jobs", lambda w: w["oomd_kill"]),
)

# Of the whole machine: time somebody waited for a resource, and counters that only a real machine has.
MACHINE_SCOPES = {"pressure": "s", "vmstat": "growth"}


def latency_s(histogram: np.ndarray, quantile: float) -> np.ndarray:
    """(..., bins) operations -> (...,) seconds, interpolated in the logarithm; NaN without operations."""
    total = histogram.sum(axis=-1)
    below = np.cumsum(histogram, axis=-1)
    wanted = quantile * total
    index = np.minimum((below < wanted[..., None]).sum(axis=-1), NR_LATENCY_BINS - 1)
    inside = np.take_along_axis(histogram, index[..., None], axis=-1)[..., 0]
    before = np.take_along_axis(below, index[..., None], axis=-1)[..., 0] - inside
    position = index + ratio(wanted - before, inside)
    return np.where(total > 0, LATENCY_FLOOR_S * 2.0 ** (position / 2), np.nan)


def measure(
    records: np.ndarray,
    cgroups: tuple[str, ...],
    workloads: tuple[str, ...],
    cost_terms_s: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """records: (num_envs,) at the end of their episodes; cost_terms_s: weighted. Name -> (num_envs,)."""
    found = {"cost_s": sum(cost_terms_s.values(), np.zeros(len(records)))}
    found |= {f"cost_{term}_s": seconds for term, seconds in cost_terms_s.items()}
    for prefix, table, counters in _scopes(records, cgroups, workloads):
        found |= {prefix + metric.name: np.asarray(metric.of(counters), float) for metric in table}
    pressure = records["psi"]["total_s"].T
    return found | {f"pressure/{name}_s": seconds for name, seconds in zip(PRESSURES, pressure, strict=True)}


def _scopes(
    records: np.ndarray, cgroups: tuple[str, ...], workloads: tuple[str, ...]
) -> Iterator[tuple[str, tuple[Metric, ...], Counters]]:
    """Every prefix with its table and the counters that go in."""
    time_s = {"time_s": records["time_s"]}
    nodes = records["node"][:, : int(records["nr_nodes"][0])]
    vmstat = {name: nodes["vmstat"][name] for name in VMSTAT.names or ()}
    yield "", NODE_METRICS, {name: values.sum(axis=1) for name, values in vmstat.items()} | time_s
    for nid in range(nodes.shape[1]):
        yield f"node{nid}/", NODE_METRICS, {name: values[:, nid] for name, values in vmstat.items()} | time_s
        yield f"node{nid}/", NODE_STATE_METRICS, _fields(nodes[:, nid])
    for index, name in enumerate(cgroups):
        yield f"cgroup/{name}/", CGROUP_METRICS, _fields(records["memcg"][:, index]) | time_s
    for index, name in enumerate(workloads):
        yield f"workload/{name}/", WORKLOAD_METRICS, _fields(records["workload"][:, index]) | time_s


def _fields(rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: rows[name] for name in rows.dtype.names or ()}


def describe(name: str) -> Metric:
    """The table's row for a measured name: `node0/pgscan_kswapd`, `workload/job/stall_s`, `cost_s`."""
    scope, _, last = name.rpartition("/")
    if last == "cost_s" or (last.startswith("cost_") and not scope):
        return Metric(last, "s", "cost", lambda c: c[last])
    if scope.startswith("workload/"):
        return _by_name(WORKLOAD_METRICS)[last]
    if scope.startswith("cgroup/"):
        return _by_name(CGROUP_METRICS)[last]
    if scope in MACHINE_SCOPES:
        return count(last, MACHINE_SCOPES[scope], scope)
    return _by_name(NODE_METRICS + NODE_STATE_METRICS)[last]


def _by_name(table: tuple[Metric, ...]) -> dict[str, Metric]:
    return {metric.name: metric for metric in table}


def tag(name: str) -> str:
    """The TensorBoard tag of a measured name, the same for rules and agents."""
    return f"reclaim/{name}"
