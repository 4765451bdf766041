"""A host as a scenario: what its files say arrives, what they do not say is assumed, nobody is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments import cli
from experiments.capture.capture import capture
from experiments.capture.host import read_host
from experiments.reporting.tables import scenario_lines
from reclaim_env.scenario import Scenario, load
from reclaim_env.scenario.paths import value_at
from reclaim_env.units import pages_from_mib
from tests.capture.trees import NODE_KIB, SECRETS, cgroup_v2, host, node, v1, v2, vmstat, write
from tests.experiments.frame import made_up


def captured(root: Path, tmp_path: Path, interval_s: float = 0, **arguments) -> tuple[Scenario, str]:
    out = tmp_path / "mine.toml"
    capture(out, interval_s, root, **arguments)
    return load(out), out.read_text()


def grown(root: Path, **growth: int):
    """Instead of a sleep: ten seconds pass."""
    return lambda seconds: vmstat(root, 110.0, **growth)


@pytest.mark.parametrize("nr_nodes", [1, 2])
@pytest.mark.parametrize("cgroups", [None, v2, v1])
def test_nodes_are_those_of_the_host_to_the_page(tmp_path, nr_nodes, cgroups):
    root = host(tmp_path / "root", nr_nodes)
    if cgroups:
        cgroups(root)
    scenario, _ = captured(root, tmp_path)
    assert scenario.managed_pages == (1_048_576,) * nr_nodes
    assert scenario.free_pages == (65_536,) * nr_nodes
    assert [one.slab_mib for one in scenario.node] == [80] * nr_nodes
    for nid in range(nr_nodes):
        assert sum(pages_from_mib(one.initial_mib[nid]) for one in scenario.anon) == 393_216
        files = [file for one in scenario.reader for file in one.file]
        assert sum(pages_from_mib(one.active_mib[nid]) for one in files) == 102_400
        assert sum(pages_from_mib(one.inactive_mib[nid]) for one in files) == 153_600
    assert scenario.watermark_scale_factor == 150 and scenario.watermark_boost_factor == 0
    assert scenario.min_free_kib == 65_536 and scenario.thp
    distances = [[10, 21], [21, 10]] if nr_nodes == 2 else [None]
    assert [one.distance and list(one.distance) for one in scenario.node] == distances


def test_a_hopeless_node_is_so_in_the_scenario(tmp_path):
    scenario, _ = captured(host(tmp_path / "root", 2, dead=(1,)), tmp_path)
    assert [one.node for one in scenario.hopeless] == [1]


def test_of_nested_cgroups_of_version_2_the_topmost_with_a_limit_is_taken(tmp_path):
    scenario, _ = captured(v2(host(tmp_path / "root")), tmp_path)
    limits = [(one.memory_low_mib, one.memory_high_mib, one.memory_max_mib) for one in scenario.cgroup]
    assert limits == [(256, 1024, None), (None, None, 2048), (None, None, None)]
    sizes = {one.cgroup: sum(one.initial_mib) for one in scenario.anon}
    assert sizes == pytest.approx({"c0": 600, "c1": 300, "c2": 50, "": 1536 - 950}, abs=1)


def test_version_1_has_one_limit_and_a_number_near_two_to_the_63_is_none(tmp_path):
    scenario, text = captured(v1(host(tmp_path / "root")), tmp_path)
    assert [one.memory_max_mib for one in scenario.cgroup] == [1024]
    assert "its memory.limit_in_bytes" in text


def test_cgroups_that_hold_more_than_the_nodes_are_cut_to_what_there_is(tmp_path):
    root = v2(host(tmp_path / "root"))
    cgroup_v2(root, "huge", 9000, 9000)
    scenario, _ = captured(root, tmp_path)
    assert scenario.free_pages == (65_536,)


def test_more_cgroups_than_a_scenario_holds_are_counted_with_the_root(tmp_path):
    root = v2(host(tmp_path / "root", 2))
    for i in range(20):
        cgroup_v2(root, f"small-{i}", 2, 1, max="8388608")
    scenario, text = captured(root, tmp_path)
    assert len(scenario.cgroup) == 9
    assert "14 smaller cgroups are counted with the root" in text


def test_rates_come_from_two_readings(tmp_path):
    root = host(tmp_path / "root")
    sleep = grown(
        root,
        pgpgin=1_000_000 + 10 * 8 * 1024,
        pgalloc_dma32=100 + 5_120,
        pgalloc_normal=50_000 + 46_080,
        workingset_refault_file=4000 + 2560,
    )
    scenario, _ = captured(root, tmp_path, 10, sleep=sleep)
    assert scenario.anon[0].churn_mib_per_s == pytest.approx(20 - 8)
    assert scenario.stream[0].mib_per_s == pytest.approx(8 - 1)
    (reader,) = scenario.reader
    resident = sum(reader.file[0].inactive_mib) + sum(reader.file[0].active_mib)
    assert reader.ops_per_s is not None
    assert reader.ops_per_s * (1 - resident / reader.file[0].mib) == pytest.approx(256)


SWAPS = "Filename Type Size Used Priority\n"


def test_of_swap_what_is_free_is_captured_and_how_hot_memory_is_assumed(tmp_path):
    root = v2(host(tmp_path / "root"))
    write(
        root,
        "/proc/swaps",
        f"{SWAPS}/home/alice/swap file 2097152 524288 -2\n/dev/sdb2 partition 1024 0 -3\n",
    )
    write(root, "/sys/fs/cgroup/kubepods/another/memory.swap.max", "0\n")
    write(root, "/sys/fs/cgroup/kubepods/pod-of-alice/memory.swap.max", "max\n")
    scenario, text = captured(root, tmp_path)
    assert scenario.swap is not None
    assert (scenario.swap.mib, scenario.swap.pool_ratio, scenario.swap.readahead_pages) == (1537, 0, 8)
    assert scenario.swappiness == 100
    assert [one.memory_swap_max_mib for one in scenario.cgroup] == [None, 0, None]
    assert {tuple(heat.share for heat in one.heat) for one in scenario.anon} == {(0.666667, 0.333333)}
    assert "anon.anon-c0.heat.1.touch_per_s" in {one.field for one in scenario.assumed}
    assert "alice" not in text and "sdb2" not in text


def test_swap_on_zram_is_compressed_memory(tmp_path):
    root = host(tmp_path / "root")
    write(root, "/proc/swaps", f"{SWAPS}/dev/zram0 partition 2097152 0 100\n")
    scenario, text = captured(root, tmp_path)
    assert scenario.swap is not None and scenario.swap.pool_ratio > 0 and scenario.swap.page_cpu_us > 0
    assert "zram" not in text


def test_swap_that_is_full_is_said_and_left_out(tmp_path):
    root = host(tmp_path / "root")
    write(root, "/proc/swaps", f"{SWAPS}/home/alice/swap file 2097152 2097152 -2\n")
    scenario, text = captured(root, tmp_path)
    assert scenario.swap is None and not scenario.anon[0].heat
    assert "# Swap: 2048 MiB, 2048 of them used (/proc/swaps); this scenario has none" in text


@pytest.mark.parametrize("nr_nodes", [4, 8])
def test_many_nodes_with_swap_still_make_a_scenario(tmp_path, nr_nodes):
    root = v2(host(tmp_path / "root", nr_nodes))
    write(root, "/proc/swaps", f"{SWAPS}/home/alice/swap file 2097152 0 -2\n")
    scenario, _ = captured(root, tmp_path)
    assert (scenario.swap is None) == (nr_nodes == 8)


def test_a_host_without_swap_has_none(tmp_path):
    root = host(tmp_path / "root")
    write(root, "/proc/swaps", SWAPS)
    scenario, text = captured(root, tmp_path)
    assert scenario.swap is None and "wap" not in text.partition("name =")[0]


def test_pressure_is_told_beside_the_numbers(tmp_path):
    _, text = captured(host(tmp_path / "root"), tmp_path)
    assert "# Pressure, memory some: 2.25 % of the last minute (/proc/pressure/memory)" in text
    assert "# Pressure, io some: 7.5 % of the last minute (/proc/pressure/io)" in text


def test_one_reading_tells_no_rates(tmp_path):
    scenario, text = captured(host(tmp_path / "root"), tmp_path, 0)
    assert not scenario.stream and scenario.anon[0].churn_mib_per_s == 0
    assert "rates are assumed to be 0" in text


@pytest.mark.parametrize("interval_s", [0, 10])
def test_every_number_names_its_file_or_is_assumed(tmp_path, interval_s):
    root = v2(host(tmp_path / "root", 2, dead=(0,)))
    sleep = grown(root, pgpgin=2_000_000, pgalloc_normal=900_000, workingset_refault_file=5000)
    _, text = captured(root, tmp_path, interval_s, sleep=sleep)
    stated = text[: text.index("[[assumed]]")]
    table = ""
    for line in stated.splitlines():
        if line.startswith("["):
            table = line
        elif "=" in line and not line.startswith(("#", "name", "source", "untold", "cgroup =", "node =")):
            named = any(
                word in line
                for word in ("/proc/", "/sys/", "memory.", "meminfo:", "assumed", "MemFree", "SReclaimable")
            )
            assert named or "assumed" in table, line


def test_what_is_assumed_has_a_range_that_holds_it(tmp_path):
    scenario, _ = captured(v2(host(tmp_path / "root")), tmp_path)
    assert {"device.latency_us", "reader.files-c0.file.0.mib"} <= {one.field for one in scenario.assumed}
    for one in scenario.assumed:
        value = value_at(scenario, one.field)
        assert value is not None and one.low <= value <= one.high


@pytest.mark.parametrize("cgroups", [v2, v1])
def test_nobody_is_named_unless_asked(tmp_path, cgroups):
    root = cgroups(host(tmp_path / "root"))
    _, text = captured(root, tmp_path)
    assert not [word for word in (*SECRETS, str(tmp_path), "system.slice") if word in text]
    (tmp_path / "mine.toml").unlink()
    scenario, _ = captured(root, tmp_path, names=True)
    assert scenario.cgroup[0].name == "c0-kubepods_pod-of-alice"


OPTIONAL = (
    "/proc/zoneinfo",
    "/proc/vmstat",
    "/proc/uptime",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/swaps",
    "/proc/sys/vm/swappiness",
    "/proc/sys/vm/page-cluster",
    "/proc/sys/vm/watermark_scale_factor",
    "/proc/sys/vm/min_free_kbytes",
    "/proc/sys/kernel/osrelease",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/fs/cgroup/cgroup.controllers",
    "/sys/fs/cgroup/kubepods/another/memory.stat",
    "/sys/fs/cgroup/kubepods/another/memory.max",
)


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_file_that_is_missing_is_said_and_the_rest_is_captured(tmp_path, name):
    root = v2(host(tmp_path / "root"))
    (root / name.lstrip("/")).unlink()
    scenario, text = captured(
        root, tmp_path, 1, sleep=grown(root) if "vmstat" not in name else lambda s: None
    )
    assert scenario.free_pages == (65_536,)
    if name not in ("/proc/uptime", "/sys/fs/cgroup/kubepods/another/memory.max"):
        assert "# Not read: " in text


GARBAGE = (
    "\x00\xff\x1b[31m nonsense = 3",
    "x" * 10_000,
    "Node 0, zone Normal\n pages free minus",
    "12 34 56 abc\n",
)


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("garbage", GARBAGE, ids=["control", "long", "cut", "words"])
def test_garbage_is_said_in_one_line_and_the_file_is_still_a_scenario(tmp_path, name, garbage):
    root = v2(host(tmp_path / "root"))
    write(root, name, garbage)
    scenario, text = captured(root, tmp_path, 0)
    assert scenario.free_pages == (65_536,)
    assert "\x1b" not in text


def test_without_a_nodes_memory_there_is_no_scenario(tmp_path):
    root = host(tmp_path / "root")
    total = "Node 0 MemTotal: 12 kB\n"
    for text, error in (("", "found nothing"), (total, "found no MemFree"), ("?", "found '\\?'")):
        write(root, "/sys/devices/system/node/node0/meminfo", text)
        with pytest.raises(ValueError, match=f"node0/meminfo.*{error}"):
            captured(root, tmp_path)
    assert not (tmp_path / "mine.toml").exists()


def test_a_kernel_without_numa_shows_its_memory_in_proc(tmp_path):
    root = host(tmp_path / "root", 0)
    node(root, 0, 1)
    meminfo = root / "sys/devices/system/node/node0/meminfo"
    write(root, "/proc/meminfo", meminfo.read_text().replace("Node 0 ", ""))
    meminfo.unlink()
    meminfo.with_name("distance").unlink()
    meminfo.parent.rmdir()
    scenario, text = captured(root, tmp_path)
    assert scenario.managed_pages == (1_048_576,)
    assert "/proc/meminfo: MemTotal" in text and "sys/devices" not in text


def test_a_node_without_memory_is_left_out(tmp_path):
    root = host(tmp_path / "root", 2)
    node(root, 1, 2, **dict.fromkeys(NODE_KIB, 0))
    scenario, _ = captured(root, tmp_path)
    assert scenario.managed_pages == (1_048_576,) and scenario.node[0].distance is None


def test_nothing_is_overwritten(tmp_path):
    out = tmp_path / "mine.toml"
    out.write_text("mine")
    with pytest.raises(ValueError, match="found a file of that name, wanted a new file"):
        capture(out, 0, host(tmp_path / "root"))
    assert out.read_text() == "mine"


def test_this_very_host_can_be_captured(tmp_path):
    scenario, text = captured(Path("/"), tmp_path, 0.2)
    found = read_host(Path("/"), 0, lambda seconds: None)
    assert len(scenario.node) == len(found.nodes)
    assert scenario.untold and "hostname" not in text


def test_what_is_not_told_stands_beside_the_results():
    results = made_up()
    told = replace(results.scenarios[0], untold="Nothing is known of X.")
    assert any("Nothing is known of X." in line for line in scenario_lines(told, results))


def test_the_command_says_what_it_could_not_read_and_refuses_in_one_line(tmp_path, monkeypatch, capsys):
    root, out = host(tmp_path / "root"), tmp_path / "mine.toml"
    words = ["--root", str(root), "--seconds", "0", "--out", str(out)]
    for code, said in ((0, "Not read: cgroups: no memory controller"), (2, "found a file of that name")):
        monkeypatch.setattr("sys.argv", ["reclaim", "scenario", "capture", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == code
        assert said in capsys.readouterr().err
    assert load(out).node
