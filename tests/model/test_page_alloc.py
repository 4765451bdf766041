"""The allocator: where pages come from, who is woken, direct reclaim, throttling, OOM."""

import pytest

from reclaim_env.model.constants import GLOBAL_DIRECT, RUN, SLEEP, UNREFERENCED
from tests.model.machines import NODE, anon, file, plain, reader, set_flag, set_free

MIN, LOW, HIGH = 512, 640, 768
PLENTY_S = 1.0


def two_nodes(*free: int, **fields):
    """Two nodes with so many free pages, and a task on node 0."""
    env = plain(node=[NODE] * len(free), anon=[anon(pages=[0] * len(free), **fields)])
    for nid, pages in enumerate(free):
        set_free(env, pages, nid)
    return env


def take(model, env, nr_pages: int, budget_s: float = PLENTY_S, w: int = 0):
    """(granted, seconds, pages from each node)."""
    granted, lost_s = model.page_alloc.alloc_pages(env, w, nr_pages, budget_s)
    return granted, lost_s, env.granted_pages[: env.nr_nodes].tolist()


def phases(env) -> list[int]:
    return [int(node.kswapd_phase) for node in env.node[: env.nr_nodes]]


def test_a_task_takes_local_pages_down_to_low_then_spills_and_wakes_nobody(model):
    env = two_nodes(LOW + 100, 5000)
    assert take(model, env, 150) == (150, 0.0, [100, 50])
    assert phases(env) == [SLEEP, SLEEP]
    local, remote = env.node[0].vmstat, env.node[1].vmstat
    assert (local.numa_hit, local.numa_miss, local.numa_foreign) == (100, 0, 50)
    assert (remote.numa_hit, remote.numa_miss, remote.numa_foreign) == (0, 50, 0)
    assert (local.pgalloc_normal, remote.pgalloc_normal) == (100, 50)
    assert (env.node[0].free_pages, env.node[1].free_pages) == (LOW, 4950)


def test_the_walk_goes_by_distance(model):
    rows = ([10, 30, 20], [30, 10, 20], [20, 20, 10])
    env = plain(node=[{**NODE, "distance": row} for row in rows], anon=[anon(pages=[0, 0, 0])])
    for nid, pages in enumerate((LOW + 10, LOW + 10, LOW + 10)):
        set_free(env, pages, nid)
    assert take(model, env, 15)[2] == [10, 0, 5]


def test_the_slow_path_wakes_every_allowed_node_and_takes_down_to_min_in_zonelist_order(model):
    env = two_nodes(LOW, LOW)
    assert take(model, env, 150) == (150, 0.0, [LOW - MIN, 150 - (LOW - MIN)])
    assert phases(env) == [RUN, RUN]


def test_unusable_pages_are_left_alone(model):
    env = two_nodes(LOW + 200, LOW)
    env.node[0].unusable_pages = 150
    assert take(model, env, 60)[2] == [60, 0]
    assert phases(env) == [RUN, RUN]  # 50 above low, the rest by the slow path
    assert take(model, env, 1000, budget_s=0.0)[2] == [MIN + 150 + 78 - MIN - 150 + 40, LOW - MIN]
    assert env.node[0].free_pages == MIN + 150


def test_a_bound_task_takes_and_wakes_only_its_nodes(model):
    env = two_nodes(LOW, 5000, policy="bind", nodes=[0])
    granted, _, by_node = take(model, env, 500, budget_s=0.0)
    assert (granted, by_node) == (LOW - MIN, [LOW - MIN, 0])
    assert phases(env) == [RUN, SLEEP]


def test_a_preferred_node_is_where_the_walk_starts(model):
    env = two_nodes(5000, 5000, policy="preferred", nodes=[1])
    assert take(model, env, 50)[2] == [0, 50]


def test_interleave_takes_turns_page_by_page_and_call_by_call(model):
    env = two_nodes(5000, 5000, policy="interleave", nodes=[0, 1])
    assert take(model, env, 100)[2] == [50, 50]
    turns = [take(model, env, 1)[2] for _ in range(4)]
    assert turns in ([[1, 0], [0, 1]] * 2, [[0, 1], [1, 0]] * 2)
    before = env.node[0].free_pages
    for _ in range(10):
        take(model, env, 3)
    assert before - env.node[0].free_pages == 15


def test_interleave_falls_back_to_other_nodes(model):
    env = two_nodes(LOW, LOW, 5000, policy="interleave", nodes=[0, 1])
    assert take(model, env, 100)[2] == [0, 0, 100]


def file_node(free: int, inactive: int, access: str = "read", **fields):
    """One node at `free` pages with cold file pages, and a task."""
    env = plain(
        cgroup=[{"name": "box"}],
        anon=[anon(threads=4, **fields)],
        reader=[reader(cgroup="box", files=[file(inactive, access=access)])],
    )
    set_flag(env, UNREFERENCED)
    set_free(env, free)
    return env


def test_at_min_tasks_reclaim_32_pages_a_call_themselves(model):
    env = file_node(MIN, inactive=4000)
    granted, lost_s, _ = take(model, env, 64)
    assert granted == 64
    vmstat = env.node[0].vmstat
    assert vmstat.allocstall == env.workload[0].allocstall == 2
    # A list of 4000 gives 1, 3, 7, 15 and then 31 pages, so 57; the next call 1, 3, 7, 15 and 30.
    assert vmstat.pgscan_direct == vmstat.pgsteal_direct == 57 + 56
    assert vmstat.progress[GLOBAL_DIRECT] == 2 * 5  # a pass is an event
    assert env.node[0].free_pages == MIN + 57 + 56 - 64
    assert lost_s == vmstat.stall_s == env.workload[0].stall_s > 0


def test_direct_reclaim_costs_its_entry_its_passes_and_its_pages(model):
    env = file_node(MIN, inactive=4096 + 4095)  # a list of 8191 gives 1 at priority 12, 3 at 11, ...
    _, lost_s, _ = take(model, env, 1)
    scanned = env.node[0].vmstat.pgscan_direct
    assert scanned == 1 + 3 + 7 + 15 + 31  # the first total of 32 or more, each pass of the shrinking list
    walked = 5 * 2  # the root and then the cgroup, at each priority
    assert lost_s == pytest.approx(5e-6 + 5 * 20e-6 + walked * 1e-6 + scanned * 0.7e-6)


def test_direct_reclaim_shrinks_every_allowed_node_and_no_other(model):
    files = [file([3000, 3000, 3000])]
    env = plain(
        node=[NODE] * 3,
        anon=[anon(pages=[0, 0, 0], policy="bind", nodes=[0, 1])],
        reader=[reader(files=files)],
    )
    for nid, free in enumerate((MIN, MIN, 5000)):
        set_free(env, free, nid)
    take(model, env, 10)
    scans = [int(node.vmstat.pgscan_direct) for node in env.node[:3]]
    assert scans[0] > 0 and scans[1] > 0 and scans[2] == 0


@pytest.mark.parametrize(
    ("free", "failures", "inactive", "waits"),
    [
        (MIN // 2, 0, 4000, True),
        (MIN // 2 + 1, 0, 4000, False),
        (MIN // 2, 16, 4000, False),  # a hopeless node never throttles
        (MIN // 2, 15, 4000, True),
        (MIN // 2, 0, 0, False),  # nothing to reclaim: no reserve to wait for
    ],
)
def test_below_half_of_min_tasks_wait_for_kswapd_unless_it_has_given_up(
    model, free, failures, inactive, waits
):
    env = file_node(free, inactive)
    env.node[0].kswapd_failures = failures
    granted, lost_s, _ = take(model, env, 10, budget_s=0.04)
    vmstat = env.node[0].vmstat
    assert vmstat.pgscan_direct_throttle == (4 if waits else 0)  # as many as threads
    if waits:
        assert (granted, lost_s, vmstat.pgscan_direct) == (0, 0.04, 0)
        assert phases(env) == [RUN]
    elif inactive:
        assert vmstat.pgscan_direct > 0


def test_the_throttle_looks_at_the_first_allowed_node_only(model):
    env = two_nodes(MIN // 2, 5000)
    assert not model.page_alloc.throttle_direct_reclaim(env, 0, 1) or not env.node[0].list_pages.any()
    env.node[0].list_pages[0] = 100
    assert not model.page_alloc.throttle_direct_reclaim(env, 0, 3)
    assert model.page_alloc.throttle_direct_reclaim(env, 1, 3)
    assert model.page_alloc.throttle_direct_reclaim(env, 0, 2)


def test_seventeen_fruitless_tries_call_the_oom_killer_whose_victim_is_freed_in_time(model):
    env = file_node(MIN, inactive=0, pages=3000)
    _, _, by_node = take(model, env, 10)
    victim = env.workload[0]
    assert by_node == [0]
    assert (victim.oom_kill, victim.dying, env.node[0].vmstat.oom_kill) == (1, 1, 1)
    # The first try already finds that no node could reach min by reclaim.
    assert victim.restart_at_s == 30.0
    model.anon.run_anon(env, 0, 0.0003)
    assert victim.anon_pages[0] == 1000  # 0.15 us a page
    model.anon.run_anon(env, 0, 0.0003)
    assert (victim.anon_pages[0], victim.dying) == (0, 0)
    assert env.node[0].free_pages == MIN + 3000
    assert env.memcg[victim.memcg].usage_pages == 0
    env.time_s = 29.99
    model.anon.run_anon(env, 0, 0.01)
    assert victim.anon_pages[0] == 0
    env.time_s = 30.0
    model.anon.run_anon(env, 0, 0.01)
    assert victim.anon_pages[0] == 3000


def test_retries_end_after_sixteen_without_progress_or_when_no_node_can_reach_min(model):
    env = file_node(MIN, inactive=4000)
    tries = [model.page_alloc.should_reclaim_retry(env, 0, 1) for _ in range(17)]
    assert tries == [True] * 16 + [False]
    env = file_node(0, inactive=MIN)
    assert not model.page_alloc.should_reclaim_retry(env, 0, 1)
    env = file_node(1, inactive=MIN)
    assert model.page_alloc.should_reclaim_retry(env, 0, 1)


def hogs(*tasks: dict):
    """Two nodes and several tasks in two cgroups."""
    return plain(node=[NODE, NODE], cgroup=[{"name": "a"}, {"name": "b"}], anon=list(tasks))


def hog(name: str, pages: list[int], cgroup: str = "a", **fields) -> dict:
    return anon(name, cgroup, pages=pages, **fields)


def victims(env) -> list[int]:
    return env.workload["dying"][: env.nr_workloads].tolist()


def test_the_largest_task_dies(model):
    env = hogs(hog("x", [1000, 1000]), hog("y", [3000, 0]), hog("z", [0, 2999]))
    assert model.oom_kill.kill_victim(env, -1, -1)
    assert victims(env) == [0, 1, 0]


def test_oom_score_adj_moves_the_score_by_thousandths_of_memory_and_minus_1000_forbids(model):
    memory = 2 * 65536
    for adj, other, dies in ((100, 1001 + memory // 10, 0), (100, 1000 + memory // 10, 1)):
        env = hogs(hog("x", [other, 0]), hog("y", [1000, 0], oom_score_adj=adj))
        model.oom_kill.kill_victim(env, -1, -1)
        assert victims(env) == [1 - dies, dies], (adj, other)
    env = hogs(hog("x", [10, 0]), hog("y", [9000, 0], oom_score_adj=-1000))
    model.oom_kill.kill_victim(env, -1, -1)
    assert victims(env) == [1, 0]


def test_a_task_with_a_negative_score_may_die_where_nobody_scores_higher(model):
    env = hogs(hog("x", [10, 0], oom_score_adj=-900), hog("y", [9000, 0], oom_score_adj=-1000))
    assert model.oom_kill.kill_victim(env, -1, -1)
    assert victims(env) == [1, 0]


def test_a_bound_or_limited_oom_looks_only_where_it_must(model):
    bound = {"policy": "bind", "nodes": [1]}
    env = hogs(hog("x", [9000, 0], policy="bind", nodes=[0]), hog("y", [0, 100], cpu_node=1, **bound))
    model.oom_kill.kill_victim(env, -1, 2)
    assert victims(env) == [0, 1]
    env = hogs(hog("x", [9000, 0]), hog("y", [0, 100], cgroup="b"))
    model.oom_kill.kill_victim(env, 1, -1)
    assert victims(env) == [0, 1]


def test_nobody_else_dies_while_a_victim_is_dying(model):
    env = hogs(hog("x", [100, 0]), hog("y", [3000, 0]))
    assert model.oom_kill.kill_victim(env, -1, -1)
    assert not model.oom_kill.kill_victim(env, -1, -1)
    assert victims(env) == [0, 1]


def test_an_oom_looks_once_more_at_high(model):
    env = two_nodes(HIGH + 1, MIN)
    env.workload[0].anon_pages[0] = 100
    model.page_alloc.out_of_memory(env, 0, 3)
    assert victims(env) == [0]
    model.page_alloc.out_of_memory(env, 0, 2)
    assert victims(env) == [1]
