"""A finished evaluation as one small Parquet file: a row for each episode, from which the page is made."""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from .. import files
from ..ceiling import CLEARING, ORACLE, SEARCHES, UNSEEING
from ..complete import refuse_incomplete
from ..identity import Setting
from ..ledger import Ledger, Row
from ..results import BASELINES
from ..run_folder import RunFolder
from ..wording import visible
from .frame import SHOWN, FamilyCosts, Frame, of_rows
from .request import REFERENCE_SEEDS

METRICS = ("cost_s", *SHOWN, "bound_s", "is_exact")
KEPT = (
    "command",
    "commit",
    "source_hash",
    "families_hash",
    "contenders",
    "seeds",
    "oracle",
    *vars(Setting()),
)


def export(folder: Path, path: Path) -> int:
    """Writes the rows of a run folder, in an order of their own; returns how many."""
    import pyarrow
    from pyarrow import parquet

    kept, rows = _of_run(folder)
    table = pyarrow.Table.from_pylist(rows)
    table = table.replace_schema_metadata({"run": json.dumps(kept)})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    files.write_bytes(path, sink.getvalue().to_pybytes())
    return len(rows)


def read(path: Path) -> Frame:
    """What export() wrote, as the run itself returned it."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException):
        found = "something else" if path.exists() else "nothing there"
        raise ValueError(f"{visible(str(path))}: found {found}, wanted the rows of an evaluation") from None
    return _frame(json.loads((table.schema.metadata or {})[b"run"]), table.to_pylist())


def frame_of_run(folder: Path) -> Frame:
    """The same, of a run folder."""
    return _frame(*_of_run(folder))


def _of_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is kept of its manifest, and its rows."""
    manifest = RunFolder(folder).manifest()
    with Ledger(RunFolder(folder).ledger) as ledger:
        rows = list(ledger.rows())
    refuse_incomplete(folder, manifest, rows)
    return {name: manifest[name] for name in KEPT}, [_flat(row) for row in rows]


def _frame(kept: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Frame:
    by_stem = groupby(rows, lambda row: row["family"])
    return Frame(
        {stem: _family(of_stem, kept) for stem, of_stem in by_stem},
        kept["seeds"]["number"],
        Setting(kept["kernel"], kept["weights"], kept["control_ms"]),
        kept["command"],
        kept["families_hash"],
    )


def _flat(row: Row) -> dict[str, Any]:
    found = {name: row.metrics.get(name) for name in METRICS}
    return {"family": row.scenario, "rule": row.rule, "seed": row.seed, **found}


def _family(flat: Iterable[dict[str, Any]], kept: dict[str, Any]) -> FamilyCosts:
    seeds = range(kept["seeds"]["first"], kept["seeds"]["first"] + kept["seeds"]["number"])
    asked: dict[str, list[Row]] = {name: [] for name in kept["contenders"]}
    reference: dict[str, list[Row]] = {name: [] for name in BASELINES}
    searched: dict[str, list[Row]] = {name: [] for name in SEARCHES}
    for one in flat:
        row = Row("", one["family"], one["rule"], one["seed"], {name: one[name] for name in METRICS})
        if row.rule in searched:
            searched[row.rule].append(row)
        elif row.seed in REFERENCE_SEEDS and row.rule in reference:
            reference[row.rule].append(row)
        elif row.seed in seeds and row.rule in asked:
            asked[row.rule].append(row)
    searched[ORACLE] = searched[ORACLE][: kept["oracle"]["seeds"]]
    return of_rows(asked, reference, searched[ORACLE], searched[UNSEEING], searched[CLEARING])
