"""What a scenario says becomes the guest's program; what the guest cannot do is refused by field."""

from pathlib import Path

import pytest

from experiments.kernel_lab import translate
from experiments.kernel_lab.refusals import MAX_PROCESSES, MAX_STREAM_MIB, MAX_THREADS
from experiments.kernel_lab.translate import Request, disk_layout, node_memory_mib, not_enforced, program
from reclaim_env.scenario import load, parse_text
from reclaim_env.units import pages_from_mib
from reclaim_env.watermarks import setup_per_zone_wmarks

SCENARIOS = sorted((Path(translate.__file__).parent / "scenarios").glob("*.toml"))
REQUEST = Request(reset_rule=0x1F00, seed=7, free_path_reset=True, sample_ms=250)

TOP = """
name = "made-up"
source = "made up"
duration_s = 5
thp = false
"""
REST = """
[device]
latency_us = 80
bandwidth_mib_per_s = 3000
iops_per_s = 400_000
[[node]]
total_mib = 512
kernel_mib = 64
[[node]]
total_mib = 512
kernel_mib = 64
[[cgroup]]
name = "pod"
[[cgroup]]
name = "web"
parent = "pod"
count = 3
memory_high_mib = 20
[[anon]]
name = "hog"
cpu_node = 0
threads = 2
initial_mib = [300, 10]
schedule = [[0, 310], [5, 320.5]]
burst_mib = 2
burst_every_ms = 250
burst_hold_ms = 100
[[reader]]
name = "pages"
cgroup = "web"
cpu_node = 1
policy = "bind"
nodes = [1]
think_ms = 2
[[reader.file]]
mib = 20
inactive_mib = [0, 10]
active_mib = [0, 1]
[[stream]]
name = "log"
cpu_node = 0
mib_per_s = 4
inactive_mib = [8, 0]
start_s = 1
[[event]]
at_s = 3
kind = "memory_reclaim"
cgroup = "web"
mib = 5
[[hopeless]]
node = 1
"""


def scenario_with(added="", top=""):
    return parse_text(TOP + top + REST + added)


def statements(word, text):
    """key -> value of every line that begins with the word."""
    lines = (line.split() for line in text.splitlines())
    return [dict(pair.split("=", 1) for pair in pairs) for first, *pairs in lines if first == word]


def replaced(old, new):
    assert REST.count(old) >= 1
    return parse_text(TOP + REST.replace(old, new, 1))


@pytest.mark.parametrize(
    ("scenario", "field"),
    [
        (
            scenario_with(
                '[[atomic]]\nname = "net"\ncpu_node = 0\nburst_kib = 64\nevery_ms = 9\nhold_ms = 1'
            ),
            "atomic.net",
        ),
        (scenario_with('[cost]\nsource = "x"\nscan_us = 0.2'), "cost.scan_us"),
        (scenario_with('[cost]\nsource = "x"\ntlb_ms = 1'), "cost.tlb_ms"),
        (replaced("kernel_mib = 64", "kernel_mib = 64\nunusable_mib = 1"), "node.0.unusable_mib"),
        (replaced("kernel_mib = 64", "kernel_mib = 64\nslab_mib = 1"), "node.0.slab_mib"),
        (replaced("kernel_mib = 64", "kernel_mib = 64\nboosts_per_s = 1"), "node.0.boosts_per_s"),
        (scenario_with("[oomd]"), "oomd"),
        (scenario_with('[[hotplug]]\nat_s = 1\nkind = "online"\nnode = 0\nmib = 1'), "hotplug.0"),
        (
            replaced("kernel_mib = 64", "kernel_mib = 64\nkswapd_cpu_share_ratio = 0.5"),
            "node.0.kswapd_cpu_share_ratio",
        ),
        (
            parse_text(
                TOP
                + REST.replace("kernel_mib = 64", "kernel_mib = 64\ndistance = [10, 20]", 1).replace(
                    "kernel_mib = 64\n[[cgroup]]", "kernel_mib = 64\ndistance = [20, 10]\n[[cgroup]]", 1
                )
            ),
            "node.0.distance",
        ),
        (parse_text(f"filled_mib_per_s = 40\n{TOP}{REST}"), "filled_mib_per_s"),
        (replaced("total_mib = 512", "total_mib = 9000"), "node.*.total_mib"),
        (replaced("threads = 2", f"threads = {MAX_THREADS + 1}"), "anon.hog.threads"),
        (replaced('cgroup = "web"', 'cgroup = "pod"'), "reader.pages.cgroup"),
        (
            replaced("\nmib = 20\n", "\nmib = 20\nreadahead_pages = 4\n"),
            "reader.pages.file.0.readahead_pages",
        ),
        (replaced("mib_per_s = 4", f"mib_per_s = {MAX_STREAM_MIB}"), "stream.log.mib_per_s"),
        (
            parse_text(
                TOP
                + REST.replace("count = 3", f"count = {MAX_PROCESSES}").replace(
                    "inactive_mib = [0, 10]\nactive_mib = [0, 1]", ""
                )
            ),
            "cgroup.*.count",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_guest_cannot_do_is_refused_by_the_name_of_the_field(scenario, field):
    for refuse in (lambda: program(scenario, REQUEST), lambda: disk_layout(scenario)):
        with pytest.raises(ValueError, match=r"made-up in the kernel lab") as caught:
            refuse()
        message = str(caught.value)
        assert f": {field}: found " in message and ", wanted " in message and "\n" not in message


@pytest.mark.parametrize("threads", [1, MAX_THREADS])
def test_threads_up_to_the_cap_are_handed_on_as_they_are(threads):
    (anon,) = statements("anon", program(replaced("threads = 2", f"threads = {threads}"), REQUEST))
    assert anon["threads"] == str(threads)


def test_a_mapped_file_and_a_loop_may_read_ahead():
    for more in ('access = "mmap"', 'pattern = "loop"'):
        text = program(replaced("\nmib = 20\n", f"\nmib = 20\nreadahead_pages = 4\n{more}\n"), REQUEST)
        assert statements("file", text)[0]["readahead_pages"] == "4"


def test_the_request_opens_the_program():
    first, *_ = program(scenario_with(), REQUEST).splitlines()
    assert first == (
        "run version=1 duration_us=5000000 sample_us=250000 seed=7 reset_rule=7936 free_path_reset=1"
    )


def test_sizes_become_pages_and_times_microseconds():
    text = program(scenario_with(), REQUEST)
    assert statements("node", text) == [{"id": nid, "kernel_pages": "16384"} for nid in "01"]
    assert statements("initial", text) == [{"node": "0", "pages": "76800"}, {"node": "1", "pages": "2560"}]
    assert [(p["at_us"], p["pages"]) for p in statements("point", text)] == [
        ("0", "79360"),
        ("5000000", "82048"),
    ]
    (anon,) = statements("anon", text)
    assert (anon["burst_pages"], anon["burst_every_us"], anon["burst_hold_us"]) == ("512", "250000", "100000")
    pod, web = statements("cgroup", text)
    assert "parent" not in pod and "high_pages" not in pod
    assert web == {"name": "web", "count": "3", "parent": "pod", "high_pages": "5120"}
    assert statements("event", text) == [
        {"at_us": "3000000", "file": "memory.reclaim", "cgroup": "web", "pages": "1280"}
    ]
    assert statements("hopeless", text) == [{"node": "1"}]


def test_a_task_names_its_nodes_as_a_mask_and_the_root_as_a_dash():
    text = program(scenario_with(), REQUEST)
    (reader,), (stream,) = statements("reader", text), statements("stream", text)
    assert (reader["policy"], reader["nodes"], reader["cgroup"]) == ("bind", "2", "web")
    assert (stream["policy"], stream["nodes"], stream["cgroup"]) == ("local", "0", "-")


@pytest.mark.parametrize("stop", ["", "stop_s = 3\n", "stop_s = 500\n"])
def test_a_streams_file_lasts_from_its_start_to_its_end(stop):
    scenario = replaced("mib_per_s = 4\n", f"mib_per_s = 4\n{stop}")
    (stream,) = statements("stream", program(scenario, REQUEST))
    read_us = int(stream["stop_us"]) - int(stream["start_us"])
    assert read_us == (2e6 if "3" in stop else 4e6)
    (file,) = (file for file in disk_layout(scenario) if file.path == "log.0.0")
    old_pages = pages_from_mib(8)
    wanted_pages = old_pages + read_us * pages_from_mib(4) // 10**6
    assert wanted_pages < file.pages < wanted_pages + pages_from_mib(2)


def test_every_member_has_a_file_of_its_own():
    layout = disk_layout(scenario_with())
    assert [file.path for file in layout] == ["pages.0.0", "pages.0.1", "pages.0.2", "log.0.0"]
    assert {file.pages for file in layout[:3]} == {pages_from_mib(20)}


@pytest.mark.parametrize("top", ["", "watermark_scale_factor = 300\n", "min_free_kib = 40_000\n"])
def test_the_sysctls_give_the_scenarios_watermarks(top):
    scenario = scenario_with(top=top)
    sysctls = {line["name"]: int(line["value"]) for line in statements("sysctl", program(scenario, REQUEST))}
    found = setup_per_zone_wmarks(
        scenario.managed_pages, sysctls["vm/min_free_kbytes"], sysctls["vm/watermark_scale_factor"]
    )
    assert found == scenario.watermarks


def test_a_node_is_given_more_than_it_shall_manage_and_the_first_one_most():
    first, second = node_memory_mib(scenario_with())
    assert 512 * 64 / 63 - 0.5 <= second < first < 512 * 1.1


def test_what_is_not_enforced_is_told():
    notes = not_enforced(scenario_with())
    assert any(note.startswith("device.latency_us:") for note in notes)
    assert any(note.startswith("cgroup.count:") for note in notes)
    assert not any(note.startswith("thp:") for note in notes)
    assert any(
        note.startswith("thp:") for note in not_enforced(parse_text(TOP.replace("false", "true") + REST))
    )


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_the_lab_can_be_run_and_is_small(path):
    scenario = load(path)
    assert scenario.name == path.stem
    assert program(scenario, REQUEST)
    assert 20 <= scenario.duration_s <= 30
    assert sum(node_memory_mib(scenario)) < 2200
    assert sum(file.pages for file in disk_layout(scenario)) < pages_from_mib(1024)


@pytest.mark.parametrize("name", ["futile_revival_few", "futile_revival_many"])
def test_in_futile_revival_free_and_file_pages_stay_below_high_and_free_goes_below_low(name):
    scenario = load(next(path for path in SCENARIOS if path.stem == name))
    hog = scenario.anon[0]
    grown_pages = pages_from_mib(hog.breakpoints[-1][1] - hog.breakpoints[0][1])
    low, high = scenario.watermarks[0].low_pages, scenario.watermarks[0].high_pages
    free = scenario.free_pages[0] - grown_pages
    file_pages = sum(
        scenario.members(reader.cgroup) * pages_from_mib(file.inactive_mib[0] + file.active_mib[0])
        for reader in scenario.reader
        for file in reader.file
    )
    assert free < low
    assert free + file_pages < high


@pytest.mark.parametrize("name", ["dead_kswapd_slow", "dead_kswapd_at_once"])
def test_the_dead_kswapd_is_not_that_of_the_last_node_and_begins_where_it_would_be_woken(name):
    scenario = load(next(path for path in SCENARIOS if path.stem == name))
    (hopeless,) = scenario.hopeless
    marks = scenario.watermarks[hopeless.node]
    assert hopeless.node < len(scenario.node) - 1
    assert marks.min_pages < scenario.free_pages[hopeless.node] < marks.low_pages
