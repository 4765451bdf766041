"""A finished run read back from its folder: the rows of its ledger as the frame every report is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from reclaim_env import families
from reclaim_env.scenario import Scenario, parse

from .benchmark import page, records
from .ceiling import ORACLE, SEARCHES
from .complete import refuse_incomplete
from .ledger import Ledger, Row
from .results import BASELINES, OverFamilies, Results, ScenarioResults
from .run_folder import RunFolder
from .wording import visible

KINDS = ("compare", "evaluate")


@dataclass(frozen=True)
class PastRun:
    path: Path
    manifest: dict[str, Any]
    rows: tuple[Row, ...]  # of the seeds asked for, by scenario, rule and seed

    @property
    def is_of_families(self) -> bool:
        return self.manifest["kind"] == "evaluate"

    @property
    def ledger(self) -> Path:
        return RunFolder(self.path).ledger

    def scenario(self, name: str, seed: int) -> Scenario:
        """What a row of this name and seed was simulated on."""
        if self.is_of_families:
            return families.member(f"{name}#{seed}")
        found = [one for one in self.manifest["scenarios"] if one["name"] == name]
        return parse(found[0], name)


def read(path: Path) -> PastRun:
    """A ValueError in one line where the folder holds no run of episodes, or not a whole one."""
    folder = RunFolder.of_run(path, *KINDS)
    manifest, where = folder.manifest(), visible(str(path))
    status = manifest.get("status")
    if status != "complete":
        raise ValueError(f"{where}: found a run that is {visible(str(status))}, wanted a complete one")
    first, number = manifest["seeds"]["first"], manifest["seeds"]["number"]
    with Ledger(folder.ledger) as ledger:
        rows = tuple(ledger.rows())
    refuse_incomplete(path, manifest, rows)
    return PastRun(path, manifest, tuple(row for row in rows if first <= row.seed < first + number))


def results(run: PastRun) -> Results:
    """Every scenario or family with all contenders and searches."""
    seeds = run.manifest["seeds"]["number"]
    with Ledger(run.ledger) as ledger:
        found = tuple(
            _scenario(run, name, list(rows), seeds, ledger)
            for name, rows in groupby(run.rows, lambda row: row.scenario)
        )
    return Results(
        found,
        seeds,
        run.manifest["kernel"],
        run.manifest["weights"],
        run.manifest["command"],
        overall=_overall(run) if run.is_of_families else (),
    )


def _overall(run: PastRun) -> tuple[OverFamilies, ...]:
    frame = records.frame_of_run(run.path)
    found = []
    for name in frame.contenders:
        family, worst = frame.worst(name)
        if family is not None and worst is not None:
            found.append(OverFamilies(name, frame.relative(name), page.short(family), worst))
    return tuple(found)


def _scenario(run: PastRun, name: str, rows: Sequence[Row], nr_seeds: int, ledger: Ledger) -> ScenarioResults:
    by_rule = {rule: list(of_rule) for rule, of_rule in groupby(rows, lambda row: row.rule)}
    whole = {rule: by_rule[rule] for rule in run.manifest["contenders"] if len(by_rule[rule]) == nr_seeds}
    searched = _searched(by_rule, nr_seeds)
    metrics = tuple(whole[BASELINES[0]][0].metrics)
    scenario = run.scenario(name, rows[0].seed)
    series = {rule: ledger.series(of_rule[0].key) for rule, of_rule in whole.items()}
    return ScenarioResults(
        name=name,
        description=scenario.description,
        duration_s=scenario.duration_s,
        workloads=() if run.is_of_families else scenario.workload_names,
        cgroups=() if run.is_of_families else scenario.cgroup_names,
        metrics=metrics,
        values={
            rule: np.array([[row.metrics.get(metric, np.nan) for metric in metrics] for row in of_rule])
            for rule, of_rule in (whole | searched).items()
        },
        searches=tuple(searched),
        series={rule: one for rule, one in series.items() if one is not None},
    )


def _searched(by_rule: Mapping[str, Sequence[Row]], nr_seeds: int) -> dict[str, list[Row]]:
    """The searches' rows, by a name that says on how many seeds; the oracle's are the best of all known."""
    found = {}
    for name in SEARCHES:
        rows = list(by_rule.get(name, ()))
        if name == ORACLE:
            rows = [_cheapest(by_rule, row.seed) for row in rows]
        if rows:
            found[name if len(rows) == nr_seeds else f"{name}, {len(rows)} seeds"] = rows
    return found


def _cheapest(by_rule: Mapping[str, Sequence[Row]], seed: int) -> Row:
    """What a rule, an agent or another search did is a plan too."""
    same_seed = [row for rows in by_rule.values() for row in rows if row.seed == seed]
    return min(same_seed, key=lambda row: row.metrics["cost_s"])


def how_made(run: PastRun, results: Results) -> list[tuple[str, str]]:
    """(what, words): where the numbers come from and what they cannot say."""
    manifest, seeds = run.manifest, run.manifest["seeds"]
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    found = [
        ("Command", manifest["command"]),
        ("Commit", manifest["commit"] or "none: an installed package"),
        ("Sources", f"hash {manifest['source_hash']}; {versions}"),
        ("Seeds", f"{seeds['number']} from {seeds['first']} on, the same for every rule"),
        ("Method", METHOD),
    ]
    if run.is_of_families:
        found.append(("Families", f"frozen as {manifest['families_hash']}; a seed is another machine"))
    if any(row.rule == ORACLE for row in run.rows):
        found.append(("Oracle", ORACLE_WORDS))
    return [*found, ("Limits", results.limits or LIMITS)]


METHOD = (
    "Every rule meets the same demand on the same seed. Differences are taken seed by seed; intervals are "
    "95 % bootstrap intervals of the mean over seeds, of fewer than five seeds Student's; over all families "
    "they are percentiles, each family resampled alone."
)
ORACLE_WORDS = (
    "A search that sees the future: a ceiling, no rule. It tries every rule and then changes of the best "
    "plan; where is_exact is 1 it has tried every plan."
)
LIMITS = (
    "A model, not a kernel: compare rules, do not read off seconds. What it keeps of mm/, what it leaves "
    "out and how far it agrees with a real 6.12 stands in reclaim_env/MODEL.md."
)
