"""From a recording to a run folder: a row of the ledger and, where there are nodes, their series."""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ..identity import commit, machine, versions
from ..ledger import Ledger, Row
from ..results import ScenarioResults
from ..run_folder import RunFolder
from ..wording import slug
from .measuring import Measured, measure
from .snapshots import TRACE_NAME, Progress, Recording
from .tracepoints import Trace, read_trace

KIND = "import"
RULE = "imported"  # no file tells which rule that kernel follows
SEED = 0
SOURCES = (*sorted(Path(__file__).parent.glob("*.py")), Path(__file__).parent.parent / "metrics.py")


@dataclass(frozen=True)
class Imported:
    """One machine, as the report shows it."""

    measured: Measured
    found: ScenarioResults
    files: tuple[str, ...]  # that a sample has, and the trace
    notes: tuple[str, ...]
    command: str


def run(recording: Recording, folder: RunFolder, command: str, progress: Progress) -> Imported:
    """Fills the folder's ledger and manifest; the reports are written from what this returns."""
    began, started = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    digest = content_hash(recording)

    def note(status: str) -> None:
        folder.write_manifest(
            {
                "kind": KIND,
                "status": status,
                "command": command,
                "commit": commit(),
                "versions": versions(),
                "machine": machine(),
                "content_hash": digest,
                "started_utc": started,
                "wall_s": round(time.monotonic() - began, 3),
            }
        )

    note("running")
    try:
        trace = None if recording.trace is None else read_trace(recording.trace)
        measured = measure(recording.samples(progress), trace)
        imported = _imported(recording, measured, trace, command)
        _store(folder, imported, digest)
    except BaseException:
        note("interrupted")
        raise
    note("complete")
    return imported


def content_hash(recording: Recording) -> str:
    """Of every byte that is read and of the code that reads it."""
    digest = hashlib.sha256()
    for path in (*recording.files(), *SOURCES):
        with open(path, "rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]


def _imported(recording: Recording, measured: Measured, trace: Trace | None, command: str) -> Imported:
    name = slug(recording.path.resolve().stem)
    notes = list(recording.notes)
    if trace is not None and trace.lossy:
        notes.append("The tracer dropped events: counts and times from the trace are too low.")
    if measured.nr_disagreements:
        notes.append(
            f"In {measured.nr_disagreements} samples of a node the trace and node_unreclaimable disagree: "
            "events were lost, or the trace's clock is not that of /proc/uptime (trace-cmd record -C boot)."
        )
    found = ScenarioResults(
        name=name,
        description=f"{measured.nr_samples} samples of a machine.",
        duration_s=measured.duration_s,
        workloads=(),
        cgroups=(),
        metrics=tuple(measured.metrics),
        values={RULE: np.array([list(measured.metrics.values())])},
        series={} if measured.series is None else {RULE: measured.series},
    )
    names = sorted(measured.files - {"uptime"}) + ([] if trace is None else [TRACE_NAME])
    return Imported(measured, found, tuple(names), tuple(notes), command)


def _store(folder: RunFolder, imported: Imported, key: str) -> None:
    row = Row(key, imported.found.name, RULE, SEED, imported.measured.metrics)
    series = imported.measured.series
    with Ledger(folder.ledger) as ledger:
        ledger.add([row], {} if series is None else {key: series})
