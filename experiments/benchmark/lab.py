"""Agents in the kernel lab's scenarios, in the model: `python -m experiments.benchmark.lab AGENT...`

With the costs that the scenarios give, and with those that `reclaim calibrate` fitted to boots of the lab.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from reclaim_env.scenario import Scenario, load

from ..contender import Contender, contenders
from ..evaluate import evaluate, evaluation_seeds
from ..identity import Setting
from ..kernel_lab import calibrate
from ..kernel_lab.cli import SCENARIOS
from ..stats import differences
from ..wording import compact, with_interval
from .page import table

CALIBRATION = Path(__file__).parents[1] / "results" / "kernel" / "calibration.json"
RULES = ("always", "balanced", "global_direct", "gap")
BASE = "balanced"
NR_SEEDS = 16
Costs = dict[str, np.ndarray]  # contender -> (seeds,) lost seconds


def costs_s(scenario: Scenario, all_of_them: Sequence[Contender]) -> Costs:
    """Of episodes with the same seeds."""
    seeds = evaluation_seeds(NR_SEEDS)
    return {one.name: evaluate(scenario, one, seeds, Setting()).metrics["cost_s"] for one in all_of_them}


def row(found: Costs) -> list[str]:
    """Means; of agents the difference to `balanced` as well, seed by seed."""
    cells = []
    for name, costs in found.items():
        cells.append(compact(float(costs.mean())))
        if name not in RULES:
            (gap,) = differences(costs[:, None], found[BASE][:, None])
            cells.append(with_interval(gap.diff, gap.lo, gap.hi))
    return cells


def render(agent_files: Sequence[Path]) -> str:
    asked = contenders(RULES, agent_files)
    heads = ["scenario", "costs"]
    for one in asked:
        heads += [f"`{one.name}`"] if one.agent is None else [f"`{one.name}`", f"minus `{BASE}` [95 %]"]
    fitted = calibrate.read(CALIBRATION)
    priced: dict[str, Callable[[Scenario], Scenario]] = {"given": lambda one: one, "calibrated": fitted.apply}
    rows = [
        [path.stem, name, *row(costs_s(apply(load(path)), asked))]
        for path in sorted(SCENARIOS.glob("*.toml"))
        for name, apply in priced.items()
    ]
    return f"Lost seconds of an episode, means of {NR_SEEDS} paired seeds.\n\n{table(heads, rows)}"


if __name__ == "__main__":
    sys.stdout.write(render([Path(name) for name in sys.argv[1:]]))
