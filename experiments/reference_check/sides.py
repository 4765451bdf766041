"""One variant on both sides: what each has done by the end of every tenth of a second, seed by seed."""

from collections.abc import Callable

import numpy as np

from reclaim_env.action import install_rule
from reclaim_env.boot import boot as boot_model
from reclaim_env.model import rng
from reclaim_env.model.access import begin_phases, draw_exponential
from reclaim_env.model.layout import alloc
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.reference.boot import Phases, Trace, boot, run
from reclaim_env.reference.records import Machine
from reclaim_env.reward import weights_of
from reclaim_env.scenario import Scenario
from reclaim_env.scenario.workloads import Stream

from ..evaluate import cost_terms_s
from .variants import Variant

SAMPLE_S = 0.1
LEVELS = ("free_pages", "inactive_file_pages", "active_file_pages")
ANON_LEVELS = ("inactive_anon_pages", "active_anon_pages")  # where anonymous memory is listed
FLOWS = (
    "pgsteal_file",
    "workingset_refault_file",
    "workingset_activate_file",
    "pgactivate",
    "pgdeactivate",
    "pgscan_kswapd",
    "pgsteal_kswapd",
    "pageoutrun",
    "kswapd_fruitless_runs",
    "kswapd_cpu_s",
    "allocstall",
    "stall_s",
    "limit_reclaim_s",
    "pgpgin",
    "pgscan_anon",
    "pgsteal_anon",
    "pswpout",
    "pswpin",
    "workingset_refault_anon",
    "workingset_activate_anon",
    "pgdemote_kswapd",
    "pgdemote_direct",
)
LIMIT_CALLS = ("events_high", "events_max")  # of all cgroups
FILE_FLOWS = ("evicted", "refaulted", "activated")  # of each file, and of each heat
MOMENTS = ("first_fruitless_s", "first_hopeless_s", "first_revived_s")  # of each node; -1: never
COST_PARTS = ("refault_wait_s", "kswapd_cpu_s", "stall_s", "oom_kill", "atomic_fail")

# Name -> (samples,): levels as they are, flows since the start; of moments (1,)
Series = dict[str, np.ndarray]


def both(variant: Variant, seed: int) -> tuple[Series, Series]:
    """(fast model, reference), with one trace: what the fast model's seed draws, whatever happens."""
    records = boot_model(variant.scenario, variant.kernel)
    install_rule(records, variant.rule)
    records["seed"] = seed
    start_episode(records[0])
    trace = trace_of(variant.scenario, records.copy())
    return _fast(variant.scenario, records), _exact(variant, seed, trace)


def nr_samples(scenario: Scenario) -> int:
    return max(round(scenario.duration_s / SAMPLE_S), 1)


def file_name(scenario: Scenario, workload: int, index: int) -> str:
    """Of a stream, of one of a reader's files, or of one of a process's heats."""
    table = scenario.workloads[workload]
    return table.name if isinstance(table, Stream) else f"{table.name}.{index}"


def trace_of(scenario: Scenario, records: np.ndarray) -> Trace:
    """The fast model's own draws: both get them. Identical members of a cgroup burst together in it."""
    env = records[0]
    phases_s = {n: float(env["workload"][w]["phase_s"]) for w, n in enumerate(scenario.workload_names)}
    return Trace(
        _phases(scenario, records), float(env["flush_phase_s"]), phases_s, _steals(scenario, records[0])
    )


def _steals(scenario: Scenario, env: np.void) -> list[list[float]]:
    """When blocks are stolen on each node."""
    found = []
    for nid, node in enumerate(scenario.node):
        moments = [float(env["node"][nid]["next_boost_s"])] if node.boosts_per_s else []
        while moments and moments[-1] <= scenario.duration_s:
            wait_s = draw_exponential(env, rng.BOOSTS, nid, len(moments), 1 / node.boosts_per_s)
            moments.append(moments[-1] + wait_s)
        found.append(moments)
    return found


def _phases(scenario: Scenario, records: np.ndarray) -> Phases:
    """When files and heats are in use."""
    begin_phases(records[0])
    phases: Phases = {}
    names = scenario.workload_names
    counted: dict[str, int] = {}
    for c, row in enumerate(records["class_"][0][: nr_classes(records[0])]):
        name = names[int(row["workload"])]
        index = counted[name] = counted.get(name, -1) + 1
        if row["off_s"] <= 0:
            continue
        on, moments = bool(row["on"]), [float(row["next_switch_s"])]
        while moments[-1] <= scenario.duration_s:
            mean_s = float(row["off_s"] if on ^ (len(moments) % 2 == 0) else row["on_s"])
            moments.append(moments[-1] + draw_exponential(records[0], rng.SWITCHES, c, len(moments), mean_s))
        phases[name, index] = on, moments
    return phases


def _fast(scenario: Scenario, records: np.ndarray) -> Series:
    env = records[0]
    ticks = np.int64(round(SAMPLE_S * 1000 / scenario.tick_ms))
    node = env["node"][: len(scenario.node)]
    class_ = env["class_"][: nr_classes(env)]
    names = model_file_names(scenario, env)

    def sample(_: float) -> dict[str, float]:
        step_rows(records, ticks)
        files = {
            f"{flow}/{n}": class_[f"{flow}_pages"][c] for flow in FILE_FLOWS for c, n in enumerate(names)
        }
        return _totals(node, node["vmstat"], env["memcg"]) | _anon_levels(node["anon_list_pages"]) | files

    return _series(scenario, node, node["vmstat"], sample)


def nr_classes(env: np.void) -> int:
    """Files and heats."""
    return int(env["nr_classes"] + env["nr_anon_classes"])


def model_file_names(scenario: Scenario, env: np.void) -> list[str]:
    """Of each class of the fast model, which orders them by cgroup, files first."""
    owners = env["class_"]["workload"][: nr_classes(env)].tolist()
    return [file_name(scenario, w, c - int(env["workload"][w]["first_class"])) for c, w in enumerate(owners)]


def _exact(variant: Variant, seed: int, trace: Trace) -> Series:
    m = boot(variant.scenario, variant.rule, seed, variant.kernel, trace)
    names = np.array(reference_file_names(variant.scenario, m))

    def sample(until_s: float) -> dict[str, float]:
        run(m, until_s)
        files = {
            f"{flow}/{name}": m.class_[flow][: len(names)][names == name].sum()
            for flow in FILE_FLOWS
            for name in dict.fromkeys(names.tolist())
        }
        return _totals(m.node, m.node, m.memcg) | _anon_levels(m.node["list_pages"][:, 2:]) | files

    return _series(variant.scenario, m.node, m.node, sample)


def reference_file_names(scenario: Scenario, m: Machine) -> list[str]:
    """Of each class of the reference; identical members have a copy of a file each."""
    return [
        file_name(scenario, one["table"], index) for one in m.instance for index in range(one["nr_classes"])
    ]


def _series(
    scenario: Scenario, node: np.ndarray, counters: np.ndarray, sample: Callable[[float], dict[str, float]]
) -> Series:
    samples, revived_s = [], np.full(len(scenario.node), -1.0)
    for number in range(1, nr_samples(scenario) + 1):
        now_s = number * SAMPLE_S
        samples.append(sample(now_s))
        revived_s = np.where((revived_s < 0) & (counters["revivals"].sum(axis=1) > 0), now_s, revived_s)
    found = {name: np.array([one[name] for one in samples], float) for name in samples[0]}
    for nid in range(len(scenario.node)):
        moments = (node["first_fruitless_s"][nid], node["first_hopeless_s"][nid], revived_s[nid])
        found |= {
            f"{name}/node{nid}": np.array([value]) for name, value in zip(MOMENTS, moments, strict=True)
        }
    return found


def _totals(node: np.ndarray, counters: np.ndarray, memcg: np.ndarray) -> dict[str, float]:
    lists = node["list_pages"].sum(axis=0)
    levels = dict(zip(LEVELS, (node["free_pages"].sum(), lists[0], lists[1]), strict=True))
    flows = {name: counters[name].sum() for name in FLOWS}
    calls = {name: memcg[name].sum() for name in LIMIT_CALLS}
    return levels | flows | calls | {"cost_s": _cost_s(counters)}


def _anon_levels(list_pages: np.ndarray) -> dict[str, float]:
    return dict(zip(ANON_LEVELS, list_pages.sum(axis=0), strict=True))


def _cost_s(counters: np.ndarray) -> float:
    """By the reward's own formula, whoever counted."""
    records = alloc(1)
    records["nr_nodes"] = len(counters)
    for name in COST_PARTS:
        records["node"]["vmstat"][name][0, : len(counters)] = counters[name]
    return float(sum(terms[0] for terms in cost_terms_s(records, weights_of("default")).values()))
