"""Anonymous memory over time, and atomic bursts."""

import pytest

from reclaim_env.model.constants import RUN, SLEEP
from tests.model.machines import anon, file, mib, plain, reader, set_free

RESERVE = 512 - 512 // 2 - (512 - 512 // 2) // 4  # 3/8 of min


def network(free: int, burst_pages: int = 100, **fields):
    burst = {
        "name": "net",
        "cpu_node": 0,
        "burst_kib": burst_pages * 4,
        "every_ms": 100,
        "hold_ms": 30,
        **fields,
    }
    env = plain(atomic=[burst])
    set_free(env, free)
    return env


@pytest.mark.parametrize(
    ("free", "got", "wakes"),
    [
        (740 + 1, 100, False),
        (740, 100, False),
        (739, 100, True),
        (RESERVE + 100, 100, True),
        (RESERVE + 60, 60, True),
        (RESERVE, 0, True),
    ],
)
def test_atomic_bursts_go_down_to_three_eighths_of_min_and_wake_kswapd_below_low(model, free, got, wakes):
    env = network(free)
    assert RESERVE == 192
    model.anon.run_atomic(env, 0)
    node = env.node[0]
    assert node.free_pages == free - got
    assert node.vmstat.atomic_fail == env.workload[0].lost_ops == (got < 100)
    assert node.kswapd_phase == (RUN if wakes else SLEEP)
    assert env.workload[0].ops == 1


def held_over_time(model, env, until_s: float, step_s: float = 0.01) -> list[int]:
    held = []
    for i in range(round(until_s / step_s)):
        env.time_s = i * step_s
        model.anon.run_atomic(env, 0)
        held.append(int(env.workload[0].anon_pages[0]))
    return held


def test_a_burst_comes_every_period_and_is_given_back_after_its_hold(model):
    env = network(5000)
    held = held_over_time(model, env, 0.3)
    assert held == [100, 100, 100, 0, 0, 0, 0, 0, 0, 0] * 3
    assert env.node[0].free_pages == 5000
    assert env.workload[0].ops == 3


def test_a_burst_held_when_its_workload_stops_is_given_back(model):
    env = network(5000, start_s=0.1, stop_s=0.22)
    held = held_over_time(model, env, 0.4)
    assert held == [0] * 10 + [100, 100, 100] + [0] * 7 + [100, 100] + [0] * 18
    assert env.node[0].free_pages == 5000


def test_targets_follow_the_schedule_and_the_burst(model):
    schedule = [[0, 10], [2, 20], [4, 20], [5, 0]]
    env = plain(anon=[anon(pages=2560, schedule=schedule)])
    for now_s, pages in ((0, 2560), (1, 3840), (3, 5120), (4.5, 2560), (5, 0), (99, 0)):
        env.time_s = now_s
        assert model.anon.target_pages(env, env.workload[0]) == pages
    bursts = {"burst_mib": mib(100), "burst_every_ms": 100, "burst_hold_ms": 30}
    env = plain(anon=[anon(pages=1000, **bursts)])
    for now_s, pages in ((0, 1100), (0.02, 1100), (0.04, 1000), (0.11, 1100), (0.19, 1000)):
        env.time_s = now_s
        assert model.anon.target_pages(env, env.workload[0]) == pages


def test_growing_and_shrinking_take_their_cpu_time(model):
    env = plain(anon=[anon(pages=0, schedule=[[0, 100]], threads=2)])
    model.anon.run_anon(env, 0, 0.003)
    assert env.workload[0].anon_pages[0] == 8000  # 2 threads, 0.75 us a page
    assert env.memcg[0].usage_pages == 8000
    env = plain(anon=[anon(pages=25600, schedule=[[0, 0]])])
    model.anon.run_anon(env, 0, 0.0015)
    assert env.workload[0].anon_pages[0] == 25600 - 10000  # 0.15 us a page
    assert env.node[0].free_pages == 65536 - 15600


def test_churn_frees_as_much_as_it_takes(model):
    env = plain(anon=[anon(pages=5000, churn_mib_per_s=100)])
    for _ in range(10):
        model.anon.run_anon(env, 0, 0.01)
    assert env.workload[0].anon_pages[0] == 5000
    assert env.node[0].vmstat.pgalloc_normal == env.node[0].vmstat.pgfree == 2560


def test_pages_are_given_back_where_they_lie(model):
    env = plain(node=[{"total_mib": 256}] * 2, anon=[anon(pages=[3000, 1000])])
    model.anon.give_back(env, 0, 4000, 400)
    assert env.workload[0].anon_pages[:2].tolist() == [2700, 900]
    assert env.memcg[0].anon_pages[:2].tolist() == [2700, 900]
    assert env.memcg[0].usage_pages == 3600


def test_a_task_loses_no_more_time_than_it_has(model):
    hog = anon(pages=20000, churn_mib_per_s=500, schedule=[[0, 90]], threads=3)
    env = plain(anon=[hog], reader=[reader(files=[file(4000)])])
    set_free(env, 256)  # half of min: every allocation waits for kswapd
    env.slice_s = 0.01
    model.anon.run_anon(env, 0, 0.01)
    assert env.node[0].vmstat.pgscan_direct_throttle > 0
    assert env.workload[0].stall_s == pytest.approx(0.03)
    assert env.node[0].vmstat.stall_s == pytest.approx(0.03)
