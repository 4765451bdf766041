"""The command: a run folder like any other, and a report that says what it does not know."""

import json
from math import nan
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.ledger import Ledger
from experiments.run_folder import RunFolder
from experiments.vmstat import report
from experiments.vmstat.importing import KIND, RULE, Imported, content_hash, run
from experiments.vmstat.snapshots import TRACE_NAME, Recording
from experiments.vmstat.tracepoints import CLEAR, FAIL
from experiments.vmstat.untold import untold
from tests.command import ROOT, reclaim
from tests.vmstat.machine import PRESSURE, recorded, sample, vmstat, zoneinfo


def samples(*, zones: bool = True) -> tuple[str, ...]:
    texts = []
    for second in range(4):
        parts = {
            "vmstat": vmstat(
                pgscan_kswapd=7000 + 100 * second, pgsteal_kswapd=6000 + 25 * second, allocstall_dma32=second
            ),
            "pressure_memory": PRESSURE.format(some=1_500_000 * second, full=0),
        }
        parts |= {"zoneinfo": zoneinfo(refault=30 + second, dead=int(second in (2, 3)))} if zones else {}
        texts.append(sample(f"{100 + second}.00", **parts))
    return tuple(texts)


def imported(path: Path, out: Path) -> Imported:
    recording = Recording(path)
    return run(recording, RunFolder.open(out, KIND), "reclaim import vmstat", lambda words, kib: None)


def folder_with(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "host"
    path.mkdir()
    recorded(path, *samples())
    (path / TRACE_NAME).write_text("\n".join(("cpus=2", *lines)) + "\n")
    return path


TRACE = (
    f"  kswapd1-7 [000] 101.250000: {FAIL}: nid=1 failures=16",
    f"  x-9 [000] 100.500000: {CLEAR}: nid=0 reason=DIRECT",
)


def test_metrics_by_hand(tmp_path):
    found = imported(folder_with(tmp_path, *TRACE), tmp_path / "run").measured.metrics
    assert found["pgscan_kswapd"] == 300 and found["pgsteal_kswapd"] == 75
    assert found["efficiency_kswapd"] == 0.25
    assert found["allocstall"] == 3
    assert found["node0/workingset_refault_file"] == 3 and found["node1/workingset_refault_file"] == 0
    assert found["pressure/memory_some_s"] == 4.5
    assert found["vmstat/a_name_of_2031"] == 0
    assert found["resets"] == 1 and found["kswapd_fruitless_runs"] == 1
    assert found["hopeless_s"] == found["node1/hopeless_s"] == 1.75
    assert found["node1/first_hopeless_s"] == 1.25 and found["node1/kswapd_failures_at_end"] == 16


def test_the_ledger_holds_the_row_with_null_for_what_is_not_known(tmp_path):
    path = recorded(tmp_path, *samples())
    one = imported(path, tmp_path / "run")
    imported(path, tmp_path / "run")  # once more into the same folder: the same row
    with Ledger(tmp_path / "run" / "ledger.sqlite") as ledger:
        assert ledger.nr_rows() == 1
        row, series = (take(content_hash(Recording(path))) for take in (ledger.row, ledger.series))
    assert row is not None and series is not None
    assert (row.scenario, row.rule, row.seed) == ("machine", RULE, 0)
    assert row.metrics == pytest.approx(one.measured.metrics, nan_ok=True)
    assert series.free_pages.tolist() == [[870, 900]] * 4
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (manifest["kind"], manifest["status"]) == (KIND, "complete")
    assert str(tmp_path) not in json.dumps(manifest)


def test_a_report_is_80_columns_wide_and_says_what_it_does_not_know(tmp_path):
    text = report.render_text(imported(recorded(tmp_path, *samples()), tmp_path / "run"))
    assert max(map(len, text.splitlines())) <= 80
    said = " ".join(text.split())
    assert "4 samples in 3 s, 2 nodes" in said and "Not there: trace.txt." in said
    assert "direct reclaim was entered 3 times" in said and "memory some 4.50 s" in said
    assert "node 1: hopeless from 2.00 s, 2.00 s in all" in said
    unknown = said.partition("What these files cannot tell")[2]
    assert all(name in unknown for name in ("kswapd_cpu_s", "resets_free_path", "stall_s", "pgrefill"))
    assert "pgsteal_kswapd," in unknown  # known for the machine, and here not for a node
    assert "efficiency_direct" in unknown and "allocstall" in unknown


def test_an_efficiency_where_nothing_was_scanned_is_no_secret():
    known = {"pgscan_kswapd": 0.0, "efficiency_kswapd": nan, "pgscan_direct": nan, "efficiency_direct": nan}
    assert [names for _, names in untold(known, has_trace=True)] == [["pgscan_direct", "efficiency_direct"]]


def test_a_page_has_a_picture_and_loads_nothing(tmp_path):
    page = report.render_html(imported(folder_with(tmp_path, *TRACE), tmp_path / "run"))
    assert page.count("<svg") == 1 and "<h1>host</h1>" in page
    assert "http" not in page.replace("Content-Security-Policy", "").replace("http-equiv", "")
    assert "nan" not in page.partition("<svg")[2].partition("</svg>")[0]


def test_without_zoneinfo_there_are_no_nodes_and_no_picture(tmp_path):
    found = imported(recorded(tmp_path, *samples(zones=False)), tmp_path / "run")
    assert found.measured.series is None and found.measured.metrics["pgscan_kswapd"] == 300
    assert "<svg" not in report.render_html(found)
    assert "Not there: zoneinfo, trace.txt." in report.render_text(found)


def test_names_of_strangers_cannot_break_a_page(tmp_path):
    texts = [
        text.replace("a_name_of_2031", "<b>\x07").replace("<b>\x07 9", f"<b>\x07 {i}")
        for i, text in enumerate(samples())
    ]
    found = imported(recorded(tmp_path, *texts), tmp_path / "run")
    assert "<b>" not in report.render_html(found) and "\x07" not in report.render_text(found)


def test_a_trace_by_another_clock_or_of_another_machine_is_refused(tmp_path):
    path = folder_with(tmp_path, f"x-1 [000] 5.000000: {FAIL}: nid=0 failures=1")
    with pytest.raises(
        ValueError, match=r"trace.txt: line 2: time: found 5.0 s .*, wanted one between 100.00 and"
    ):
        imported(path, tmp_path / "run")
    (path / TRACE_NAME).write_text(f"x-1 [000] 101.000000: {FAIL}: nid=4 failures=1\n")
    with pytest.raises(ValueError, match="line 1: nid: found 4, wanted a node of zoneinfo: 0, 1"):
        imported(path, tmp_path / "run")


def test_a_trace_that_disagrees_with_zoneinfo_is_said(tmp_path):
    lines = (*TRACE[1:], "CPU:0 [3 EVENTS DROPPED]", f"x-1 [000] 101.000000: {FAIL}: nid=1 failures=2")
    notes = " ".join(imported(folder_with(tmp_path, *lines), tmp_path / "run").notes)
    assert "dropped events" in notes and "In 2 samples of a node" in notes


def test_undefined_is_no_point_in_tensorboard(tmp_path):
    path = recorded(tmp_path, *samples())
    done = reclaim("import", "vmstat", path.name, "--out", "run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    events = EventAccumulator(str(tmp_path / "run" / "tb" / "machine" / RULE), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()["scalars"]
    assert "reclaim/pgscan_kswapd" in tags and "reclaim/first_seed/free_pages/node1" in tags
    assert "reclaim/kswapd_cpu_s" not in tags and "reclaim/first_seed/kswapd_cpu/node0" not in tags
    assert (tmp_path / "run" / "report.txt").read_text() == done.stdout


def test_a_mistake_is_one_line_and_2(tmp_path):
    path = recorded(tmp_path, *samples(), *samples())
    done = reclaim("import", "vmstat", path.name, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("reclaim: machine.txt: line ")


def test_an_exported_episode_is_imported_by_the_commands(tmp_path):
    scenario = str(ROOT / "tests" / "scenarios" / "inert.toml")
    flags = ("--scenario", scenario, "--rule", "always", "--every-ms", "1000", "--out", "episode")
    assert reclaim("export", "vmstat", *flags, folder=tmp_path).returncode == 0
    done = reclaim("import", "vmstat", "episode", folder=tmp_path)
    assert done.returncode == 0 and "11 samples in 10 s" in done.stdout
