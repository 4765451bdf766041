"""Costs alone, of many scenarios at once: what maps and searches ask for, without the metrics of a report."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from reclaim_env.reward import COST_TERMS
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from ..contender import Contender
from ..evaluate import cost_terms_s, no_action, nr_steps
from ..identity import Setting, row_key, usable_cpus
from ..ledger import Ledger, Row

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
        costs = _run(scenarios, batch, contender, setting, advance)
        rows = [
            Row(keys[place], label or scenarios[place[0]].name, contender.name, place[1], _as_metrics(cost))
            for place, cost in zip(batch, costs, strict=True)
        ]
        ledger.add(rows, {})
        known |= dict(zip(batch, rows, strict=True))
    found = np.zeros((len(scenarios), len(seeds), len(COST_TERMS)))
    for index in range(len(scenarios)):
        for column, seed in enumerate(seeds):
            metrics = known[index, seed].metrics
            found[index, column] = [metrics[f"cost_{term}_s"] for term in COST_TERMS]
    return found


def _as_metrics(terms_s: np.ndarray) -> dict[str, float]:
    named = {f"cost_{term}_s": float(cost) for term, cost in zip(COST_TERMS, terms_s, strict=True)}
    return {"cost_s": math.fsum(named.values()), **named}


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


def _run(
    scenarios: Sequence[Scenario],
    batch: Sequence[tuple[int, int]],
    contender: Contender,
    setting: Setting,
    advance: Advance,
) -> np.ndarray:
    """(batch, terms)"""
    env = ReclaimVectorEnv(
        num_envs=len(batch),
        scenario=[scenarios[index] for index, _ in batch],
        kernel=setting.kernel,
        reward=setting.weights,
        control_ms=setting.control_ms,
        episode_s=scenarios[batch[0][0]].duration_s,
        rule=contender.rule,
        threads=min(usable_cpus(), len(batch)),
        **contender.env_arguments,
    )
    try:
        observation, _ = env.reset(seed=[seed for _, seed in batch])
        truncated, nothing, agent = np.zeros(len(batch), bool), no_action(env), contender.agent
        while not truncated.all():
            actions = agent.predict(observation)[0] if agent else nothing
            observation, _, _, truncated, _ = env.step(actions)
            advance(len(batch))
        return np.stack(list(cost_terms_s(env.records, env.weights).values()), axis=1)
    finally:
        env.close()
