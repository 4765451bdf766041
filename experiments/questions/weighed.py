"""What `reclaim weights` weighs: rows of a run, or episodes made for it."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from reclaim_env.reward import COST_TERMS
from reclaim_env.scenario import load_all

from ..ceiling import SEARCHES
from ..contender import Contender
from ..evaluate import evaluation_seeds, nr_steps
from ..identity import Setting
from ..ledger import Ledger, Row
from ..run_folder import RunFolder
from ..wording import visible
from .costs import stored_costs_s
from .weighing import Weighing

UNWEIGHTED = "default"  # the preset in which every term counts once
COSTS = tuple(f"cost_{term}_s" for term in COST_TERMS)

Progress = Callable[[str, int], None]


def of_run(path: Path) -> list[Weighing]:
    """One for each scenario or family of a run. Searches, made for one weighting, are left out."""
    folder = RunFolder.of_run(path)
    manifest = folder.manifest()
    if manifest.get("weights") != UNWEIGHTED:
        where, found = visible(str(path)), visible(str(manifest.get("weights")))
        raise ValueError(f"{where}: found cost weights {found}, wanted a run with --weights {UNWEIGHTED}")
    with Ledger(folder.ledger) as ledger:
        rows = [row for row in ledger.rows() if row.rule not in SEARCHES and set(COSTS) <= set(row.metrics)]
    if not rows:
        raise ValueError(f"{visible(str(path))}: found no rows, wanted a run with costs")
    return [_weighing(name, list(of_name)) for name, of_name in groupby(rows, lambda row: row.scenario)]


def _weighing(name: str, rows: Sequence[Row]) -> Weighing:
    """Rules on the seeds that all of them have."""
    by_rule = {rule: list(of_rule) for rule, of_rule in groupby(rows, lambda row: row.rule)}
    common = set.intersection(*({row.seed for row in of_rule} for of_rule in by_rule.values()))
    return Weighing(
        name,
        COST_TERMS,
        {
            rule: np.array([[row.metrics[cost] for cost in COSTS] for row in of_rule if row.seed in common])
            for rule, of_rule in by_rule.items()
        },
    )


def of_scenarios(
    names: Sequence[str],
    contenders: Sequence[Contender],
    nr_seeds: int,
    setting: Setting,
    ledger: Ledger,
    progress: Progress,
) -> list[Weighing]:
    """Episodes of each scenario on the same seeds; of `family/name#0..15`, one of each member."""
    found = []
    for name in names:
        lost_s = {}
        for contender in contenders:
            advance = partial(progress, f"{name}: {contender.name}")
            lost_s[contender.name] = _lost_s(ledger, name, contender, nr_seeds, setting, advance)
        found.append(Weighing(name, COST_TERMS, lost_s))
    return found


def _lost_s(
    ledger: Ledger,
    name: str,
    contender: Contender,
    nr_seeds: int,
    setting: Setting,
    advance: Callable[[int], None],
) -> np.ndarray:
    """(seeds, terms): of one scenario, so many seeds; of several members, the seed each was drawn with."""
    members = load_all([name])
    if len(members) == 1:
        return stored_costs_s(ledger, members, contender, evaluation_seeds(nr_seeds), setting, advance)[0]
    stem = name.partition("#")[0]
    own = [
        stored_costs_s(ledger, [one], contender, [one.seed or 0], setting, advance, stem)[0, 0]
        for one in members
    ]
    return np.stack(own)


def together(weighings: Sequence[Weighing]) -> Weighing:
    """All scenarios weighing alike: seed k of one with seed k of the others."""
    nr_seeds = min(len(lost) for one in weighings for lost in one.lost_s.values())
    common = [rule for rule in weighings[0].rules if all(rule in one.rules for one in weighings)]
    return Weighing(
        f"{len(weighings)} scenarios together",
        COST_TERMS,
        {rule: np.mean([one.lost_s[rule][:nr_seeds] for one in weighings], axis=0) for rule in common},
    )


def nr_env_steps(names: Sequence[str], nr_contenders: int, nr_seeds: int, setting: Setting) -> int:
    steps = 0
    for name in names:
        members = load_all([name])
        nr_episodes = nr_seeds if len(members) == 1 else len(members)
        steps += nr_steps(members[0], setting) * nr_episodes
    return steps * nr_contenders
