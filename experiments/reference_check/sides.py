"""One variant on both sides: the machine's totals at the end of every window, seed by seed."""

import numpy as np

from reclaim_env.action import install_rule
from reclaim_env.boot import boot as boot_model
from reclaim_env.model import rng
from reclaim_env.model.access import begin_phases, draw_exponential
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.reference.boot import Phases, boot, run
from reclaim_env.scenario import Scenario

from ..evaluate import evaluation_seeds
from .variants import Variant

WINDOW_S = 1.0
LEVELS = ("free_pages", "inactive_file_pages", "active_file_pages")
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
)
MOMENTS = ("first_fruitless_s", "first_hopeless_s")  # of node 0; -1: never

Windows = dict[str, np.ndarray]  # name -> (seeds, windows); of moments (seeds, 1)


def both(variant: Variant, nr_seeds: int) -> tuple[Windows, Windows]:
    """(fast model, reference), with the same silences of the same files."""
    fast, exact = [], []
    for seed in evaluation_seeds(nr_seeds):
        records = boot_model(variant.scenario, variant.kernel)
        install_rule(records, variant.rule)
        records["seed"] = seed
        start_episode(records[0])
        phases = _phases(variant.scenario, records.copy())
        fast.append(_fast(variant.scenario, records))
        exact.append(_exact(variant, seed, phases))
    return _stacked(fast), _stacked(exact)


def _edges_s(scenario: Scenario) -> np.ndarray:
    return np.arange(1, round(scenario.duration_s / WINDOW_S) + 1) * WINDOW_S


def _phases(scenario: Scenario, records: np.ndarray) -> Phases:
    """The fast model's own draws of when files are in use: this is the demand, which both get."""
    begin_phases(records[0])
    phases: Phases = {}
    names = scenario.workload_names
    counted: dict[str, int] = {}
    for c, row in enumerate(records["class_"][0][: int(records["nr_classes"][0])]):
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


def _fast(scenario: Scenario, records: np.ndarray) -> list[dict[str, float]]:
    found = []
    ticks = round(WINDOW_S * 1000 / scenario.tick_ms)
    for _ in _edges_s(scenario):
        step_rows(records, ticks)
        node = records["node"][0, : len(scenario.node)]
        totals = {name: float(node["vmstat"][name].sum()) for name in FLOWS}
        found.append(totals | _levels(node) | _moments(node))
    return found


def _exact(variant: Variant, seed: int, phases: Phases) -> list[dict[str, float]]:
    machine = boot(variant.scenario, variant.rule, seed, variant.kernel, phases)
    found = []
    for until_s in _edges_s(variant.scenario):
        run(machine, float(until_s))
        totals = {name: float(machine.node[name].sum()) for name in FLOWS}
        found.append(totals | _levels(machine.node) | _moments(machine.node))
    return found


def _levels(node: np.ndarray) -> dict[str, float]:
    lists = node["list_pages"].sum(axis=0)
    return dict(zip(LEVELS, (float(node["free_pages"].sum()), float(lists[0]), float(lists[1])), strict=True))


def _moments(node: np.ndarray) -> dict[str, float]:
    return {name: float(node[name][0]) for name in MOMENTS}


def _stacked(runs: list[list[dict[str, float]]]) -> Windows:
    """Flows become what each window added."""
    found = {name: np.array([[sample[name] for sample in one] for one in runs]) for name in runs[0][0]}
    for name in FLOWS:
        found[name] = np.diff(found[name], axis=1, prepend=0.0)
    for name in MOMENTS:
        found[name] = found[name][:, -1:]
    return found
