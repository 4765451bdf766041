import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import files
from experiments.ledger import Ledger, Row
from experiments.series import Series
from tests.experiments.frame import episode

ROOT = Path(__file__).parents[2]

# Says a number once the ledger has acknowledged it, for ever.
WRITER = """
import sys
from pathlib import Path
from experiments.ledger import Ledger, Row
with Ledger(Path(sys.argv[1])) as ledger:
    first = ledger.nr_rows()
    for i in range(first, first + 100_000):
        ledger.add([Row(str(i), "s", "r", i, {"x": float(i)})], {})
        print(i, flush=True)
"""


def test_what_was_added_comes_back_with_undefined_still_undefined(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.add([Row("k", "made_up", "always", 3, {"a": 1.5, "b": math.nan})], {"k": episode("always", 5)})
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        row, series = ledger.row("k"), ledger.series("k")
        assert row is not None
        assert series is not None
        assert (row.seed, row.metrics["a"]) == (3, 1.5)
        assert math.isnan(row.metrics["b"])
        np.testing.assert_array_equal(series.resets, episode("always", 5).resets)
        assert ledger.row("other") is None and ledger.series("other") is None


def test_a_row_that_is_there_is_not_written_again(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.add([Row("k", "s", "r", 0, {"a": 1.0})], {})
        ledger.add([Row("k", "s", "r", 0, {"a": 2.0})], {})
        row = ledger.row("k")
        assert row is not None
        assert (row.metrics, ledger.nr_rows()) == ({"a": 1.0}, 1)


def test_a_kill_in_the_middle_loses_no_acknowledged_row(tmp_path):
    path, acknowledged = tmp_path / "ledger.sqlite", -1
    for kill in range(5):
        said = tmp_path / f"said{kill}"
        with said.open("w") as out:
            writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=out, cwd=ROOT)
            while not said.read_text().endswith("\n"):
                time.sleep(0.005)
            time.sleep(0.01 * kill)
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        acknowledged = int(said.read_text().splitlines()[-1])
        database = sqlite3.connect(path)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM row").fetchone()[0] > acknowledged
        database.close()


def test_a_series_survives_its_bytes():
    series = episode("balanced", 20)
    again = Series.from_bytes(series.to_bytes())
    for name, values in vars(series).items():
        np.testing.assert_array_equal(values, getattr(again, name))


def test_a_series_of_a_machine_that_tells_less_is_read_too():
    less = replace(episode("balanced", 20), pswpout=None, pressure_s=None)
    again = Series.from_bytes(less.to_bytes())
    assert again.pswpout is None and again.mib_per_s("pswpout").sum() == 0
    assert again.pressure_ratio("memory_full").sum() == 0


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "report.txt"
    files.write_text(path, "old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    try:
        files.write_text(path, "new")
    except OSError as error:
        assert error.errno == 28
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_ledger_is_one_line(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database, and longer than a header of one" * 10)
    with pytest.raises(ValueError, match="wanted the ledger of a run"):
        Ledger(path)
