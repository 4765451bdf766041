"""`reclaim validate results`: rows of a run simulated again; a ledger that does not reproduce is refused."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from reclaim_env.scenario import Scenario

from .ceiling import ORACLE, SEARCHES, oracle_metrics, unseeing_metrics
from .contender import Contender, of_agent, of_rule
from .evaluate import evaluate, evaluate_each
from .identity import Setting, row_key, source_hash
from .ledger import Row
from .past_run import PastRun
from .wording import visible

BATCH = 16  # rows that run together

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Replayed:
    """How many rows there are, how many were simulated again, and whether today's sources made them."""

    nr_rows: int
    nr_replayed: int
    same_sources: bool


def replay(run: PastRun, nr_rows: int, agent_files: Sequence[Path], progress: Progress) -> Replayed:
    """A ValueError names the first number that comes out otherwise."""
    contenders = _contenders(run, agent_files)
    chosen = spread(run.rows, nr_rows)
    same_sources = run.manifest["source_hash"] == source_hash()
    for (scenario, rule), rows in groupby(chosen, lambda row: (row.scenario, row.rule)):
        several = list(rows)
        for start in range(0, len(several), BATCH):
            batch = several[start : start + BATCH]
            if same_sources and rule not in SEARCHES:
                _check_keys(run, contenders[rule], batch)
            found = _simulated(run, contenders.get(rule, rule), scenario, [row.seed for row in batch])
            for row, metrics in zip(batch, found, strict=True):
                _check(run, row, metrics)
            progress(f"{scenario}: {rule}", len(batch))
    return Replayed(len(run.rows), len(chosen), same_sources)


def spread(rows: Sequence[Row], nr_rows: int) -> list[Row]:
    """So many, evenly over all; 0: all of them."""
    if nr_rows == 0 or nr_rows >= len(rows):
        return list(rows)
    return [rows[index * len(rows) // nr_rows] for index in range(nr_rows)]


def _contenders(run: PastRun, agent_files: Sequence[Path]) -> dict[str, Contender]:
    """Those of the run, each proved to be the one it was."""
    agents = [of_agent(path, taken=set()) for path in agent_files]
    found = {}
    for name, identity in run.manifest["contenders"].items():
        same = [agent for agent in agents if agent.identity == identity]
        found[name] = Contender(name, identity, same[0].agent) if same else _rule(run, name, identity)
    return found


def _rule(run: PastRun, name: str, identity: str) -> Contender:
    where = visible(str(run.path))
    try:
        rule = of_rule(name)
    except ValueError:
        raise ValueError(f"{where}: found agent {visible(name)}, wanted its file: --agent FILE") from None
    if rule.identity != identity:
        raise ValueError(f"{where}: found another rule {visible(name)} than today's, wanted the same")
    return rule


def _setting(run: PastRun) -> Setting:
    return Setting(**{name: run.manifest[name] for name in ("kernel", "weights", "control_ms")})


def _check_keys(run: PastRun, contender: Contender, rows: Sequence[Row]) -> None:
    for row in rows:
        scenario = run.scenario(row.scenario, row.seed)
        if row_key(scenario, contender, _setting(run), row.seed) != row.key:
            raise ValueError(f"{_place(run, row)}: found a key that is not the row's, wanted {row.key}'s row")


def _simulated(
    run: PastRun, contender: Contender | str, name: str, seeds: Sequence[int]
) -> list[Mapping[str, float]]:
    """contender: a rule or an agent, or the name of a search."""
    scenarios, setting = [run.scenario(name, seed) for seed in seeds], _setting(run)
    if isinstance(contender, str):
        return [
            _searched(run, contender, one, setting, seed) for one, seed in zip(scenarios, seeds, strict=True)
        ]
    if run.is_of_families:
        found = evaluate_each(scenarios, contender, seeds, setting)
    else:
        found = evaluate(scenarios[0], contender, seeds, setting).metrics
    return [{metric: float(values[i]) for metric, values in found.items()} for i in range(len(seeds))]


def _searched(run: PastRun, name: str, scenario: Scenario, setting: Setting, seed: int) -> dict[str, float]:
    if name == ORACLE:
        return oracle_metrics(scenario, setting, run.manifest["oracle"]["budget_episodes"], seed)
    return unseeing_metrics(name, scenario, setting, seed)


def _check(run: PastRun, row: Row, metrics: Mapping[str, float]) -> None:
    if set(metrics) != set(row.metrics):
        odd = ", ".join(sorted(set(metrics) ^ set(row.metrics))[:3])
        raise ValueError(f"{_place(run, row)}: found other metrics than are measured now, wanted {odd}")
    for name, value in metrics.items():
        stored = row.metrics[name]
        if stored != value and not (math.isnan(stored) and math.isnan(value)):
            raise ValueError(f"{_place(run, row)}: {name}: found {stored!r}, wanted {value!r}")


def _place(run: PastRun, row: Row) -> str:
    return visible(f"{run.path}: {row.scenario}, {row.rule}, seed {row.seed}")


def render(done: Replayed) -> str:
    sources = "the sources of today" if done.same_sources else "other sources than today's"
    return f"{done.nr_replayed} of {done.nr_rows} rows simulated again, all the same; made by {sources}.\n"
