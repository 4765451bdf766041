"""The killer in user space: when it strikes, whom, and that it is off unless asked for."""

import pytest

from reclaim_env.model.constants import MEMORY_FULL
from tests.model.machines import anon, plain

BUSY, IDLE = "busy", "idle"


def pressed(**oomd):
    """Two cgroups with a process each and one with none; the first was scanned most."""
    env = plain(
        oomd={"pressure_limit_ratio": 0.6, "duration_s": 3, **oomd},
        cgroup=[{"name": BUSY}, {"name": IDLE}, {"name": "files"}],
        anon=[anon("a", BUSY, pages=1000), anon("b", BUSY, pages=10), anon("c", IDLE, pages=5000)],
    )
    env.psi.avg10_ratio[MEMORY_FULL] = 0.7
    return env


def watch(model, env, seconds: range, scanned: tuple[int, int, int] = (100, 10, 1000)) -> list[int]:
    """Seconds in which somebody was killed; each second the cgroups are scanned so many pages."""
    killed = []
    for second in seconds:
        for g, pages in enumerate(scanned):
            env.memcg[g].pgscan += pages
        before = int(env.node[0].vmstat.oomd_kill)
        env.time_s = float(second)
        model.oomd.watch_pressure(env)
        if env.node[0].vmstat.oomd_kill > before:
            killed.append(second)
    return killed


def test_it_strikes_when_the_pressure_has_lasted_and_kills_the_whole_cgroup_scanned_most(model):
    env = pressed()
    assert watch(model, env, range(5)) == [3]
    assert [int(work.dying) for work in env.workload[:3]] == [1, 1, 0]
    assert [int(work.oomd_kill) for work in env.workload[:3]] == [1, 1, 0]
    assert env.node[0].vmstat.oomd_kill == 2 and env.node[0].vmstat.oom_kill == 0
    assert env.workload[0].restart_at_s == 3.0 + env.workload[0].restart_s


def test_of_cgroups_scanned_alike_the_largest_dies(model):
    env = pressed()
    watch(model, env, range(5), scanned=(0, 0, 0))
    assert [int(work.dying) for work in env.workload[:3]] == [0, 0, 1]


def test_what_was_scanned_before_the_last_look_does_not_count(model):
    env = pressed()
    env.memcg[1].pgscan = 10_000
    watch(model, env, range(5), scanned=(20, 10, 0))
    assert [int(work.dying) for work in env.workload[:3]] == [1, 1, 0]


def test_pressure_that_eases_begins_anew(model):
    env = pressed()
    assert watch(model, env, range(3)) == []
    env.psi.avg10_ratio[MEMORY_FULL] = 0.6
    assert watch(model, env, range(3, 4)) == []
    env.psi.avg10_ratio[MEMORY_FULL] = 0.7
    assert watch(model, env, range(4, 9)) == [7]


def test_after_a_kill_it_looks_away_for_fifteen_seconds(model):
    env = pressed()
    assert watch(model, env, range(41)) == [3, 21]  # 3 + 15 + 3


@pytest.mark.parametrize("limit", [0.7, 0.9])
def test_below_its_limit_it_does_nothing(model, limit):
    assert watch(model, pressed(pressure_limit_ratio=limit), range(21)) == []


def test_without_the_table_nobody_watches(model):
    env = pressed()
    env.oomd.limit_ratio = 0.0
    assert watch(model, env, range(21)) == []
    assert plain().oomd.limit_ratio == 0.0
