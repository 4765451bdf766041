"""Readers beside a task that reclaims from their own cgroup."""

import math

import pytest

from reclaim_env.model.constants import FRESH, UNREFERENCED
from tests.model.machines import anon, file, mib, plain, reader, set_flag

SLICE_S = 0.01
PAGES = 128


def box(model, count: int = 1, below: int = 0, touch_per_s: float = 1e6):
    """A cgroup so far below high: a task (workload 0), and a reader (1) of a mapped file, all resident."""
    env = plain(
        cgroup=[{"name": "box", "count": count, "memory_high_mib": mib(1000)}],
        anon=[anon(cgroup="box", pages=1000 - PAGES - below)],
        reader=[reader(cgroup="box", files=[file(PAGES, access="mmap")], threads=2)],
    )
    model.tick.start_episode(env)
    set_flag(env, FRESH)
    env.slice_s = SLICE_S
    env.class_[0].rate_per_s = env.class_[0].on_rate_per_s = touch_per_s
    return env


def take(model, env, pages: int) -> None:
    """A call at memory.high takes so many from the reader."""
    model.folio_fate.evict(env, env.set_[0], pages, 1)


def test_hot_pages_are_back_on_their_list_before_the_tasks_next_call(model):
    env = box(model, below=500)
    take(model, env, 20)
    model.refault.read_back(env, 0, SLICE_S / 2)
    assert env.class_[0].absent_pages == 0
    assert sum(env.set_[0].resident_pages) == PAGES
    assert env.workload[1].stalled_s > 0  # its threads have waited for them
    assert env.now_s == env.time_s


def test_what_nobody_missed_in_the_slice_is_not_asked_for_again_before_it_ends(model):
    env = box(model, below=500, touch_per_s=10.0)
    take(model, env, 100)
    model.refault.read_back(env, 0, SLICE_S / 2)
    absent = env.class_[0].absent_pages
    assert 50 < absent < 100
    assert env.class_[0].unasked_pages == absent
    model.refault.read_back(env, 0, SLICE_S / 2)
    assert env.class_[0].absent_pages == absent


def test_a_reader_has_its_slice_once_and_before_the_call_that_takes_from_it(model):
    env = box(model)
    env.workload[1].throughput_per_s = 1000.0
    env.workload[1].is_due = 1
    for _ in range(2):
        model.refault.run_readers(env, 0, SLICE_S)
    assert env.workload[1].ops == pytest.approx(1000.0 * SLICE_S)


def test_the_readers_own_calls_follow_at_once(model):
    env = box(model)
    take(model, env, 70)
    model.refault.read_back(env, 0, SLICE_S)
    assert env.memcg[0].events_high > 0
    assert env.workload[1].owed_batches == 0


@pytest.mark.parametrize(("stock", "over"), [(60, True), (30, False)])
def test_a_member_that_lacks_pages_when_it_charges_is_not_called_for_what_the_others_have(model, stock, over):
    env = box(model, count=10, below=40)
    env.memcg[0].stock_pages = stock
    env.workload[1].owed_batches = 1
    model.memcontrol.handle_over_high(env, 1, 1.0)
    assert (env.memcg[0].events_high > 0) == over


@pytest.mark.parametrize("events_per_s", [1e-3, 1.0, 300.0, 1e6])
def test_a_miss_comes_after_its_mean_time_or_in_the_middle_of_a_short_one(model, events_per_s):
    steps = 100_000
    times = [(i + 0.5) * SLICE_S / steps for i in range(steps)]
    weights = [math.exp(-events_per_s * t) for t in times]
    mean = sum(t * w for t, w in zip(times, weights, strict=True)) / sum(weights)
    assert model.refault.mean_time_s(events_per_s, SLICE_S) == pytest.approx(mean, rel=0.01)


def test_a_turns_calls_come_when_its_reads_have_come_back(model):
    env = box(model)
    take(model, env, 100)
    seen = []

    def called(env, w, budget_s):
        seen.append(float(env.now_s))
        env.workload[w].owed_batches = 0
        if len(seen) < 3:  # it takes as much again
            take(model, env, 70)
        return 1e-4

    handle_over_high = model.refault.handle_over_high
    model.refault.handle_over_high = called
    try:
        model.refault.read_back(env, 0, SLICE_S)
    finally:
        model.refault.handle_over_high = handle_over_high
    wait_s = env.device.latency_s
    assert seen[0] > env.time_s + wait_s
    assert seen[1] > seen[0] + 1e-4 / 2 + wait_s


def test_what_a_tasks_call_takes_is_back_before_the_slice_ends(model):
    env = box(model, touch_per_s=2000.0)
    set_flag(env, UNREFERENCED)  # since their bits were cleared nobody has touched them yet
    model.anon.churn(env, 0, 512, 1.0)
    assert env.class_[0].evicted_pages > 64
    assert env.class_[0].refaulted_pages > 0.9 * env.class_[0].evicted_pages
