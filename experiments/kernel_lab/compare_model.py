"""The same scenario in the model, on the machine that the kernel measured, and what both are asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np

from reclaim_env.model.constants import OTHER, REASONS
from reclaim_env.scenario import Scenario, parse
from reclaim_env.units import mib_from_pages, pages_from_mib
from reclaim_env.vector import ReclaimVectorEnv

from ..evaluate import compile_model, evaluation_seeds, no_action
from ..identity import usable_cpus
from ..metrics import MIB_PER_PAGE, measure
from .kernel_runs import KernelRun
from .validate import Sides, Validation, validate

NR_SEEDS = 8
# Where kswapd ran at once, 14 of 60 boots of the dead scenarios and 8 of 15 of useful_revival took no active
# page: their last flush, within the 2 s before the start, came after the inactive list had outgrown the
# active one, which is 20 and 36 MiB before the end of the filling.
GUEST_FILLS_MIB_PER_S = 40.0
MACHINE = (
    "pageoutrun",
    "kswapd_fruitless_runs",
    "kswapd_cpu_ratio",
    "pgscan_kswapd",
    "pgsteal_kswapd",
    "pgscan_direct",
    "pgsteal_direct",
    *(f"{counter}_{reason}" for counter in ("resets", "revivals") for reason in REASONS[:OTHER]),
    "workingset_refault_file",
    "allocstall",
    "stall_s",
    "limit_reclaim_s",
    "hopeless_s",
)
NODE = ("free_mib_at_end", "file_mib_at_end", "first_hopeless_s", "hopeless_at_end", "running_at_end")

Metrics = Mapping[str, float]
Adjust = Callable[[Scenario], Scenario]
Progress = Callable[[str, int], None]  # what is under way, rules done since the last call


@dataclass(frozen=True)
class Case:
    """The repeats of a scenario on one kernel preset under every rule that was run."""

    scenario: Scenario
    kernel: str
    runs: Mapping[str, Sequence[KernelRun]]  # rule -> whole runs

    @property
    def label(self) -> str:
        """6.12 is what the lab builds; another preset is a switch of it, and named."""
        return self.scenario.name if self.kernel == "6.12" else f"{self.scenario.name} ({self.kernel})"

    @property
    def whole(self) -> list[KernelRun]:
        return [run for runs in self.runs.values() for run in runs]

    def kernel_columns(self, rule: str) -> dict[str, np.ndarray]:
        found = [asked(run.metrics, self.scenario) for run in self.runs[rule]]
        return {name: np.array([one[name] for one in found]) for name in self.names}

    @property
    def names(self) -> tuple[str, ...]:
        """What is compared. A node where no boot's kswapd had anything to do tells nothing of rules."""
        nodes = [nid for nid in range(len(self.scenario.node)) if _has_story(self.whole, nid)]
        at_end = [f"node{nid}/{name}" for nid in nodes for name in NODE]
        return (*MACHINE, *_refault_names(self.scenario), *at_end, *_throughput_names(self.scenario))


def cases(runs: Iterable[KernelRun]) -> list[Case]:
    """By scenario and preset, in the order of the runs; the failed ones are left out."""
    scenarios: dict[tuple[str, str], Scenario] = {}
    by_rule: dict[tuple[str, str], dict[str, list[KernelRun]]] = {}
    for run in runs:
        key = run.scenario.name, run.kernel
        if scenarios.setdefault(key, run.scenario) != run.scenario:
            raise ValueError(
                f"{run.scenario.name}: found two scenarios of this name among the runs, wanted one; "
                "compare them folder by folder"
            )
        if run.why_failed is None:
            by_rule.setdefault(key, {}).setdefault(run.rule, []).append(run)
    return [Case(scenarios[key], key[1], rules) for key, rules in by_rule.items()]


def compare(cases: Sequence[Case], progress: Progress, adjust: Adjust | None = None) -> Validation:
    """Every rule of every case in the model, on the machine measured and with the costs adjusted."""
    scenarios: dict[str, dict[str, Sides]] = {}
    if cases:
        compile_model(cases[0].scenario, progress)
    for case in cases:
        machine = on_measured_machine(case)
        machine = adjust(machine) if adjust else machine
        for rule in case.runs:
            progress(f"{case.label}: {rule}", 0)
            sides = Sides(case.kernel_columns(rule), model_columns(case, machine, rule))
            scenarios.setdefault(case.label, {})[rule] = sides
            progress(f"{case.label}: {rule}", 1)
    return validate(scenarios)


def model_columns(
    case: Case, machine: Scenario, rule: str, nr_seeds: int = NR_SEEDS
) -> dict[str, np.ndarray]:
    """The same names, one number for each seed."""
    records = _episodes(machine, rule, case.kernel, nr_seeds)
    measured = measure(records, machine.cgroup_names, machine.workload_names, {}) | _sizes_at_end(records)
    found = [asked({name: values[i] for name, values in measured.items()}, machine) for i in range(nr_seeds)]
    return {name: np.array([one[name] for one in found]) for name in case.names}


def on_measured_machine(case: Case) -> Scenario:
    """Nodes with the guest's managed pages, and as much free memory at the start as the guests had.

    What the kernel, page tables and the guest's own processes hold is the model's kernel_mib. A guest begins
    right after it has filled its memory.
    """
    tables = case.scenario.model_dump(mode="json", exclude_none=True)
    tables["filled_mib_per_s"] = GUEST_FILLS_MIB_PER_S
    for nid, node in enumerate(tables["node"]):
        managed = _mean(case.whole, f"node{nid}/managed_pages")
        free = _mean(case.whole, f"node{nid}/free_pages_at_start")
        if isfinite(managed):
            node["total_mib"] = mib_from_pages(round(managed))
        if isfinite(free):
            room = pages_from_mib(node["total_mib"]) - _placed_pages(case.scenario, nid)
            node["kernel_mib"] = mib_from_pages(room - round(free))
    return parse(tables, case.scenario.name)


def asked(metrics: Metrics, scenario: Scenario) -> dict[str, float]:
    """The measured names, and those that follow from them, in one way for kernel and model."""
    found = dict(metrics)
    found["kswapd_cpu_ratio"] = metrics.get("kswapd_cpu_s", nan) / scenario.duration_s
    for name in _refault_names(scenario):
        found[name] = _refaults_per_op(metrics, scenario, name)
    wanted = (*MACHINE, *_throughput_names(scenario), *_node_names(scenario))
    return dict.fromkeys(wanted, nan) | found


def _has_story(runs: Iterable[KernelRun], nid: int) -> bool:
    names = (f"node{nid}/pageoutrun", f"node{nid}/hopeless_s")
    return any(run.metrics.get(name, 0.0) > 0 for run in runs for name in names)


def _node_names(scenario: Scenario) -> list[str]:
    return [f"node{nid}/{name}" for nid in range(len(scenario.node)) for name in NODE]


def _throughput_names(scenario: Scenario) -> list[str]:
    return [f"workload/{name}/throughput_per_s" for name in scenario.workload_names]


def _readers(scenario: Scenario, cgroup: str) -> list[str]:
    return [one.name for one in (*scenario.reader, *scenario.stream) if one.cgroup == cgroup]


def _refault_names(scenario: Scenario) -> list[str]:
    """Refaults are counted by cgroup: they are a reader's own where it reads alone in its cgroup."""
    names = []
    for cgroup in scenario.cgroup_names:
        readers = _readers(scenario, cgroup)
        if readers:
            owner = f"workload/{readers[0]}" if len(readers) == 1 else f"cgroup/{cgroup}"
            names.append(f"{owner}/refaults_per_op")
    return names


def _refaults_per_op(metrics: Metrics, scenario: Scenario, name: str) -> float:
    scope, owner, _ = name.split("/")
    table = {one.name: one.cgroup for one in (*scenario.reader, *scenario.stream)}
    cgroup = table[owner] if scope == "workload" else owner
    per_s = [metrics.get(f"workload/{r}/throughput_per_s", nan) for r in _readers(scenario, cgroup)]
    operations = sum(per_s) * scenario.duration_s
    pages = metrics.get(f"cgroup/{cgroup}/refault_mib", nan) / MIB_PER_PAGE
    return pages / operations if operations > 0 else nan


def _episodes(scenario: Scenario, rule: str, kernel: str, nr_seeds: int) -> np.ndarray:
    env = ReclaimVectorEnv(
        num_envs=nr_seeds,
        scenario=scenario,
        kernel=kernel,
        episode_s=scenario.duration_s,
        rule=rule,
        threads=min(usable_cpus(), nr_seeds),
    )
    try:
        env.reset(seed=evaluation_seeds(nr_seeds))
        nothing, truncated = no_action(env), np.zeros(nr_seeds, bool)
        while not truncated.all():
            _, _, _, truncated, _ = env.step(nothing)
        return env.records.copy()
    finally:
        env.close()


def _sizes_at_end(records: np.ndarray) -> dict[str, np.ndarray]:
    found = {}
    for nid in range(int(records["nr_nodes"][0])):
        node = records["node"][:, nid]
        found[f"node{nid}/free_mib_at_end"] = node["free_pages"] * MIB_PER_PAGE
        found[f"node{nid}/file_mib_at_end"] = node["list_pages"].sum(axis=-1) * MIB_PER_PAGE
    return found


def _placed_pages(scenario: Scenario, nid: int) -> int:
    """What the scenario's own tables put on a node at the start."""
    kernel = pages_from_mib(scenario.node[nid].kernel_mib)
    return scenario.managed_pages[nid] - kernel - scenario.free_pages[nid]


def _mean(runs: Sequence[KernelRun], name: str) -> float:
    values = [run.metrics.get(name, nan) for run in runs]
    return float(np.mean(values)) if values else nan
