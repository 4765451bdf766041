"""Every boot that was made, whole or failed, beside the rows that were measured of it."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KIND = "kernel"  # of a run folder with boots
SCHEMA = """
CREATE TABLE IF NOT EXISTS boot (
    key TEXT PRIMARY KEY,      -- hash of all that the boot was made of
    scenario TEXT NOT NULL,
    rule TEXT NOT NULL,
    kernel TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    why_failed TEXT,           -- NULL: it is whole
    log TEXT NOT NULL,         -- its console, a file of the run folder
    facts TEXT NOT NULL        -- JSON
);
"""


@dataclass(frozen=True)
class BootRecord:
    key: str
    scenario: str
    rule: str
    kernel: str
    repeat: int
    why_failed: str | None
    log: str
    facts: dict[str, Any]  # scenario, switches, hashes, host load, wall time


class BootLedger:
    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

    def __enter__(self) -> "BootLedger":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, boot: BootRecord) -> None:
        """A key that is there already stays as it is."""
        values = (*list(vars(boot).values())[:-1], json.dumps(boot.facts, allow_nan=False))
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO boot VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def __contains__(self, key: str) -> bool:
        return self._db.execute("SELECT 1 FROM boot WHERE key = ?", (key,)).fetchone() is not None

    def boots(self) -> list[BootRecord]:
        """In the order they were made."""
        rows = self._db.execute("SELECT * FROM boot ORDER BY rowid").fetchall()
        return [BootRecord(*columns, facts=json.loads(facts)) for *columns, facts in rows]
