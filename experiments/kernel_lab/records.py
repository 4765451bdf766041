"""Finished runs as small Parquet files: what was run, what it measured, and how it went over time.

Tables and checks are made from these without QEMU. Undefined is null.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reclaim_env.scenario import Scenario, parse

from .. import files
from ..run_folder import RunFolder
from ..wording import visible
from . import measure, outcome
from .boot_ledger import KIND, BootLedger, BootRecord
from .console import Console

if TYPE_CHECKING:
    import pyarrow

RUNS, SERIES = "runs.parquet", "series.parquet"
SERIES_EVERY_S = 1.0  # the samples are closer; a second shows when a node gave up
OF_NODE = (
    *("free_pages", "inactive_file_pages", "active_file_pages", "anon_pages", "kswapd_failures"),
    *("kswapd_state", "kswapd_cpu_ns", "runs", "fruitless", "hopeless_ns", "workingset_refault_file"),
    *("pgscan_kswapd", "pgsteal_kswapd", "pgscan_direct", "pgsteal_direct", "pgscan_memcg", "pgsteal_memcg"),
)


@dataclass(frozen=True)
class Recorded:
    """One boot. Its metrics are the simulator's names and measure.beside()'s; none where it failed."""

    key: str
    scenario_name: str
    rule: str
    kernel: str
    repeat: int
    why_failed: str | None
    release: str | None
    facts: dict[str, Any]
    metrics: dict[str, float]  # NaN: undefined

    @property
    def scenario(self) -> Scenario:
        return parse(self.facts["scenario"], self.scenario_name)


def export(folders: Sequence[Path], out: Path) -> int:
    """Every boot of the run folders, in an order of its own, so that the same boots are the same bytes."""
    found: list[Recorded] = []
    samples: list[dict[str, Any]] = []
    for folder in folders:
        for boot, log in _boots(RunFolder.of_run(folder, KIND)):
            found.append(_recorded(boot, log))
            samples += _thinned(boot.key, log) if log else []
    found.sort(key=lambda one: (one.scenario_name, one.kernel, one.rule, one.repeat, one.key))
    order = {one.key: place for place, one in enumerate(found)}
    samples.sort(key=lambda row: order[row["key"]])
    _write(out / RUNS, [_row(one) for one in found])
    _write(out / SERIES, samples)
    return len(found)


def read(folder: Path) -> list[Recorded]:
    """What export() wrote, in its order."""
    return [_from_row(row) for row in _table(folder / RUNS).to_pylist()]


def read_series(folder: Path) -> "pyarrow.Table":
    """Rows of (key, t_s, nid, ...): the thinned samples of every whole boot."""
    return _table(folder / SERIES)


def from_run_folder(folder: Path) -> list[Recorded]:
    """The same of a run folder that was not exported yet."""
    return [_recorded(boot, log) for boot, log in _boots(RunFolder.of_run(folder, KIND))]


def _boots(folder: RunFolder) -> Iterator[tuple[BootRecord, Console | None]]:
    with BootLedger(folder.ledger) as ledger:
        boots = ledger.boots()
    for boot in boots:
        yield boot, outcome.read_log(folder, boot) if boot.why_failed is None else None


def _recorded(boot: BootRecord, log: Console | None) -> Recorded:
    metrics: dict[str, float] = {}
    release = None
    if log is not None:
        metrics = measure.metrics(log, outcome.scenario_of(boot)) | measure.beside(log)
        release = log.boot["release"] if log.boot else None
    name, why = boot.scenario, boot.why_failed
    return Recorded(boot.key, name, boot.rule, boot.kernel, boot.repeat, why, release, boot.facts, metrics)


def _row(one: Recorded) -> dict[str, Any]:
    """The configuration once in plain columns to filter by, and once whole."""
    host = one.facts["host"]
    defined = {name: None if math.isnan(value) else value for name, value in one.metrics.items()}
    return {
        "key": one.key,
        "scenario": one.scenario_name,
        "rule": one.rule,
        "kernel": one.kernel,
        "repeat": one.repeat,
        "status": "whole" if one.why_failed is None else "failed",
        "why_failed": one.why_failed,
        "release": one.release,
        "free_path_reset": one.facts["free_path_reset"],
        "change": one.facts["build"]["change"],
        "guest": one.facts["guest"],
        "accelerator": one.facts["accelerator"],
        "started_utc": one.facts["started_utc"],
        "wall_s": one.facts["wall_s"],
        **{f"host_{name}": host[name] for name in sorted(host)},
        "facts": json.dumps(one.facts, sort_keys=True, allow_nan=False),
        "metrics": json.dumps(defined, allow_nan=False),
    }


def _from_row(row: dict[str, Any]) -> Recorded:
    metrics = json.loads(row["metrics"])
    return Recorded(
        key=row["key"],
        scenario_name=row["scenario"],
        rule=row["rule"],
        kernel=row["kernel"],
        repeat=row["repeat"],
        why_failed=row["why_failed"],
        release=row["release"],
        facts=json.loads(row["facts"]),
        metrics={name: math.nan if value is None else value for name, value in metrics.items()},
    )


def _thinned(key: str, log: Console) -> Iterator[dict[str, Any]]:
    """The first sample of each second and the last one, node by node."""
    kept = {int(s["t_s"] / SERIES_EVERY_S): s for s in reversed(log.samples)}
    chosen = sorted({s["t_s"]: s for s in (*kept.values(), log.samples[-1])}.items())
    for t_s, sample in chosen:
        resets = {(row["nid"], row["reason"]): row for row in sample["reason"]}
        for node in sample["node"]:
            by_reason = {
                f"{counter}_{reason}": row[counter]
                for (nid, reason), row in resets.items()
                if nid == node["nid"]
                for counter in ("resets", "revivals")
            }
            yield {
                "key": key,
                "t_s": t_s,
                "nid": node["nid"],
                **{name: node[name] for name in OF_NODE},
                **by_reason,
                **{
                    f"{counter}_free_path": node[f"free_path_{counter}"] for counter in ("resets", "revivals")
                },
            }


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), sink, compression="zstd")
    files.write_bytes(path, sink.getvalue().to_pybytes())


def _table(path: Path) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_table(path)
    except (OSError, pyarrow.ArrowException):
        what = "something else" if path.exists() else "nothing there"
        raise ValueError(f"{visible(str(path))}: found {what}, wanted recorded kernel runs") from None
