"""Readers, the device they wait for, their latencies, and how a tick is booked."""

import math

import numpy as np
import pytest

from reclaim_env.model.constants import RUN
from reclaim_env.model.layout import NR_LATENCY_BINS
from tests.model.machines import DEVICE, NODE, anon, file, plain, reader, set_free

SLICE_S = 0.01


def started(model, env, rate_per_s: float | None = None):
    model.tick.start_episode(env)
    env.slice_s = SLICE_S
    model.demand.share_device(env, SLICE_S)
    if rate_per_s is not None:
        env.workload[0].throughput_per_s = rate_per_s
    return env


def test_a_closed_loop_without_misses_runs_at_the_speed_of_its_threads(model):
    env = started(model, plain(reader=[reader(files=[file(1000)], threads=3, think_ms=0.09, op_cpu_us=10)]))
    assert env.workload[0].throughput_per_s == pytest.approx(3 / 100e-6)


def test_a_paced_loop_runs_at_its_pace_if_its_threads_can(model):
    for pace, threads, speed in ((5000, 1, 5000), (5000, 4, 5000), (300_000, 1, 100_000)):
        env = started(model, plain(reader=[reader(files=[file(1000)], threads=threads, ops_per_s=pace)]))
        assert env.workload[0].throughput_per_s == pytest.approx(speed)


def test_a_closed_loop_that_always_misses_waits_its_latency_each_time(model):
    env = started(model, plain(reader=[reader(files=[file(size=10**4 * 5)], threads=2, op_cpu_us=20)]))
    read_s = 4096 / (3000 * 2**20)
    read_s = max(read_s, 1 / 400_000)
    assert env.workload[0].throughput_per_s == pytest.approx(2 / (20e-6 + 80e-6 + read_s), rel=0.03)


@pytest.mark.parametrize(("mib_per_s", "threads"), [(40, 50), (400, 4), (40, 2)])
def test_readers_who_want_more_than_the_device_gives_keep_it_busy(model, mib_per_s, threads):
    slow = {**DEVICE, "bandwidth_mib_per_s": mib_per_s}
    pair = [reader(name, files=[file(size=50000, readahead_pages=4)], threads=threads) for name in ("a", "b")]
    env = plain(device=slow, reader=pair, node=[{"total_mib": 500}])
    model.tick.start_episode(env)
    for _ in range(30):
        model.tick.tick(env)
        read_s = model.device.read_s(env.device, 4)
        assert env.device.backlog_s <= 2 * threads * read_s + 0.003  # each thread waits for one read
    assert env.device.used_s == pytest.approx(0.3, rel=0.02) and env.device.used_s < 0.3 + 1e-9


def test_the_device_serves_no_more_than_time_allows_and_keeps_the_rest(model):
    env = plain()
    env.device.page_s, env.device.request_s = 1e-3, 5e-3
    model.device.submit(env.device, 2.0, 1)  # two small reads: a request each
    model.device.submit(env.device, 1.0, 20)  # one large: its pages
    assert env.device.submitted_s == pytest.approx(0.03)
    model.device.serve(env.device, 0.01)
    assert (env.device.used_s, env.device.backlog_s) == pytest.approx((0.01, 0.02))
    assert model.device.wait_of_miss(env.device, 1) == pytest.approx(80e-6 + 5e-3 + 0.02)
    model.device.serve(env.device, 0.05)
    assert (env.device.used_s, env.device.backlog_s) == pytest.approx((0.03, 0.0))


def test_a_miss_brings_the_absent_pages_of_its_window(model):
    env = plain(reader=[reader(files=[file(500, size=1000, readahead_pages=9)])])
    assert model.demand.window_pages(env.class_[0]) == pytest.approx(1 + 8 * 500 / 1000)


def test_misses_read_in_what_was_touched_and_count_it(model):
    env = plain(reader=[reader(files=[file(size=20000)], threads=4)])
    started(model, env, rate_per_s=20000 * 5.0)  # each page 0.05 times in a slice
    model.reader.run_reader(env, 0, SLICE_S)
    model.arrivals.deliver(env, 0, 1.0)
    came = env.node[0].list_pages[0]
    assert came == pytest.approx(20000 * (1 - math.exp(-0.05)), rel=0.1)
    assert env.node[0].vmstat.pgpgin == 4 * came
    assert env.class_[0].absent_pages == 20000 - came
    assert env.memcg[0].usage_pages == came
    assert env.node[0].vmstat.workingset_refault_file == 0
    assert env.workload[0].ops == pytest.approx(1000)


def test_a_page_fault_that_misses_is_a_major_fault(model):
    for access, major in (("read", False), ("mmap", True)):
        env = plain(reader=[reader(files=[file(size=20000, access=access)])])
        started(model, env, rate_per_s=1e5)
        model.reader.run_reader(env, 0, SLICE_S)
        assert (env.node[0].vmstat.pgmajfault > 0) == major


def test_refault_waits_are_those_of_pages_that_had_been_there(model):
    env = plain(reader=[reader(files=[file(20000)])])
    model.folio_fate.evict(env, env.set_[0], 10000, 0)
    started(model, env, rate_per_s=1e5)
    model.reader.run_reader(env, 0, SLICE_S)
    refaults = env.node[0].vmstat.workingset_refault_file
    assert refaults > 300
    wait_s = model.device.wait_of_miss(env.device, 1)
    assert env.node[0].vmstat.refault_wait_s == pytest.approx(refaults * wait_s, rel=0.01)
    assert env.workload[0].refault_wait_s == env.node[0].vmstat.refault_wait_s


def test_no_node_gets_more_recent_refaults_than_refaults(model):
    for refaulted in range(9):
        for recent in range(refaulted + 1):
            env = plain(node=[NODE] * 3, reader=[reader(files=[file([0, 0, 0], size=1000)])])
            env.granted_pages[:3] = 2, 1, 5
            model.reader.spread(env, 0, 8, 8.0, 8, refaulted, recent)
            vmstats = [node.vmstat for node in env.node[:3]]
            shares = [(one.workingset_refault_file, one.workingset_activate_file) for one in vmstats]
            assert all(some >= few for some, few in shares), (refaulted, recent)
            assert tuple(map(sum, zip(*shares, strict=True))) == (refaulted, recent)


def test_operations_go_on_while_any_of_their_files_is_in_use(model):
    for silent, ops in (((), 10), ((0,), 10), ((0, 1), 0)):
        env = started(model, plain(reader=[reader(files=[file(1000), file(1000)], ops_per_s=1000)]))
        for c in silent:
            env.class_[c].on = 0
        model.reader.run_reader(env, 0, SLICE_S)
        assert env.workload[0].ops == pytest.approx(ops)


def test_an_open_loop_keeps_a_bounded_backlog_and_drops_the_rest(model):
    env = plain(reader=[reader(files=[file(1000)], ops_per_s=1000, max_backlog_ops=15)])
    work = env.workload[0]
    work.throughput_per_s = 400
    model.reader.finish_ops(env, work, 4.0, 0.01)
    assert (work.backlog_ops, work.lost_ops, work.ops) == pytest.approx((6, 0, 4))
    for _ in range(3):
        model.reader.finish_ops(env, work, 4.0, 0.01)
    assert (work.backlog_ops, work.lost_ops) == pytest.approx((15, 9))


@pytest.mark.parametrize("at_s", [0.5, 2.0])
def test_outside_its_time_nobody_asks_a_paced_workload_for_anything(model, at_s):
    env = plain(stream=[{"name": "s", "cpu_node": 0, "mib_per_s": 60, "start_s": 1, "stop_s": 2}])
    env.time_s = at_s
    work = env.workload[0]
    for _ in range(200):
        model.reader.run_stream(env, 0, 0.01)
    assert (work.ops, work.backlog_ops, work.lost_ops) == (0, 0, 0)


def streaming(model, mib_per_s: float, slices: int, **fields):
    env = started(model, plain(stream=[{"name": "s", "cpu_node": 0, "mib_per_s": mib_per_s, **fields}]))
    for _ in range(slices):
        model.demand.share_device(env, SLICE_S)
        model.reader.run_stream(env, 0, SLICE_S)
        model.device.serve(env.device, SLICE_S)
        env.node[0].arrived_ratio = 0.0
        model.arrivals.deliver(env, 0, 1.0)
    return env


def test_a_stream_brings_new_pages_none_of_which_comes_back(model):
    env = streaming(model, 10, slices=10)
    assert env.node[0].list_pages[0] == env.workload[0].ops == pytest.approx(256, abs=32)
    assert env.node[0].vmstat.pgpgin == 4 * env.workload[0].ops
    assert env.device.used_s == pytest.approx(env.workload[0].ops * 4096 / (3000 * 2**20))
    assert env.class_[0].absent_pages == 0


@pytest.mark.parametrize("mib_per_s", [0.05, 3.3, 10.1])
def test_a_stream_keeps_its_pace_to_the_page(model, mib_per_s):
    begun_pages = streaming(model, mib_per_s, slices=0).workload[0].carry_pages
    work = streaming(model, mib_per_s, slices=300).workload[0]
    assert work.ops + work.carry_pages - begun_pages == pytest.approx(mib_per_s * 256 * 3)
    assert work.lost_ops == 0


@pytest.mark.parametrize(("mib_per_s", "windows"), [(100, 8), (3, 0)])
def test_a_stream_reads_whole_windows(model, mib_per_s, windows):
    env = streaming(model, mib_per_s, slices=0)
    env.workload[0].carry_pages = 16
    model.demand.share_device(env, SLICE_S)
    model.reader.run_stream(env, 0, SLICE_S)
    assert (env.node[0].paced_windows, env.set_[0].arriving_pages) == (windows, 32 * windows)


def test_streams_are_not_in_step(model):
    env = plain(stream=[{"name": name, "cpu_node": 0, "mib_per_s": 5} for name in "abcd"])
    begun = [float(work.carry_pages) for work in started(model, env).workload[:4]]
    assert len(set(begun)) == 4 and min(begun) > 0 and max(begun) < 32


def test_a_streams_windows_are_evenly_apart(model):
    env = streaming(model, 37.5, slices=0)  # three windows in a slice
    env.workload[0].carry_pages = 16
    model.demand.share_device(env, SLICE_S)
    model.reader.run_stream(env, 0, SLICE_S)
    seen = []
    for ratio in (0.16, 0.17, 0.49, 0.51, 0.83, 0.84, 1.0):  # due at 1/6, 3/6, 5/6
        model.arrivals.deliver(env, 0, ratio)
        seen.append(int(env.node[0].list_pages[0]))
    assert seen == [0, 32, 32, 64, 64, 96, 96]
    assert env.node[0].paced_windows == 0


def test_a_slow_file_read_in_order_comes_in_windows(model):
    env = started(
        model, plain(reader=[reader(files=[file(size=20000, readahead_pages=32)])]), rate_per_s=20.0
    )
    env.class_[0].loop = 1
    for tick in range(500):  # a page every fifth slice
        env.tick = tick
        model.reader.run_reader(env, 0, SLICE_S)
        assert env.set_[0].arriving_pages % 32 == 0
    assert 0 < env.set_[0].arriving_pages == 32 * env.node[0].arriving_windows


def test_a_stream_catches_up_on_what_memory_refused_it(model):
    env = streaming(model, 25, slices=1)
    set_free(env, 0)
    env.node[0].kswapd_failures = 16
    env.class_[0].one_touch = 1
    env.node[0].list_pages[0] = env.lruvec[0].list_pages[0] = env.set_[0].resident_pages[0] = 0
    model.demand.share_device(env, SLICE_S)
    model.reader.run_stream(env, 0, SLICE_S)
    assert env.workload[0].backlog_ops == 64
    set_free(env, 5000)
    model.demand.share_device(env, SLICE_S)
    model.reader.run_stream(env, 0, SLICE_S)
    assert env.workload[0].ops == 3 * 64


def test_workloads_run_from_their_start_to_their_stop(model):
    late = reader(files=[file(size=3000)], start_s=0.05, stop_s=0.1)
    env = plain(reader=[late])
    ops = []
    for now_s in (0.0, 0.049, 0.05, 0.099, 0.1):
        env.time_s = now_s
        model.demand.share_device(env, SLICE_S)
        ops.append(env.workload[0].throughput_per_s > 0)
    assert ops == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("latency_s", "place"), [(1e-7, 0), (1e-6, 0), (1.5e-6, 1), (2.1e-6, 2), (1e-3, 19), (1e9, 63)]
)
def test_latencies_fall_into_two_bins_an_octave(model, latency_s, place):
    env = plain(reader=[reader(files=[file(10)])])
    model.latency.record(env.workload[0], latency_s, 2.5)
    counted = np.zeros(NR_LATENCY_BINS)
    counted[place] = 2.5
    assert env.workload[0].latency_ops.tolist() == counted.tolist()


def test_operations_that_miss_or_stall_are_slower_by_their_wait(model):
    env = plain(reader=[reader(files=[file(10)], op_cpu_us=10)])
    work = env.workload[0]
    work.missed_ops, work.waited_s = 20.0, 20 * 100e-6
    missed = 100 * (1 - math.exp(-20 / 100))
    model.reader.count_latency(work, 100.0, 2, 4e-3)
    at = {2.0 ** (b / 2) * 1e-6: n for b, n in enumerate(work.latency_ops) if n > 0}
    assert sum(at.values()) == pytest.approx(100)
    fast, slow, stalled = sorted(at)
    assert fast <= 10e-6 and at[fast] == pytest.approx(100 - missed)
    assert 64e-6 < slow <= 10e-6 + 2000e-6 / missed and at[slow] == pytest.approx(missed - 2)
    assert 1.4e-3 < stalled <= 2.2e-3 and at[stalled] == pytest.approx(2)


def test_time_hopeless_is_told_apart_by_what_could_be_reclaimed(model):
    for cold, failures, phase, labels in (
        (3000, 16, 0, (True, True, False)),
        (100, 16, 0, (True, False, False)),
        (100, 3, RUN, (False, False, True)),
        (3000, 3, RUN, (False, False, False)),
    ):
        env = plain(reader=[reader(files=[file(cold)])])
        set_free(env, 300)  # 468 short of high
        env.node[0].kswapd_failures, env.node[0].kswapd_phase = failures, phase
        model.account.account(env)
        vmstat = env.node[0].vmstat
        booked = (vmstat.hopeless_s, vmstat.false_dead_s, vmstat.false_alive_s)
        assert booked == pytest.approx([0.01 * label for label in labels])


def test_hot_or_protected_pages_are_not_cold(model):
    env = plain(cgroup=[{"name": "box"}], reader=[reader(cgroup="box", files=[file(3000)])])
    assert model.account.cold_pages(env, 0) == 3000
    env.class_[0].rate_per_s = 1e6
    assert model.account.cold_pages(env, 0) == 0
    env.class_[0].rate_per_s = 0.0
    env.memcg[0].elow_pages = 3000
    assert model.account.cold_pages(env, 0) == 0


def test_running_means_forget_with_their_time_constants(model):
    env = plain()
    env.node[0].vmstat.pgsteal_file = 100
    model.account.account(env)
    rise = 100 / 0.01
    assert env.node[0].steal_2s_per_s == pytest.approx(rise * (1 - math.exp(-0.01 / 2)))
    assert env.node[0].steal_20s_per_s == pytest.approx(rise * (1 - math.exp(-0.01 / 20)))
    for _ in range(200):
        model.account.account(env)
    assert env.node[0].steal_2s_per_s == pytest.approx(rise * (1 - math.exp(-0.01 / 2)) / math.e)


def test_turns_within_a_tick_rotate(model):
    """Two greedy tasks on a node that has enough for one: each comes first in every other tick."""
    env = plain(
        node=[NODE], anon=[anon(name, pages=0, schedule=[[0, 200]], oom_score_adj=-1000) for name in "ab"]
    )
    set_free(env, 740)
    env.node[0].kswapd_failures = 16
    firsts = []
    for tick in range(4):
        env.tick = tick
        before = env.workload["anon_pages"][:2, 0].copy()
        set_free(env, 740)
        model.tick.tick(env)
        firsts.append(int(np.argmax(env.workload["anon_pages"][:2, 0] - before)))
    assert firsts == [0, 1, 0, 1]
