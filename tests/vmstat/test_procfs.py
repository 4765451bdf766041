"""The three formats of /proc, written by hand as kernels print them, and broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.vmstat import counters, procfs
from experiments.vmstat.lines import Line
from tests.vmstat.machine import PRESSURE, vmstat, zone, zoneinfo

counts = st.integers(0, 2**64 - 1)
names = st.from_regex(r"[a-z]\w{0,20}", fullmatch=True).filter(str.isascii)


def lines(text: str) -> list[Line]:
    return [Line(one, "file", number) for number, one in enumerate(text.splitlines(), start=1) if one.strip()]


def values(readings) -> dict[str, int]:
    return {name: reading.value for name, reading in readings.items()}


@given(st.dictionaries(names, counts))
def test_vmstat_is_read_as_it_was_printed(written):
    assert values(procfs.parse_vmstat(lines(procfs.print_vmstat(written)))) == written


@given(st.dictionaries(names, counts), counts, counts, st.dictionaries(names, counts), st.booleans())
def test_zoneinfo_is_read_as_it_was_printed(stats, free, managed, events, dead):
    zone = {"free": free, "min": 1, "low": 2, "high": 3, "managed": managed}
    zone |= {name: count for name, count in events.items() if name not in zone}
    node = procfs.parse_zoneinfo(lines(procfs.print_zone(5, stats, zone, dead)))[5]
    assert values(node.stats) == stats
    assert values(node.zones) == (zone if managed else {})
    assert node.unreclaimable is not None and node.unreclaimable.value == dead


@given(st.integers(0, 10**9))
def test_uptime_is_read_to_its_hundredth(hundredths):
    time_ns = hundredths * 10_000_000
    assert procfs.parse_uptime(lines(procfs.print_uptime(time_ns))) == time_ns


def test_zones_of_a_node_are_added_up_and_those_without_a_page_left_out():
    nodes = procfs.parse_zoneinfo(lines(zoneinfo()))
    first = values(nodes[0].zones)
    assert (first["free"], first["high"], first["min"], first["managed"]) == (870, 3300, 200, 18_000)
    assert first["numa_hit"] == 100
    assert values(nodes[0].stats) == {"nr_inactive_file": 11, "workingset_refault_file": 30}
    assert nodes[1].unreclaimable is not None and nodes[1].unreclaimable.value == 0


def test_allocstall_is_one_number_whatever_the_zones():
    found = values(counters.of_machine(procfs.parse_vmstat(lines(vmstat()))))
    assert found["allocstall"] == 111
    assert found["pgscan_kswapd"] == 7000


def test_counters_of_older_kernels_get_the_newer_names():
    text = vmstat(workingset_refault_file=None, workingset_refault=8, workingset_activate=2)
    found = values(counters.of_machine(procfs.parse_vmstat(lines(text))))
    assert (found["workingset_refault_file"], found["workingset_activate_file"]) == (8, 2)


def test_names_nobody_knows_are_kept():
    others = values(counters.others(procfs.parse_vmstat(lines(vmstat()))))
    assert others == {"nr_free_pages": 5000, "pgmigrate_success": 4, "a_name_of_2031": 9}


def test_pressure_is_the_total_and_not_the_averages():
    found = values(procfs.parse_pressure(lines(PRESSURE.format(some=7, full=3))))
    assert found == {"some": 7, "full": 3}


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (
            procfs.parse_vmstat,
            "pgfree 1\npgscan\n",
            r"file: line 2: found 'pgscan', wanted a name and a number",
        ),
        (procfs.parse_vmstat, "pgfree -3\n", r"line 1: pgfree: found '-3', wanted a whole number"),
        (procfs.parse_vmstat, "pgfree 1.5\n", r"line 1: pgfree: found '1.5'"),
        (procfs.parse_vmstat, f"pgfree {'9' * 5000}\n", r"line 1: pgfree: found '999.*\.\.\., wanted"),
        (procfs.parse_vmstat, "pgfree 1\npgfree 1\n", r"line 2: pgfree: found the name a second time"),
        (
            procfs.parse_zoneinfo,
            "pages free 3\n",
            r"line 1: found 'pages free 3', wanted `Node 0, zone Normal`",
        ),
        (procfs.parse_zoneinfo, zone(0, "Normal", 1) + "  what is this\n", r"line 22: found 'what is this'"),
        (procfs.parse_zoneinfo, zone(0, "Normal", 1).replace("200", "two"), r"line 5: low: found 'two'"),
        (procfs.parse_pressure, "some total=1\n", r"line 1: found 'some total=1', wanted `some avg10"),
        (procfs.parse_uptime, "yesterday 3.0\n", r"line 1: uptime: found 'yesterday', wanted seconds"),
        (procfs.parse_vmstat, "pg\x1b[31m 1 2\n", r"line 1: found 'pg\\x1b\[31m 1 2', wanted"),
    ],
)
def test_what_is_malformed_is_told_by_file_line_found_and_wanted(parse, text, says):
    with pytest.raises(ValueError, match=says) as refused:
        parse(lines(text))
    assert "\n" not in str(refused.value)
