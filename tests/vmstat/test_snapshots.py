"""One file of many samples, folders of one, and what may be missing or cut."""

import pytest

from experiments.vmstat.measuring import measure
from experiments.vmstat.snapshots import Recording
from tests.vmstat.machine import PRESSURE, recorded, sample, vmstat, zoneinfo

WHOLE = {"vmstat": vmstat(), "zoneinfo": zoneinfo(), "pressure_memory": PRESSURE.format(some=5, full=0)}


def read(path):
    recording = Recording(path)
    return list(recording.samples()), recording


def test_a_file_and_a_folder_of_copies_are_the_same_recording(tmp_path):
    one = recorded(tmp_path, sample("10.00", **WHOLE), sample("9000.50", **WHOLE))
    copies = tmp_path / "copies"
    for name, uptime in (("a", "9000.50"), ("b", "10.00")):
        for file, text in (("uptime", f"{uptime} 1.0\n"), *WHOLE.items()):
            target = copies / name / "proc" / file.replace("_", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    first, second = read(one)[0], read(copies)[0]
    assert [s.time_ns for s in first] == [10_000_000_000, 9_000_500_000_000] == [s.time_ns for s in second]
    for a, b in zip(first, second, strict=True):
        assert {n: r.value for n, r in a.vmstat.items()} == {n: r.value for n, r in b.vmstat.items()}
        assert a.nodes.keys() == b.nodes.keys() and a.pressure.keys() == b.pressure.keys()


def test_a_folder_of_files_is_read_in_the_order_of_its_clock(tmp_path):
    (tmp_path / "a.txt").write_text(sample("300.00", **WHOLE))
    (tmp_path / "b.txt").write_text(sample("100.00", **WHOLE) + "\n" + sample("200.00", **WHOLE))
    assert [s.time_ns // 10**9 for s in read(tmp_path)[0]] == [100, 200, 300]


def test_files_of_no_interest_are_passed_over(tmp_path):
    texts = {**WHOLE, "meminfo": "MemTotal: 5 kB\n", "pressure_irq": "full avg10=0.00 total=3\n"}
    samples, _ = read(recorded(tmp_path, sample("1.00", **texts), sample("2.00", **texts)))
    assert samples[0].files == {"uptime", "vmstat", "zoneinfo", "pressure/memory", "pressure/irq"}
    assert samples[0].pressure["irq_full"].value == 3


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.8, 0.97])
def test_a_last_sample_that_was_cut_is_left_out_and_said(tmp_path, kept):
    last = sample("3.00", **WHOLE)
    path = recorded(tmp_path, sample("1.00", **WHOLE), sample("2.00", **WHOLE), last[: int(len(last) * kept)])
    samples, recording = read(path)
    assert len(samples) == 2
    assert "not whole" in recording.notes[0]


def test_a_last_sample_cut_at_the_end_of_a_line_is_left_out(tmp_path):
    last = {**WHOLE, "zoneinfo": zoneinfo().partition("Node 1")[0]}
    path = recorded(tmp_path, sample("1.00", **WHOLE), sample("2.00", **WHOLE), sample("3.00", **last))
    assert len(read(path)[0]) == 2


WITHOUT_ZONEINFO = {"vmstat": vmstat(), "pressure_memory": WHOLE["pressure_memory"]}


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (
            (sample("5.00", **WHOLE), sample("4.99", **WHOLE)),
            "found 4.99 s after 5.00 s, wanted a later time",
        ),
        (
            (sample("5.00", **WHOLE), sample("5.00", **WHOLE)),
            "found 5.00 s after 5.00 s, wanted a later time",
        ),
        (
            (sample("1.00", **WHOLE), sample("2.00", **WITHOUT_ZONEINFO), sample("3.00", **WHOLE)),
            r"line \d+: found no /proc/zoneinfo, wanted it in every sample",
        ),
        (("==> /proc/vmstat <==\npgfree 1\n",), "line 2: found vmstat, wanted /proc/uptime"),
        (("pgfree 1\n",), "line 1: found 'pgfree 1', wanted `==> /proc/uptime <==` first"),
        (("==> /proc/uptime <==\n" + "9" * 5000,), "line 2: found a longer line, wanted at most 4095"),
        (
            (sample("5.00", vmstat="", zoneinfo="").replace("zoneinfo", "uptime"),),
            "the only sample, wanted 2",
        ),
        ((sample("1.00", **WHOLE),), "line 2: found the only sample, wanted 2 or more"),
        (
            (sample("1.00", **WHOLE), sample("2.00", **{**WHOLE, "vmstat": vmstat(pgsteal_kswapd=5)})),
            r"line \d+: pgsteal_kswapd: found 5 after 6000, wanted a counter that never falls",
        ),
        (
            (sample("1.00", **WHOLE), sample("2.00", **{**WHOLE, "zoneinfo": zoneinfo(hit=1)})),
            r"line \d+: numa_hit: found 51 after 100, wanted a counter that never falls",
        ),
        (
            (
                sample("1.00", **WHOLE),
                sample("2.00", **{**WHOLE, "pressure_memory": PRESSURE.format(some=1, full=0)}),
            ),
            "memory_some: found 1 after 5, wanted a counter that never falls",
        ),
    ],
)
def test_a_recording_that_cannot_be_one_is_told_by_file_line_found_and_wanted(tmp_path, samples, says):
    path = recorded(tmp_path, *samples)
    with pytest.raises(ValueError, match=says) as refused:
        measure(Recording(path).samples(), None)
    assert "machine.txt" in str(refused.value) and "\n" not in str(refused.value)


def test_no_file_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="found no such file"):
        Recording(tmp_path / "none")
    with pytest.raises(ValueError, match="found an empty folder"):
        Recording(tmp_path)
