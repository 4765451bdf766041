"""The finished rows of a run: one SQLite file that a kill leaves whole."""

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .series import Series
from .wording import visible

SCHEMA = """
CREATE TABLE IF NOT EXISTS row (
    key TEXT PRIMARY KEY,      -- hash of all that the numbers depend on
    scenario TEXT NOT NULL,
    rule TEXT NOT NULL,
    seed INTEGER NOT NULL,
    metrics TEXT NOT NULL      -- JSON, null: undefined
);
CREATE TABLE IF NOT EXISTS series (key TEXT PRIMARY KEY, npz BLOB NOT NULL);
"""


@dataclass(frozen=True)
class Row:
    key: str
    scenario: str
    rule: str
    seed: int
    metrics: dict[str, float]  # NaN: undefined


class Ledger:
    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{visible(str(path))}: found {error}, wanted the ledger of a run") from None

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, rows: Iterable[Row], series: dict[str, Series]) -> None:
        """All or nothing; a key that is there already stays as it is."""
        with self._db:
            self._db.executemany(
                "INSERT OR IGNORE INTO row VALUES (?, ?, ?, ?, ?)",
                [(row.key, row.scenario, row.rule, row.seed, _to_json(row.metrics)) for row in rows],
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO series VALUES (?, ?)",
                [(key, one.to_bytes()) for key, one in series.items()],
            )

    def row(self, key: str) -> Row | None:
        found = self._db.execute("SELECT * FROM row WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        stored_key, scenario, rule, seed, metrics = found
        return Row(stored_key, scenario, rule, seed, _from_json(metrics))

    def rows(self) -> Iterator[Row]:
        """All of them, in the order of scenario, rule and seed."""
        for found in self._db.execute("SELECT * FROM row ORDER BY scenario, rule, seed"):
            key, scenario, rule, seed, metrics = found
            yield Row(key, scenario, rule, seed, _from_json(metrics))

    def series(self, key: str) -> Series | None:
        found = self._db.execute("SELECT npz FROM series WHERE key = ?", (key,)).fetchone()
        return None if found is None else Series.from_bytes(found[0])

    def nr_rows(self) -> int:
        return self._db.execute("SELECT count(*) FROM row").fetchone()[0]


def _to_json(metrics: dict[str, float]) -> str:
    found = {name: None if math.isnan(value) else value for name, value in metrics.items()}
    return json.dumps(found, allow_nan=False)  # an infinity is a fault of ours: refuse it


def _from_json(text: str) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in json.loads(text).items()}
