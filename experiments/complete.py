"""Whether a run's ledger holds what its manifest says: nothing missing, and nothing twice."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .benchmark.request import REFERENCE_SEEDS
from .ceiling import ORACLE, RULES_OF_SEARCH
from .ledger import Row
from .results import BASELINES
from .wording import visible


def refuse_incomplete(run: Path, manifest: Mapping[str, Any], rows: Iterable[Row]) -> None:
    """A ValueError names the first episode of a compare or evaluate that has not just one row.

    None: somebody took it out. Two: the run was gone on with after the model, or an agent, had changed.
    Rows of more seeds or contenders than were asked for at last may be there.
    """
    found = Counter((row.scenario, row.rule, row.seed) for row in rows)
    for scenario, rule, seed in (*_wanted(manifest), *(one for one in found if one[1] in RULES_OF_SEARCH)):
        if (number := found[scenario, rule, seed]) != 1:
            place = visible(f"{run}: {scenario}, {rule}, seed {seed}")
            raise ValueError(f"{place}: found {number or 'no'} rows, wanted one: a whole run of one model")


def _wanted(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Scenario, rule and seed of every episode asked for."""
    first, number = manifest["seeds"]["first"], manifest["seeds"]["number"]
    seeds = range(first, first + number)
    of_families = manifest["kind"] == "evaluate"
    for scenario in manifest["families"] if of_families else [one["name"] for one in manifest["scenarios"]]:
        yield from ((scenario, rule, seed) for rule in manifest["contenders"] for seed in seeds)
        if of_families:
            yield from ((scenario, rule, seed) for rule in BASELINES for seed in REFERENCE_SEEDS)
            yield from ((scenario, ORACLE, seed) for seed in seeds[: manifest["oracle"]["seeds"]])
