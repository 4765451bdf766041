"""Charges, memory.high and memory.max, protection."""

import pytest

from reclaim_env.model.constants import MEMCG_HIGH, MEMCG_MAX, PROACTIVE, UNREFERENCED
from tests.model.machines import HOT_PER_S, anon, file, mib, plain, reader, set_flag

PLENTY_S = 10.0


def box(inactive: int = 4000, pages: int = 0, access: str = "read", threads: int = 1, **limits: float):
    """A cgroup with file pages, and a task (workload 0) with anonymous ones; limits in pages."""
    limits = {f"memory_{name}_mib": mib(n) for name, n in limits.items()}
    env = plain(
        cgroup=[{"name": "box", **limits}],
        anon=[anon(cgroup="box", pages=pages, threads=threads)],
        reader=[reader(cgroup="box", files=[file(inactive, size=inactive + 1, access=access)])],
    )
    set_flag(env, UNREFERENCED)
    return env


@pytest.mark.parametrize(
    ("percent", "delay_s"), [(0, 0), (1, 0.0064), (2, 0.0256), (5, 0.16), (10, 0.64), (17.7, 2.0), (100, 2.0)]
)
def test_high_delay_of_a_batch_grows_with_the_square_of_the_overage(model, percent, delay_s):
    high = 100_000
    assert model.memcontrol.calculate_high_delay(percent * high // 100, high, 64) == pytest.approx(
        delay_s, rel=0.01
    )


def test_high_delay_is_in_proportion_to_the_pages_charged(model):
    assert model.memcontrol.calculate_high_delay(5, 100, 128) == pytest.approx(
        2 * model.memcontrol.calculate_high_delay(5, 100, 64)
    )


def test_a_batch_of_64_pages_is_charged_before_the_first_of_them_is_used(model):
    env = box(high=4512)  # 500 pages need 8 batches: 512
    assert model.memcontrol.fault_in(env, 0, 500, PLENTY_S) == (500, 0.0)
    assert (env.memcg[0].usage_pages, env.memcg[0].stock_pages) == (4500, 12)
    model.memcontrol.fault_in(env, 0, 12, PLENTY_S)
    assert (env.memcg[0].events_high, env.memcg[0].pgscan, env.memcg[0].stock_pages) == (0, 0, 0)
    model.memcontrol.fault_in(env, 0, 1, PLENTY_S)
    assert (env.memcg[0].events_high, env.memcg[0].stock_pages) == (1, 63)
    env = box(high=4511)
    model.memcontrol.fault_in(env, 0, 500, PLENTY_S)
    assert env.memcg[0].events_high == 1  # the last of the 8


def test_over_high_every_batch_of_64_pages_is_one_call_for_64(model):
    env = box(high=4030)
    for calls in range(1, 11):
        model.memcontrol.fault_in(env, 0, 64, PLENTY_S)
        assert (env.memcg[0].events_high, env.memcg[0].stock_pages) == (calls, 0)
        assert env.memcg[0].pgsteal >= 64 * calls
        over_pages = 4030 + 1 - env.memcg[0].usage_pages
        model.memcontrol.charge(env, 0, over_pages - 64)  # ... and back to where the next batch is over
    assert env.node[0].vmstat.progress[MEMCG_HIGH] >= 1
    assert env.node[0].vmstat.pgsteal_direct == env.node[0].vmstat.allocstall == 0


def test_batches_that_were_charged_below_high_owe_no_call(model):
    env = box(inactive=0, pages=4000, high=4500)
    model.memcontrol.fault_in(env, 0, 512, PLENTY_S)
    assert env.memcg[0].events_high == 1  # of 8 only the last was charged above


def test_members_draw_on_one_stock_and_look_at_a_batch_each(model):
    env = plain(
        cgroup=[{"name": "box", "count": 4, "memory_high_mib": mib(1000)}],
        anon=[anon(cgroup="box", pages=900)],
    )
    memcg = env.memcg[0]
    assert model.memcontrol.refill_stock(memcg, 100) == 2
    assert memcg.stock_pages == 28
    assert model.memcontrol.charged_pages(memcg, memcg.stock_pages) == 3600 + 28 + 3 * 64
    assert model.memcontrol.refill_stock(memcg, 28) == 0
    assert model.memcontrol.refill_stock(memcg, 1) == 1


def test_limit_reclaim_time_is_the_workloads_but_not_the_allocators(model):
    env = box(high=4000)
    _, lost_s = model.memcontrol.fault_in(env, 0, 640, PLENTY_S)
    assert lost_s == pytest.approx(env.node[0].vmstat.limit_reclaim_s) and lost_s > 0
    assert env.workload[0].stalled_s == pytest.approx(lost_s)
    assert env.node[0].vmstat.stall_s == 0


def test_a_task_over_high_sleeps_when_seventeen_calls_have_got_nowhere(model):
    env = box(inactive=0, pages=4200, high=4000)
    model.memcontrol.fault_in(env, 0, 64, PLENTY_S)
    ratio = 264 / 4000
    assert env.memcg[0].events_high == 17
    assert env.workload[0].sleep_debt_s == pytest.approx(64 * ratio**2)
    assert (env.workload[0].owed_batches, env.workload[0].high_fruitless) == (0, 0)
    model.tick.sleep_off(env, 0.01)
    assert env.workload[0].sleep_debt_s == pytest.approx(64 * ratio**2 - 0.01)
    assert env.node[0].vmstat.high_delay_s == env.memcg[0].high_delay_s == pytest.approx(0.01)


def test_a_delay_of_ten_milliseconds_is_not_slept(model):
    ignored = 4049 - 64  # with the batch it is just under 1.25 % over
    for start, sleeps in ((ignored, False), (ignored + 1, True)):
        env = box(inactive=0, pages=start, high=4000)
        model.memcontrol.fault_in(env, 0, 64, PLENTY_S)
        assert (env.workload[0].sleep_debt_s > 0) == sleeps


def test_far_over_high_a_task_reclaims_until_the_delay_is_ten_milliseconds(model):
    env = box(inactive=4000, pages=1000, high=4000)
    model.memcontrol.fault_in(env, 0, 64, PLENTY_S)
    over = env.memcg[0].usage_pages - 4000
    assert 64 * (over / 4000) ** 2 <= 0.01
    assert over > -100
    assert env.workload[0].sleep_debt_s == 0


def test_a_task_out_of_time_goes_on_where_it_was(model):
    env = box(inactive=0, pages=4200, high=4000)
    calls = []
    for _ in range(17):
        model.memcontrol.fault_in(env, 0, 0 if calls else 64, 1e-9)
        model.memcontrol.handle_over_high(env, 0, 1e-9)
        calls.append(int(env.memcg[0].events_high))
        if env.workload[0].sleep_debt_s > 0:
            break
    assert (calls[0], calls[-1]) == (2, 17)
    assert env.workload[0].owed_batches == 0


def test_a_reader_reclaims_when_what_it_read_is_on_the_lists(model):
    cgroups = [{"name": "box", "memory_high_mib": mib(1000)}]
    env = plain(cgroup=cgroups, reader=[reader(cgroup="box", files=[file(1000, size=2000)])])
    model.memcontrol.fault_in(env, 0, 64, PLENTY_S)
    assert (env.memcg[0].events_high, env.workload[0].owed_batches) == (0, 1)
    model.memcontrol.resume_user_mode_work(env, 0.01)
    assert (env.memcg[0].events_high, env.workload[0].owed_batches) == (1, 0)
    assert env.workload[0].stalled_s == env.node[0].vmstat.limit_reclaim_s > 0


def test_of_several_limits_the_worst_overage_decides_how_long_a_task_sleeps(model):
    cgroups = [
        {"name": "top", "memory_high_mib": mib(4100)},
        {"name": "leaf", "parent": "top", "memory_high_mib": mib(4000)},
    ]
    env = plain(cgroup=cgroups, anon=[anon(cgroup="leaf", pages=4200)])
    model.memcontrol.fault_in(env, 0, 64, PLENTY_S)
    assert [memcg.events_high for memcg in env.memcg[:2]] == [17, 17]
    assert env.workload[0].sleep_debt_s == pytest.approx(64 * (264 / 4000) ** 2)


def test_max_is_never_exceeded(model):
    env = box(max=4100)
    for _ in range(20):
        model.memcontrol.fault_in(env, 0, 77, PLENTY_S)
        assert env.memcg[0].usage_pages <= 4100
    assert env.memcg[0].events_max > 0
    assert env.node[0].vmstat.progress[MEMCG_MAX] > 0
    assert env.node[0].vmstat.progress[MEMCG_HIGH] == 0


def test_at_max_a_call_is_for_32_pages(model):
    env = box(inactive=20_000, max=20_000)
    assert model.memcontrol.fault_in(env, 0, 1, PLENTY_S)[0] == 1
    # 4 + 9 + 19 at the first three priorities
    assert (env.memcg[0].events_max, env.memcg[0].pgsteal) == (1, 32)


def test_eighteen_fruitless_tries_at_max_kill_a_task_of_the_cgroup(model):
    env = box(inactive=0, pages=4000, max=4000)
    calls = 0
    while not env.workload[0].dying:
        assert model.memcontrol.fault_in(env, 0, 10, PLENTY_S)[0] == 0
        calls += 1
    assert env.memcg[0].events_max >= 18
    assert calls == 3  # eight tries a charge
    kills = env.memcg[0].events_oom_kill, env.workload[0].oom_kill, env.node[0].vmstat.oom_kill
    assert kills == (1, 1, 1)


def test_the_tightest_limit_of_the_ancestors_holds(model):
    cgroups = [
        {"name": "top", "memory_max_mib": mib(1000)},
        {"name": "leaf", "parent": "top", "memory_max_mib": mib(5000)},
    ]
    env = plain(cgroup=cgroups, anon=[anon(cgroup="leaf", pages=900)])
    assert model.memcontrol.tightest_max(env, 1) == (0, 100)
    assert model.memcontrol.fault_in(env, 0, 300, PLENTY_S)[0] == 100
    assert [memcg.usage_pages for memcg in env.memcg[:2]] == [1000, 1000]


@pytest.mark.parametrize(("kind", "reason"), [("memory_high", MEMCG_HIGH), ("memory_max", MEMCG_MAX)])
def test_writing_a_limit_reclaims_down_to_it_at_once(model, kind, reason):
    event = {"at_s": 1, "kind": kind, "cgroup": "box", "mib": mib(3000)}
    env = plain(cgroup=[{"name": "box"}], reader=[reader(cgroup="box", files=[file(4000)])], event=[event])
    model.tick.apply_events(env)
    assert env.memcg[0].usage_pages == 4000
    env.time_s = 1.0
    model.tick.apply_events(env)
    left, priority = 4000, 12
    while left > 3000:  # a descent stops after the pass that reaches its target
        left -= left >> priority
        priority -= 1
    assert env.memcg[0].usage_pages == left
    assert env.memcg[0]["high_pages" if reason == MEMCG_HIGH else "max_pages"] == 3000
    assert env.node[0].vmstat.progress[reason] > 0


def test_writing_max_below_what_reclaim_can_reach_kills(model):
    event = {"at_s": 0, "kind": "memory_max", "cgroup": "box", "mib": mib(3000)}
    env = plain(cgroup=[{"name": "box"}], anon=[anon(cgroup="box", pages=4000)], event=[event])
    model.tick.apply_events(env)
    assert (env.workload[0].dying, env.memcg[0].events_oom_kill, env.node[0].vmstat.oom_kill) == (1, 1, 1)


def test_memory_reclaim_frees_what_was_asked_and_changes_no_limit(model):
    event = {"at_s": 0, "kind": "memory_reclaim", "cgroup": "box", "mib": mib(1000)}
    env = plain(cgroup=[{"name": "box"}], reader=[reader(cgroup="box", files=[file(4000)])], event=[event])
    model.tick.apply_events(env)
    assert 2900 <= env.memcg[0].usage_pages <= 3000
    assert (env.memcg[0].high_pages, env.memcg[0].max_pages) == (-1, -1)
    assert env.node[0].vmstat.progress[PROACTIVE] > 1


def test_an_impossible_write_gives_up(model):
    env = box(inactive=500, access="mmap", pages=100)
    set_flag(env, 2)
    env.class_[0].on_rate_per_s = HOT_PER_S
    env.time_s = 1.0
    model.memcontrol.reclaim_to(env, 0, 0, MEMCG_HIGH)
    assert env.memcg[0].usage_pages >= 100


@pytest.mark.parametrize(("reason", "left"), [(MEMCG_HIGH, 0), (MEMCG_MAX, 0), (PROACTIVE, 40)])
def test_writing_a_limit_drains_the_stock_and_asking_for_reclaim_does_not(model, reason, left):
    env = box(inactive=100)
    env.memcg[0].stock_pages = 40
    model.memcontrol.reclaim_to(env, 0, 100, reason)
    assert env.memcg[0].stock_pages == left


def protected(*rows: tuple[str, str, int, int, int]):
    """(name, parent, usage, min, low) -> a machine with those cgroups, protection computed."""
    cgroups = [
        {"name": name, "parent": parent, "memory_min_mib": mib(low_min), "memory_low_mib": mib(low)}
        for name, parent, _, low_min, low in rows
    ]
    tasks = [anon(f"t{i}", row[0], pages=row[2]) for i, row in enumerate(rows) if row[2]]
    return plain(cgroup=cgroups, anon=tasks)


def effective(model, env) -> list[tuple[float, float]]:
    model.page_counter.mem_cgroup_calculate_protection(env, -1)
    return [(float(g.emin_pages), float(g.elow_pages)) for g in env.memcg[: env.nr_memcgs]]


def test_a_top_level_cgroup_has_what_it_asks_for(model):
    env = protected(("a", "", 100, 50, 300))
    assert effective(model, env) == [(50, 300)]


def test_siblings_who_claim_too_much_share_in_proportion(model):
    env = protected(("top", "", 0, 0, 600), ("x", "top", 1000, 0, 600), ("y", "top", 200, 0, 900))
    # Claims: min(1000, 600) = 600 and min(200, 900) = 200 of the parent's 600.
    assert effective(model, env) == [(0, 600), (0, 450), (0, 150)]


def test_what_no_child_claims_goes_by_unprotected_usage(model):
    env = protected(("top", "", 0, 0, 1000), ("x", "top", 600, 0, 200), ("y", "top", 900, 0, 100))
    # 700 unclaimed over 1200 unprotected: 400 of x, 800 of y.
    elow = [low for _, low in effective(model, env)]
    assert elow == pytest.approx([1000, 200 + 700 * 400 / 1200, 100 + 700 * 800 / 1200])


def test_against_its_parents_own_limit_a_child_has_what_it_asks_for(model):
    env = protected(("top", "", 0, 0, 0), ("x", "top", 600, 100, 200), ("y", "x", 300, 50, 50))
    model.page_counter.mem_cgroup_calculate_protection(env, 0)
    assert (env.memcg[1].emin_pages, env.memcg[1].elow_pages) == (100, 200)
    assert env.memcg[2].elow_pages == pytest.approx(50 + 150 * 250 / 850)  # and below it, what that gives


def test_reclaim_for_a_parents_limit_spares_its_protected_child_and_leaves_others_protection(model):
    cgroups = [
        {"name": "top"},
        {"name": "low", "parent": "top", "memory_low_mib": mib(1000)},
        {"name": "free", "parent": "top"},
    ]
    readers = [reader(name, name, files=[file(1000)]) for name in ("low", "free")]
    env = plain(cgroup=cgroups, reader=readers)
    model.page_counter.mem_cgroup_calculate_protection(env, -1)
    model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, 1, MEMCG_HIGH, 1.0)
    assert (env.memcg[1].pgscan, env.memcg[2].pgsteal >= 64) == (0, True)
    assert env.memcg[1].elow_pages == 0


def test_a_child_of_an_unprotected_parent_has_nothing(model):
    env = protected(("top", "", 0, 0, 0), ("x", "top", 600, 100, 200))
    assert effective(model, env) == [(0, 0), (0, 0)]


def test_what_a_child_uses_below_its_claim_goes_to_its_siblings(model):
    env = protected(("top", "", 0, 500, 0), ("x", "top", 100, 300, 0), ("y", "top", 100, 0, 0))
    emin = [low for low, _ in effective(model, env)]
    assert emin == pytest.approx([500, 100, 400])
