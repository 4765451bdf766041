"""The price of a miss to its reader, fitted on what the model makes of it.

A reader that missed waits for the device and then, on a node with one CPU, for that CPU. The model knows
the first alone, and it decides whether a reader keeps up with kswapd: one that waits touches nothing, and its
pages grow old. No counter tells the second wait, so the latency is the one whose storms are the kernel's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..evaluate import compile_model
from .calibrate import Calibration
from .compare_model import Case, cases, model_columns, on_measured_machine
from .kernel_runs import KernelRun

STORM_METRICS = ("pageoutrun", "pgscan_kswapd", "pgsteal_kswapd", "workingset_refault_file")
STORM_PAGES = 40_000  # refaults of a run that the price of a miss decides about
MOST = 6.0  # times the device's own latency
NR_TRIALS, NR_SEEDS = 8, 4

Progress = Callable[[str, int], None]  # what is under way, trials done since the last call


def with_misses(found: Calibration, runs: Sequence[KernelRun], progress: Progress) -> Calibration:
    """The calibration with the latency that fits best; as it is where no run was a storm of refaults."""
    from scipy.optimize import minimize_scalar

    storms = _storms(runs)
    if found.latency_us is None or not storms:
        why = "no run with refaults enough to tell the wait for the CPU from the device's"
        return replace(found, not_identified={**found.not_identified, "latency_us": why})
    compile_model(storms[0][0].scenario, progress)
    device_us = found.latency_us

    def misfit(log_times: float) -> float:
        tried = replace(found, latency_us=device_us * float(np.exp(log_times)))
        progress("the price of a miss", 1)
        return float(np.mean([_misfit(case, rule, tried) for case, rule in storms]))

    best = minimize_scalar(
        misfit, bounds=(0.0, np.log(MOST)), method="bounded", options={"maxiter": NR_TRIALS, "xatol": 0.05}
    )
    return replace(found, latency_us=device_us * float(np.exp(best.x)))


def _storms(runs: Sequence[KernelRun]) -> list[tuple[Case, str]]:
    return [
        (case, rule)
        for case in cases(runs)
        for rule in case.runs
        if case.kernel_columns(rule)["workingset_refault_file"].mean() > STORM_PAGES
    ]


def _misfit(case: Case, rule: str, tried: Calibration) -> float:
    """Mean square of the logarithm of model / kernel."""
    kernel = case.kernel_columns(rule)
    model = model_columns(case, tried.apply(on_measured_machine(case)), rule, NR_SEEDS)
    ratios = [max(model[name].mean(), 1.0) / max(kernel[name].mean(), 1.0) for name in STORM_METRICS]
    return float(np.mean(np.log(ratios) ** 2))
