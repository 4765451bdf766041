"""A made-up frame: the reports are tested on it, so they do not wait for the model or follow its numbers."""

import numpy as np

from experiments.metrics import measure
from experiments.results import Results, ScenarioResults
from experiments.series import Recorder, Series
from reclaim_env.model.constants import (
    DOZE,
    GLOBAL_DIRECT,
    KSWAPD,
    MAX_RECLAIM_RETRIES,
    MEMCG_HIGH,
    RUN,
    SLEEP,
)
from reclaim_env.model.layout import VMSTAT, alloc

RULES = (
    "always",
    "balanced",
    "never",
    "kswapd_only",
    "no_memcg",
    "direct_balanced",
    "global_direct",
    "random",
)
NR_NODES, NR_CGROUPS = 2, 2
PAGES_PER_MIB = 256


def made_up(
    nr_seeds: int = 8, rules: tuple[str, ...] = RULES, names: tuple[str, str] = ("app", "bystander")
) -> Results:
    scenario = made_up_scenario(nr_seeds, rules, names)
    return Results((scenario,), nr_seeds, "7.0", "default", "reclaim compare --scenario made_up")


def made_up_scenario(
    nr_seeds: int = 8,
    rules: tuple[str, ...] = RULES,
    names: tuple[str, str] = ("app", "bystander"),
    scenario_name: str = "made_up",
) -> ScenarioResults:
    rows = {
        rule: measure(ended(rule, nr_seeds), ("high", "free"), names, cost(rule, nr_seeds)) for rule in rules
    }
    return ScenarioResults(
        name=scenario_name,
        description="Numbers nobody measured.",
        duration_s=60.0,
        workloads=names,
        cgroups=("high", "free"),
        metrics=tuple(next(iter(rows.values()))),
        values={rule: np.stack(list(row.values()), axis=1) for rule, row in rows.items()},
        series={rule: episode(rule) for rule in rules},
    )


def draws(rule: str) -> np.random.Generator:
    return np.random.default_rng(sum(rule.encode()))


def spins(rule: str) -> bool:
    return rule in ("always", "no_memcg", "random")


def cost(rule: str, nr_seeds: int) -> dict[str, np.ndarray]:
    random = draws(rule)
    scale = 60.0 if spins(rule) else 4.0
    terms = ("refault_io", "kswapd_cpu", "stall", "oom", "atomic")
    return {term: scale * random.uniform(0.9, 1.1, nr_seeds) / (1 + i) for i, term in enumerate(terms)}


def ended(rule: str, nr_seeds: int) -> np.ndarray:
    """(nr_seeds,) records as an episode of 60 s might leave them."""
    random, records = draws(rule), alloc(nr_seeds)
    records["nr_nodes"], records["nr_memcgs"], records["time_s"] = NR_NODES, NR_CGROUPS, 60.0
    vmstat = records["node"]["vmstat"][:, :NR_NODES]
    for name in VMSTAT.names or ():
        scale = 1_000_000 if spins(rule) else 20_000
        vmstat[name] = random.uniform(0.5, 1.5, vmstat[name].shape) * scale * (name != "pgscan_direct")
    vmstat["oom_kill"] = vmstat["atomic_fail"] = 0
    vmstat["kswapd_cpu_s"] = random.uniform(25, 30, vmstat.shape) if spins(rule) else 0.02
    records["node"]["first_fruitless_s"], records["node"]["first_hopeless_s"] = (
        0.4,
        -1 if spins(rule) else 0.8,
    )
    records["workload"]["ops"] = random.uniform(1e5, 2e5, records["workload"].shape)
    records["workload"]["latency_ops"][:, :, 14:40] = random.uniform(0, 1e4, (nr_seeds, 1, 26))
    return records


def episode(rule: str, steps: int = 600) -> Series:
    """One seed over time: a node that spins or one that gives up."""
    random, record = draws(rule), alloc(1)[0]
    record["nr_nodes"] = NR_NODES
    node = record["node"][:NR_NODES]
    node["min_wmark_pages"], node["low_wmark_pages"] = 44 * PAGES_PER_MIB, 1326 * PAGES_PER_MIB
    node["failure_limit"] = MAX_RECLAIM_RETRIES
    node["high_wmark_pages"], node["free_pages"] = 2608 * PAGES_PER_MIB, 1414 * PAGES_PER_MIB
    recorder = Recorder(record)
    for step in range(1, steps + 1):
        record["time_s"] = step / 10
        awake = spins(rule) or step < 8
        node["free_pages"] += random.integers(-4000, 4000, NR_NODES)
        node["kswapd_failures"] = random.integers(0, 12, NR_NODES) if spins(rule) else min(2 * step, 16)
        node["kswapd_phase"] = RUN if awake else DOZE if step < 9 else SLEEP
        vmstat = node["vmstat"]
        vmstat["kswapd_cpu_s"] += random.uniform(0.05, 0.1, NR_NODES) * awake
        vmstat["awake_s"] += 0.1 * awake
        vmstat["workingset_refault_file"] += random.integers(0, 5000 if awake else 50, NR_NODES)
        for reason, odds in ((KSWAPD, 0.1), (GLOBAL_DIRECT, 0.02), (MEMCG_HIGH, 0.3)):
            vmstat["resets"][:, reason] += (random.random(NR_NODES) < odds) & awake
        recorder.sample(record)
    return recorder.series()
