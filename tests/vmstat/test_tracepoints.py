"""Lines of the two tracepoints, from the tracer and from the kernel log, and broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.vmstat.tracepoints import CLEAR, FAIL, REASONS, print_event, read_trace


def trace(folder, *lines: str):
    path = folder / "trace.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_report_of_the_tracer_is_read_by_time_and_other_events_are_passed_over(tmp_path):
    path = trace(
        tmp_path,
        "cpus=2",
        f"         kswapd0-68    [001]   812.345678: {FAIL}: nid=0 failures=16",
        "         a [b] c-91    [000]   812.400000: sched_switch:         a ==> b",
        f"         a [b] c-91    [000] d..1.   812.500001234: {CLEAR}: nid=0 reason=DIRECT",
        f"[  811.000002] {CLEAR}: nid=1 reason=3",
    )
    events = read_trace(path).events
    assert [event[:4] for event in events] == [
        (811_000_002_000, 1, 0, "PCP"),
        (812_345_678_000, 0, 16, ""),
        (812_500_001_234, 0, 0, "DIRECT"),
    ]


@given(st.integers(0, 10**15), st.integers(0, 999), st.integers(1, 99), st.sampled_from(("", *REASONS)))
def test_an_event_is_read_as_it_was_printed(time_ns, nid, failures, reason):
    from experiments.vmstat.lines import Line
    from experiments.vmstat.tracepoints import _event

    found = _event(Line(print_event(time_ns, nid, failures, reason), "trace", 1))
    assert found[:4] == (time_ns, nid, 0 if reason else failures, reason)


@pytest.mark.parametrize("line", ["CPU:3 [7 EVENTS DROPPED]", "CPU:0 [LOST 3 EVENTS]"])
def test_a_tracer_that_lost_events_is_noticed(tmp_path, line):
    assert read_trace(trace(tmp_path, "cpus=2", line)).lossy
    assert not read_trace(trace(tmp_path, "cpus=2")).lossy


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"x-1 [000] 1.5: {FAIL}: nid=0", r"line 2: found .*, wanted `TIME: "),
        (f"x-1 [000] 1.5: {FAIL}: nid=0 reason=PCP", r"line 2: found .*, wanted `TIME: "),
        (
            f"x-1 [000] 1.5: {FAIL}: nid=0 failures=many",
            r"line 2: failures: found 'many', wanted a whole number",
        ),
        (f"x-1 [000] 1.5: {CLEAR}: nid=0 reason=9", r"line 2: reason: found 9, wanted one of OTHER, KSWAPD"),
    ],
)
def test_what_is_malformed_is_told_by_file_line_found_and_wanted(tmp_path, line, says):
    with pytest.raises(ValueError, match=says) as refused:
        read_trace(trace(tmp_path, "cpus=2", line))
    assert "trace.txt" in str(refused.value) and "\n" not in str(refused.value)
