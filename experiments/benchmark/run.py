"""Fills the ledger: every contender, and the oracle if asked, on every member; finished rows are kept."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from reclaim_env.families import frozen
from reclaim_env.reset_rules import RULES

from .. import evaluate as evaluation
from ..ceiling import CLEARING, ORACLE, RULES_OF_SEARCH, UNSEEING, oracle_metrics, unseeing_metrics
from ..contender import Contender, of_rule
from ..identity import provenance, row_key, usable_cpus
from ..ledger import Ledger, Row
from ..results import BASELINES
from ..run_folder import RunFolder
from ..stats import BOOTSTRAP_SEED, NR_RESAMPLES
from .frame import FamilyCosts, Frame, of_rows
from .request import REFERENCE_SEEDS, Case, Request

BATCH = 32  # members that run together; an interruption loses at most so many
# At most, of a family that the oracle leaves open: tens of seconds each, and a few seconds.
NR_UNSEEING_SEEDS = 8
NR_CLEARING_SEEDS = 32
Measured = TypeVar("Measured")
Progress = Callable[[str, int], None]  # what is under way, env steps done since the last call


def run(request: Request, folder: RunFolder, progress: Progress = lambda words, steps: None) -> Frame:
    """Every family's costs as a frame."""
    found = each_family(request, folder, family_costs, progress)
    return Frame(found, request.nr_seeds, request.setting, request.command, frozen.stored())


def each_family(
    request: Request,
    folder: RunFolder,
    measure: Callable[[Request, Case, Ledger, Progress], Measured],
    progress: Progress,
) -> dict[str, Measured]:
    """Stem -> what `measure` finds; the folder's manifest says what was asked and what became of it."""
    began, started = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def note(status: str) -> None:
        folder.write_manifest(manifest(request, status, started, time.monotonic() - began))

    note("running")
    try:
        evaluation.compile_model(request.cases[0].member(0), progress)
        with Ledger(folder.ledger) as ledger:
            found = {case.stem: measure(request, case, ledger, progress) for case in request.cases}
    except BaseException:
        note("interrupted")
        raise
    note("complete")
    return found


def manifest(request: Request, status: str, started: str, wall_s: float) -> dict[str, object]:
    return {
        "kind": request.kind,
        "status": status,
        "command": request.command,
        **provenance(),
        "families_hash": frozen.stored(),
        "families": [case.stem for case in request.cases],
        "contenders": {contender.name: contender.identity for contender in request.contenders},
        "seeds": {"first": request.seeds[0], "number": request.nr_seeds},
        "oracle": {"seeds": request.nr_oracle_seeds, "budget_episodes": request.budget_episodes},
        "bootstrap": {"seed": BOOTSTRAP_SEED, "resamples": NR_RESAMPLES},
        **vars(request.setting),
        "started_utc": started,
        "wall_s": round(wall_s, 3),
    }


def family_costs(request: Request, case: Case, ledger: Ledger, progress: Progress) -> FamilyCosts:
    """All rows of a family, those the ledger lacks computed; its scale is of seeds of its own."""
    rows = {
        contender.name: _rows(request, case, contender, request.seeds, ledger, progress)
        for contender in request.contenders
    }
    reference = {
        name: _rows(request, case, of_rule(name), REFERENCE_SEEDS, ledger, progress) for name in BASELINES
    }
    if not request.nr_oracle_seeds:
        return of_rows(rows, reference)
    searched = _oracle_rows(request, case, rows, ledger, progress)
    found = of_rows(rows, reference, searched)
    if not found.is_open:
        return found
    unseeing = _unseeing_rows(
        request, case, UNSEEING, min(request.nr_oracle_seeds, NR_UNSEEING_SEEDS), ledger, progress
    )
    clearing = _unseeing_rows(request, case, CLEARING, NR_CLEARING_SEEDS, ledger, progress)
    return of_rows(rows, reference, searched, unseeing, clearing)


def _rows(
    request: Request,
    case: Case,
    contender: Contender,
    seeds: Sequence[int],
    ledger: Ledger,
    progress: Progress,
) -> list[Row]:
    """All rows of a rule or agent, those the ledger lacks computed in batches of members."""
    members = {seed: case.member(seed) for seed in seeds}
    keys = {seed: row_key(one, contender, request.setting, seed) for seed, one in members.items()}
    words = f"{case.stem}: {contender.name}"
    missing = [seed for seed, key in keys.items() if ledger.row(key) is None]
    progress(words, evaluation.nr_steps(members[seeds[0]], request.setting) * (len(seeds) - len(missing)))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        found = evaluation.evaluate_each(
            [members[seed] for seed in batch],
            contender,
            batch,
            request.setting,
            partial(progress, words, len(batch)),
        )
        rows = [
            Row(keys[seed], case.stem, contender.name, seed, {m: float(v[i]) for m, v in found.items()})
            for i, seed in enumerate(batch)
        ]
        ledger.add(rows, {})
    return [row for key in keys.values() if (row := ledger.row(key)) is not None]


def _oracle_rows(
    request: Request, case: Case, rules: Mapping[str, Sequence[Row]], ledger: Ledger, progress: Progress
) -> list[Row]:
    """Searches told what the rules cost on their seed."""
    plan = Contender(ORACLE, f"search of {request.budget_episodes:g} episodes over {', '.join(RULES)}")
    cost_s = {(row.rule, row.seed): row.metrics["cost_s"] for rows in rules.values() for row in rows}

    def search(seed: int) -> dict[str, float]:
        known_s = {rule: cost_s[rule, seed] for rule in rules if rule in RULES}
        return oracle_metrics(case.member(seed), request.setting, request.budget_episodes, seed, known_s)

    seeds = request.seeds[: request.nr_oracle_seeds]
    return _searched(request, case, plan, seeds, search, ledger, progress)


def _unseeing_rows(
    request: Request, case: Case, name: str, nr_seeds: int, ledger: Ledger, progress: Progress
) -> list[Row]:
    player = Contender(name, f"futures drawn anew, {', '.join(RULES_OF_SEARCH[name])}")

    def search(seed: int) -> dict[str, float]:
        return unseeing_metrics(name, case.member(seed), request.setting, seed)

    return _searched(request, case, player, request.seeds[:nr_seeds], search, ledger, progress)


def _searched(
    request: Request,
    case: Case,
    searcher: Contender,
    seeds: Sequence[int],
    search: Callable[[int], dict[str, float]],
    ledger: Ledger,
    progress: Progress,
) -> list[Row]:
    """One search for each seed that the ledger lacks, as many at a time as there are CPUs."""
    name = searcher.name
    keys = {seed: row_key(case.member(seed), searcher, request.setting, seed) for seed in seeds}
    missing = [seed for seed, key in keys.items() if ledger.row(key) is None]
    with ThreadPoolExecutor(usable_cpus(), thread_name_prefix=name) as pool:
        for nr_done, (seed, metrics) in enumerate(zip(missing, pool.map(search, missing), strict=True), 1):
            ledger.add([Row(keys[seed], case.stem, name, seed, metrics)], {})
            progress(f"{case.stem}: {name}, {nr_done} of {len(missing)} seeds", 0)
    return [row for key in keys.values() if (row := ledger.row(key)) is not None]
