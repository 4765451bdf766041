"""Costs alone, of many scenarios at once: what maps and searches ask for, without the metrics of a report."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

import numpy as np

from reclaim_env.reward import COST_TERMS
from reclaim_env.scenario import Scenario

from ..contender import Contender
from ..evaluate import evaluate_each, nr_steps
from ..identity import Setting, row_key
from ..ledger import Ledger, Row

STORED = ("cost_s", *(f"cost_{term}_s" for term in COST_TERMS))
MAX_ROWS = 128  # machines that run together: 20 MB

Advance = Callable[[int], None]  # env steps done since the last call


def stored_costs_s(
    ledger: Ledger,
    scenarios: Sequence[Scenario],
    contender: Contender,
    seeds: Sequence[int],
    setting: Setting,
    advance: Advance = lambda steps: None,
    label: str = "",
) -> np.ndarray:
    """(scenarios, seeds, terms): weighted lost seconds, those the ledger lacks computed and added to it.

    label: what the ledger calls all of these scenarios; empty: each by its name.
    """
    keys = {
        (index, seed): row_key(scenario, contender, setting, seed)
        for index, scenario in enumerate(scenarios)
        for seed in seeds
    }
    known = {place: row for place, key in keys.items() if (row := ledger.row(key))}
    advance(sum(nr_steps(scenarios[index], setting) for index, _ in known))
    for batch in _batches(scenarios, [place for place in keys if place not in known]):
        found = evaluate_each(
            [scenarios[index] for index, _ in batch],
            contender,
            [seed for _, seed in batch],
            setting,
            partial(advance, len(batch)),
        )
        rows = [
            Row(
                keys[index, seed],
                label or scenarios[index].name,
                contender.name,
                seed,
                {metric: float(found[metric][i]) for metric in STORED},
            )
            for i, (index, seed) in enumerate(batch)
        ]
        ledger.add(rows, {})
        known |= dict(zip(batch, rows, strict=True))
    metrics = [[known[index, seed].metrics for seed in seeds] for index in range(len(scenarios))]
    return np.array([[[found[name] for name in STORED[1:]] for found in of_one] for of_one in metrics])


def _batches(
    scenarios: Sequence[Scenario], places: Sequence[tuple[int, int]]
) -> Iterator[list[tuple[int, int]]]:
    """Places whose machines can share a vector env."""

    def shape(place: tuple[int, int]) -> tuple[int, int, float]:
        scenario = scenarios[place[0]]
        return len(scenario.node), scenario.tick_ms, scenario.duration_s

    for _, alike in groupby(sorted(places, key=shape), shape):
        several = list(alike)
        for start in range(0, len(several), MAX_ROWS):
            yield several[start : start + MAX_ROWS]
