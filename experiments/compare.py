"""Every rule on every scenario over the same seeds; rows go to the ledger as they finish."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from reclaim_env.scenario import Scenario

from . import evaluate as evaluation
from .contender import Contender
from .evaluate import evaluation_seeds, nr_steps
from .identity import Setting, provenance, row_key
from .ledger import Ledger, Row
from .results import Results, ScenarioResults
from .run_folder import RunFolder, RunFolderError
from .stats import BOOTSTRAP_SEED, NR_RESAMPLES
from .wording import visible

BATCH = 16  # seeds that run together; an interruption loses at most so many


@dataclass(frozen=True)
class Request:
    scenarios: tuple[Scenario, ...]
    contenders: tuple[Contender, ...]
    nr_seeds: int
    setting: Setting
    command: str  # without paths

    def __post_init__(self) -> None:
        for contender in self.contenders:
            contender.check_features(self.setting.kernel)

    @property
    def nr_env_steps(self) -> int:
        steps = sum(nr_steps(scenario, self.setting) for scenario in self.scenarios)
        return steps * len(self.contenders) * self.nr_seeds


Progress = Callable[[str, int], None]  # what is under way, env steps done since the last call


def run(request: Request, folder: RunFolder, progress: Progress = lambda words, steps: None) -> Results:
    """Fills the folder's ledger and manifest; the reports are written from what this returns."""
    _keep_what_is_finished(request, folder)
    began, started = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def note(status: str) -> None:
        folder.write_manifest(manifest(request, status, started, time.monotonic() - began))

    note("running")
    try:
        evaluation.compile_model(request.scenarios[0], progress)
        with Ledger(folder.ledger) as ledger:
            found = tuple(_scenario(request, scenario, ledger, progress) for scenario in request.scenarios)
    except BaseException:
        note("interrupted")
        raise
    note("complete")
    return Results(found, request.nr_seeds, request.setting.kernel, request.setting.weights, request.command)


def _keep_what_is_finished(request: Request, folder: RunFolder) -> None:
    """A finished run may grow, by scenarios, contenders and seeds; nothing of it may go."""
    past = folder.manifest()
    if past.get("status") != "complete":
        return
    try:
        stays = _holds(json.loads(json.dumps(_asked(request))), past)
    except (KeyError, TypeError, AttributeError):  # not as we write them
        stays = False
    if not stays:
        where, command = visible(str(folder.path)), visible(str(past.get("command")))
        raise RunFolderError(
            f"--out: {where}: found a finished run, {command}, wanted a new folder or all of that and more"
        )


def _holds(now: dict[str, Any], past: dict[str, Any]) -> bool:
    """Does what is asked for now hold all that a past run's manifest says was asked for?"""
    return (
        all(scenario in now["scenarios"] for scenario in past["scenarios"])
        and past["contenders"].items() <= now["contenders"].items()
        and past["seeds"]["number"] <= now["seeds"]["number"]
        and all(past[name] == now[name] for name in vars(Setting()))
    )


def _asked(request: Request) -> dict[str, Any]:
    seeds = evaluation_seeds(request.nr_seeds)
    return {
        "scenarios": [scenario.model_dump(mode="json") for scenario in request.scenarios],
        "contenders": {contender.name: contender.identity for contender in request.contenders},
        "seeds": {"first": seeds[0], "number": len(seeds)},
        **vars(request.setting),
    }


def manifest(request: Request, status: str, started: str, wall_s: float) -> dict[str, object]:
    return {
        "kind": "compare",
        "status": status,
        "command": request.command,
        **provenance(),
        **_asked(request),
        "bootstrap": {"seed": BOOTSTRAP_SEED, "resamples": NR_RESAMPLES},
        "started_utc": started,
        "wall_s": round(wall_s, 3),
    }


def _scenario(request: Request, scenario: Scenario, ledger: Ledger, progress: Progress) -> ScenarioResults:
    rows, series = {}, {}
    for contender in request.contenders:
        rows[contender.name], keys = _contender(request, scenario, contender, ledger, progress)
        first = ledger.series(keys[0])
        if first is not None:
            series[contender.name] = first
    metrics = tuple(next(iter(rows.values()))[0].metrics)
    return ScenarioResults(
        name=scenario.name,
        description=scenario.description,
        untold=scenario.untold,
        duration_s=scenario.duration_s,
        workloads=scenario.workload_names,
        cgroups=scenario.cgroup_names,
        metrics=metrics,
        values={
            name: np.array([[row.metrics[m] for m in metrics] for row in found])
            for name, found in rows.items()
        },
        series=series,
    )


def _contender(
    request: Request, scenario: Scenario, contender: Contender, ledger: Ledger, progress: Progress
) -> tuple[list[Row], list[str]]:
    """All rows of a rule, those the ledger lacks computed in batches of seeds."""
    seeds = evaluation_seeds(request.nr_seeds)
    keys = [row_key(scenario, contender, request.setting, seed) for seed in seeds]
    words, steps = f"{scenario.name}: {contender.name}", nr_steps(scenario, request.setting)
    missing = [i for i, key in enumerate(keys) if ledger.row(key) is None]
    progress(words, steps * (len(seeds) - len(missing)))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        episodes = evaluation.evaluate(
            scenario,
            contender,
            [seeds[i] for i in batch],
            request.setting,
            partial(progress, words, len(batch)),
        )
        _store(ledger, scenario, contender, [(keys[i], seeds[i]) for i in batch], episodes)
    found = [ledger.row(key) for key in keys]
    return [row for row in found if row is not None], keys


def _store(
    ledger: Ledger,
    scenario: Scenario,
    contender: Contender,
    keyed_seeds: Sequence[tuple[str, int]],
    episodes: evaluation.Episodes,
) -> None:
    rows = [
        Row(
            key,
            scenario.name,
            contender.name,
            seed,
            {name: float(v[i]) for name, v in episodes.metrics.items()},
        )
        for i, (key, seed) in enumerate(keyed_seeds)
    ]
    ledger.add(rows, {keyed_seeds[0][0]: episodes.series})
