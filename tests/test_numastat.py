"""`numastat -m` text to a scenario: what the table says must arrive exactly."""

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim_env.numastat import NodeMemory, from_numastat, parse_numastat, scenario_toml
from reclaim_env.scenario import ScenarioError, load, parse_text
from reclaim_env.scenario.checks import per_node_lists
from reclaim_env.scenario.machine import Cost
from reclaim_env.units import pages_from_mib

TABLE = (resources.files("reclaim_env") / "scenarios" / "incident.numastat.txt").read_text()
NODES = (
    NodeMemory(0, 128222.19, 1414.48, 121684.23, 18.95, 63.79),
    NodeMemory(1, 127983.91, 1432.80, 110822.58, 2198.10, 7910.89),
)
MAIL = "\n".join(f"> {' '.join(line.split())}" for line in TABLE.splitlines() if "---" not in line)
TINY = """
      Node 0  Node 2  Total
MemTotal 512.00 300.00 812.00
MemFree 100.00 300.00 400.00
Active(anon) 10.00 0.00 10.00
Inactive(anon) 10.01 0.00 10.01
Active(file) 1.00 0.00 1.00
Inactive(file) 2.00 0.00 2.00
"""
ONE = """
Node 0 Total
MemTotal 512.00 512.00
MemFree 100.00 100.00
Active(anon) 10.00 10.00
Inactive(anon) 10.01 10.01
Active(file) 1.00 1.00
Inactive(file) 2.00 2.00
"""


@pytest.mark.parametrize("text", [TABLE, MAIL, TABLE.replace("\n", "\r\n")], ids=["tool", "mail", "crlf"])
def test_every_layout_gives_the_same_nodes(text):
    assert parse_numastat(text) == NODES


def test_a_wide_machine_comes_in_blocks():
    rows = [line.split() for line in TINY.strip().splitlines()[1:]]
    blocks = []
    for nid, column in ((0, 1), (2, 2)):
        blocks += [f"   Node {nid}", *(f"{row[0]} {row[column]}" for row in rows)]
    assert parse_numastat("\n".join(blocks)) == parse_numastat(TINY)


def test_free_pages_of_the_scenario_are_mem_free():
    scenario = parse_text(scenario_toml(NODES, "seed"))
    assert scenario.free_pages == (pages_from_mib(1414.48), pages_from_mib(1432.80))


def test_reclaimable_slab_can_be_reclaimed():
    (without,) = parse_numastat(ONE)
    (node,) = parse_numastat(f"{ONE}SReclaimable 40.00 40.00\nSUnreclaim 30.00 30.00\n")
    assert (node.slab_mib, node.kernel_mib) == (40, without.kernel_mib - 40)
    scenario = parse_text(scenario_toml([node], "slab"))
    assert (scenario.node[0].slab_mib, scenario.node[0].kernel_mib) == (40, node.kernel_mib)
    assert scenario.free_pages == (pages_from_mib(100),)


def test_a_node_without_memory_is_left_out():
    rows = [line.split()[0] for line in ONE.strip().splitlines()[1:]]
    empty = "\n".join(["Node 1", *(f"{row} 0.00" for row in rows)])
    assert parse_numastat(f"{ONE}{empty}") == parse_numastat(ONE)
    with pytest.raises(ScenarioError, match="found no node with memory, wanted one at least"):
        parse_numastat(empty)


def test_holes_in_the_node_ids_are_closed_and_empty_lists_left_out():
    scenario = parse_text(scenario_toml(parse_numastat(TINY), "tiny"))
    assert [node.total_mib for node in scenario.node] == [512, 300]
    assert scenario.workload_names == ("anon-0", "files-0")


def test_what_numastat_does_not_say_is_assumed():
    scenario = parse_text(scenario_toml(NODES, "seed"))
    fields = {assumed.field for assumed in scenario.assumed}
    assert {"watermark_scale_factor", "device.latency_us", "device.bandwidth_mib_per_s"} < fields
    for nid in (0, 1):
        reader = f"reader.files-{nid}"
        wanted = {f"{reader}.threads", f"{reader}.think_ms", f"{reader}.file.0.mib"}
        assert wanted | {f"anon.anon-{nid}.churn_mib_per_s"} < fields


def test_the_file_is_written_once(tmp_path):
    table = tmp_path / "table.txt"
    table.write_text(MAIL)
    out = tmp_path / "My Host.toml"
    scenario = from_numastat(table, out)
    assert scenario.name == "my-host"
    assert load(out) == scenario
    before = out.read_bytes()
    with pytest.raises(ScenarioError, match="found a file of that name"):
        from_numastat(table, out)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["My Host.toml", "table.txt"]


def test_no_file_is_left_behind_where_none_can_be_written(tmp_path):
    table = tmp_path / "table.txt"
    table.write_text(MAIL)
    with pytest.raises(ScenarioError, match="wanted a file that can be written"):
        from_numastat(table, tmp_path / "missing" / "host.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Node 0: found no row MemTotal"),
        ("hello\nworld", "Node 0: found no row MemTotal"),
        ("MemTotal 3", "line 1: MemTotal: found 1 numbers, wanted a line `Node 0 Node 1 ...` above it"),
        (
            "Node 0 Node 1\nMemTotal 3",
            "line 2: MemTotal: found 1 numbers, wanted a number for each of 2 columns",
        ),
        (TINY.replace("512.00", "nan"), "line 3: MemTotal: found 'nan', wanted a number of MiB"),
        (TINY.replace("512.00", "-512.00"), "found '-512.00', wanted a number of MiB"),
        (TINY.replace("512.00", "1e99"), "found '1e99', wanted a number of MiB"),
        (
            TINY.replace("512.00", "110.00").replace("812.00", "410.00"),
            "Node 0: found 13.01 MiB more, wanted free, anon, file and slab pages",
        ),
        (
            TINY.replace("512.00", "51.00"),
            "line 3: MemTotal: found 351.00 MiB on all nodes, wanted the Total",
        ),
        (TINY[:-6], "line 8: Inactive(file): found 2 numbers, wanted a number for each of 3 columns"),
        (TINY + TINY, "line 11: MemTotal: found Node 0 a second time, wanted one table"),
        (TINY.replace("Active(file)", "Active"), "Node 0: found no row Active(file)"),
    ],
)
def test_a_table_that_is_none_is_refused_in_one_line(text, message):
    with pytest.raises(ScenarioError) as error:
        parse_numastat(text, "t.txt")
    assert str(error.value).startswith("t.txt: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(max_size=200), st.integers(0, len(TINY)), st.integers(0, len(TINY)))
def test_any_text_is_a_table_or_one_line(noise, start, end):
    """Noise in place of any stretch of a good table."""
    try:
        nodes = parse_numastat(TINY[:start] + noise + TINY[end:])
        parse_text(scenario_toml(nodes, "noise"))
    except ScenarioError as error:
        assert str(error).isprintable()


def test_incident_lies_as_the_table_says():
    """Node totals, free, anon and file pages of the bundled incident are those of the committed table."""
    incident = load("incident")
    table = parse_numastat(TABLE)
    assert [node.total_mib for node in incident.node] == [node.total_mib for node in table]
    assert [node.kernel_mib for node in incident.node] == [node.kernel_mib for node in table]
    assert list(incident.free_pages) == [pages_from_mib(node.free_mib) for node in table]
    placed = {"initial_mib": [0.0, 0.0], "active_mib": [0.0, 0.0], "inactive_mib": [0.0, 0.0]}
    for field, cgroup, values in per_node_lists(incident):
        total = placed[field.rpartition(".")[2]]
        for nid, mib in enumerate(values):
            total[nid] += incident.members(cgroup) * mib
    assert placed["initial_mib"] == pytest.approx([node.anon_mib for node in table], abs=1e-6)
    assert placed["active_mib"] == pytest.approx([node.active_file_mib for node in table], abs=1e-6)
    assert placed["inactive_mib"] == pytest.approx([node.inactive_file_mib for node in table], abs=1e-6)


# The episode, where a task runs, and what lies where at the start: the test above holds it to the table.
TOLD = re.compile(
    r"duration_s|tick_ms|node\.\d\.(total|kernel)_mib|\w+\.[\w-]+\.(cpu_node|nodes\.\d)"
    r"|.*\.(initial|active|inactive)_mib\.\d|anon\.hog\.schedule\.0\.\d"
)


def numbers(table: Any, path: str = "") -> Iterator[str]:
    """Paths as [[assumed]] writes them, of the numbers a file gives."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield from numbers(value, f"{path}.{key}")
    elif isinstance(table, list):
        for index, value in enumerate(table):
            name = value.get("name", index) if isinstance(value, dict) else index
            yield from numbers(value, f"{path}.{name}")
    elif isinstance(table, int | float) and not isinstance(table, bool):
        yield path[1:]


def is_swept(path: str, swept: list[str]) -> bool:
    """One of the swept paths names it: `a|b` is either, `*` any."""
    return any(
        re.fullmatch(r"\.".join(f"({step})".replace("*", r"\d+") for step in one.split(".")), path)
        for one in swept
    )


def test_every_number_of_incident_is_the_tables_or_swept():
    incident = load("incident")
    swept = [assumed.field for assumed in incident.assumed]
    tables = incident.model_dump(mode="json", exclude_unset=True, exclude={"assumed"})
    assert [path for path in numbers(tables) if not TOLD.fullmatch(path) and not is_swept(path, swept)] == []


@pytest.mark.parametrize("name", ["incident", "dead_kswapd"])
def test_estimated_costs_are_swept_too(name):
    costs = {f"cost.{field}" for field in Cost.model_fields if field != "source"}
    assert costs - {assumed.field for assumed in load(name).assumed} == {"cost.migrate_us"}  # no lower tier


def test_incident_hovers_between_low_and_high():
    incident = load("incident")
    for free_pages, marks in zip(incident.free_pages, incident.watermarks, strict=True):
        assert 1.06 < free_pages / marks.low_pages < 1.09
        assert free_pages < marks.high_pages
