"""kswapd_failures told by a trace or seen in zoneinfo, and what a simulated tick is told as."""

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.vmstat.between_ticks import trace_lines
from experiments.vmstat.failures import seen_in_zoneinfo, told_by_trace
from experiments.vmstat.lines import Line
from experiments.vmstat.tracepoints import Event, _event
from reclaim_env.model.constants import (
    FREE_PATH,
    GLOBAL_DIRECT,
    KSWAPD,
    MAX_RECLAIM_RETRIES,
    NR_REASONS,
    PROACTIVE,
)
from reclaim_env.model.layout import NODE

SECOND = 10**9
EACH_SECOND = np.arange(6) * SECOND
ALIVE, DEAD = np.zeros(6), np.ones(6)


def fail(at_s: float, failures: int) -> Event:
    return Event(round(at_s * SECOND), 0, failures, "", Line("", "trace", 1))


def clear(at_s: float, reason: str) -> Event:
    return Event(round(at_s * SECOND), 0, 0, reason, Line("", "trace", 1))


def test_a_staircase_by_hand():
    events = [fail(0.5, 15), fail(1.25, 16), clear(3.5, "KSWAPD"), fail(3.75, 1), clear(4.0, "DIRECT")]
    told = told_by_trace(EACH_SECOND, ALIVE, events)
    assert told.count.tolist() == [14, 15, 16, 16, 1, 0]  # an event at a sample's own time shows in the next
    assert told.hopeless_s == 2.25
    assert (told.first_fruitless_s, told.first_hopeless_s, told.last_reset_s) == (0.5, 1.25, 4.0)
    assert told.fruitless_runs == 3
    assert told.nr_cleared == {"OTHER": 0, "KSWAPD": 1, "DIRECT": 1, "PCP": 0}
    assert told.resets[-1, KSWAPD] == 1 and told.resets[-1, FREE_PATH] == 0
    assert isnan(told.resets[-1, GLOBAL_DIRECT]) and isnan(told.resets[-1, PROACTIVE])
    assert told.revivals[KSWAPD] == 1 and told.revivals[GLOBAL_DIRECT] == 0


def test_events_outside_the_samples_count_for_nothing_but_the_count_at_the_start():
    told = told_by_trace(EACH_SECOND + 10 * SECOND, ALIVE, [fail(1, 3), fail(12, 4), clear(15, "PCP")])
    assert told.count.tolist() == [3, 3, 3, 4, 4, 4]
    assert told.fruitless_runs == 1 and told.nr_resets == 0


def test_an_event_at_the_first_sample_is_of_the_recording_and_one_at_the_last_is_not():
    told = told_by_trace(EACH_SECOND, ALIVE, [fail(0, 1), fail(5, 2)])
    assert told.fruitless_runs == 1 and told.count.tolist() == [0, 1, 1, 1, 1, 1]


def test_what_no_event_tells_is_not_made_up():
    alive = told_by_trace(EACH_SECOND, ALIVE, [])
    assert np.isnan(alive.count).all() and alive.hopeless_s == 0 and alive.nr_resets == 0
    dead = told_by_trace(EACH_SECOND, DEAD, [clear(2, "PCP")])
    assert dead.count.tolist() == [16, 16, 16, 0, 0, 0]
    assert dead.revivals[FREE_PATH] == 1 and dead.first_hopeless_s == 0 and dead.hopeless_s == 2


def test_without_a_trace_a_sample_stands_for_the_interval_before_it():
    seen = seen_in_zoneinfo(EACH_SECOND, np.array([0, 0, 1, 1, 0, 0.0]))
    assert seen.hopeless_s == 2 and seen.first_hopeless_s == 2
    assert np.isnan(seen.count).tolist() == [True, True, False, False, True, True]
    assert isnan(seen.fruitless_runs) and isnan(seen.nr_resets)
    assert isnan(seen_in_zoneinfo(EACH_SECOND, np.full(6, nan)).hopeless_s)


def copies(count: int, actions: list[tuple[str, int]]) -> tuple[np.void, np.void]:
    """A node before and after a tick in which kswapd failed and others reset, as the model counts it."""
    node = np.zeros(1, NODE)[0]
    node["kswapd_failures"] = count
    for name in ("hopeless_since_s", "first_fruitless_s", "first_hopeless_s"):
        node[name] = -1
    before = node.copy()
    for index, (what, reason) in enumerate(actions):
        time_s = 1 + 0.01 * (index + 1) / (len(actions) + 1)
        if what == "fail" and node["kswapd_failures"] < MAX_RECLAIM_RETRIES:
            node["kswapd_failures"] += 1
            node["vmstat"]["kswapd_fruitless_runs"] += 1
            if node["first_fruitless_s"] < 0:
                node["first_fruitless_s"] = time_s
            if node["kswapd_failures"] == MAX_RECLAIM_RETRIES:
                node["hopeless_since_s"] = time_s
                if node["first_hopeless_s"] < 0:
                    node["first_hopeless_s"] = time_s
        elif what == "clear" and node["kswapd_failures"] > 0:
            node["vmstat"]["resets"][reason] += 1
            if node["kswapd_failures"] >= MAX_RECLAIM_RETRIES:
                node["vmstat"]["revivals"][reason] += 1
                node["hopeless_since_s"] = -1
            node["kswapd_failures"] = 0
            node["last_reset_s"] = time_s
    return before, node


actions = st.lists(
    st.tuples(st.sampled_from(("fail", "fail", "fail", "clear")), st.integers(0, NR_REASONS - 1)), max_size=80
)


@given(st.integers(0, MAX_RECLAIM_RETRIES), actions)
def test_a_tick_is_told_in_an_order_that_fits_all_that_was_counted(count, happened):
    before, after = copies(count, happened)
    start_ns, end_ns = SECOND, SECOND + 10_000_000
    told = list(trace_lines(0, before, after, start_ns, end_ns))
    events = [_event(Line(line, "trace", 1)) for _, line in told]
    hopeless = np.array([float(count >= MAX_RECLAIM_RETRIES)] * 2)
    found = told_by_trace(np.array([start_ns, end_ns]), hopeless, events)
    assert [event.time_ns for event in events] == sorted(event.time_ns for event in events)
    assert all(start_ns <= event.time_ns < end_ns for event in events)
    assert not events or found.count[-1] == after["kswapd_failures"]
    assert isnan(found.count[0]) or found.count[0] == count
    assert found.fruitless_runs == after["vmstat"]["kswapd_fruitless_runs"]
    assert found.nr_resets == after["vmstat"]["resets"].sum()
    assert found.nr_cleared["KSWAPD"] == after["vmstat"]["resets"][KSWAPD]
    for name, known in (("resets", found.resets[-1]), ("revivals", found.revivals)):
        assert known[KSWAPD] == after["vmstat"][name][KSWAPD]
        assert known[FREE_PATH] == after["vmstat"][name][FREE_PATH]
        direct = after["vmstat"][name][GLOBAL_DIRECT : PROACTIVE + 1].sum()
        assert isnan(known[GLOBAL_DIRECT]) if direct else known[GLOBAL_DIRECT] == 0


@given(st.integers(0, MAX_RECLAIM_RETRIES), actions)
def test_every_step_of_the_staircase_is_one_a_kernel_can_take(count, happened):
    before, after = copies(count, happened)
    for _, line in trace_lines(0, before, after, SECOND, 2 * SECOND):
        event = _event(Line(line, "trace", 1))
        assert event.failures == (0 if event.reason else count + 1)
        assert not event.reason or count > 0
        count = event.failures


def test_a_run_that_outlasts_its_tick_is_told_within_it():
    before, after = copies(15, [("fail", 0)])
    for moment in ("hopeless_since_s", "first_hopeless_s", "first_fruitless_s"):
        after[moment] = 1.0102
    assert [time_ns for time_ns, _ in trace_lines(0, before, after, SECOND, 1_010_000_000)] == [1_009_999_999]


@pytest.mark.parametrize("count", [0, 3])
def test_the_moments_a_model_keeps_are_those_of_the_trace(count):
    before, after = copies(count, [("fail", 0)] * 16)
    told = told_by_trace(
        np.array([0, 2 * SECOND]),
        np.zeros(2),
        [_event(Line(line, "", 1)) for _, line in trace_lines(0, before, after, SECOND, 2 * SECOND)],
    )
    assert told.first_fruitless_s == pytest.approx(after["first_fruitless_s"], abs=1e-9)
    assert told.first_hopeless_s == pytest.approx(after["first_hopeless_s"], abs=1e-9)
