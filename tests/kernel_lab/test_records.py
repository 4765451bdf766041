import json
import sys
from dataclasses import asdict

import pytest

from experiments import cli
from experiments.kernel_lab import records
from experiments.run_folder import RunFolder
from tests.kernel_lab.lab import stand_in
from tests.kernel_lab.test_run import SAYS, made

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder with two whole boots and a failed one."""
    path = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, path, SAYS)
        made(path / "run", rules=["never", "always"], repeats=1)
        stand_in(patch, path, "exit 1")
        made(path / "run", rules=["no_memcg"], repeats=1)
    return path / "run"


def comparable(found: list[records.Recorded]) -> list[str]:
    """As text, because NaN is not equal to itself."""
    return [json.dumps(asdict(one), sort_keys=True) for one in found]


def test_what_was_exported_comes_back_whole(folder, tmp_path):
    assert records.export([folder], tmp_path) == 3
    found = records.read(tmp_path)
    assert [one.rule for one in found] == ["always", "never", "no_memcg"]
    by_rule = sorted(records.from_run_folder(folder), key=lambda one: one.rule)
    assert comparable(found) == comparable(by_rule)
    assert found[0].scenario.name == "futile_revival_few"
    assert found[0].release == "6.12.117-reclaim-lab"
    assert found[2].why_failed == "QEMU ended with 1: the guest never reached t = 0; last line: none"
    assert not found[2].metrics


def test_the_comparison_finds_what_it_asks_for(folder):
    metrics = records.from_run_folder(folder)[0].metrics
    for name in (
        "managed_pages",
        "free_pages_at_start",
        "free_mib_at_end",
        "file_mib_at_end",
        "passes_kswapd",
    ):
        assert metrics[f"node0/{name}"] > 0
    assert metrics["disk_reads"] > 0


def test_the_same_boots_are_the_same_bytes(folder, tmp_path):
    records.export([folder], tmp_path / "a")
    records.export([folder], tmp_path / "b")
    for name in (records.RUNS, records.SERIES):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_series_keeps_the_last_sample_of_every_node(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SERIES_EVERY_S", 10.0)
    records.export([folder], tmp_path)
    rows = records.read_series(tmp_path).to_pylist()
    keys = {row["key"] for row in rows}
    assert len(keys) == 2
    for key in keys:
        ends = [row for row in rows if row["key"] == key and row["nid"] == 0]
        assert ends == sorted(ends, key=lambda row: row["t_s"])
        assert ends[-1]["t_s"] > 28 and ends[-1]["revivals_memcg_high"] > 0


def test_what_is_no_record_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="found no run, wanted one of kernel"):
        records.export([tmp_path], tmp_path / "out")
    with pytest.raises(ValueError, match="found nothing there"):
        records.read(tmp_path)
    (tmp_path / records.RUNS).write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="found something else, wanted recorded kernel runs"):
        records.read(tmp_path)


@pytest.mark.parametrize("command", [["export", "--out", "recorded"], ["report"]])
def test_the_folder_of_another_run_is_refused_and_left_as_it_is(tmp_path, monkeypatch, capsys, command):
    other = RunFolder.open(tmp_path / "run")
    other.write_manifest({"kind": "compare"})
    other.ledger.touch()
    other.write_reports("mine", "mine")
    before = {path: path.read_bytes() for path in other.path.iterdir()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["reclaim", "kernel", *command, "run"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "reclaim: run: found a run of compare, wanted one of kernel\n"
    assert {path: path.read_bytes() for path in other.path.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
