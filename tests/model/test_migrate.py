"""Demotion to a lower tier."""

import pytest

from reclaim_env.model.constants import (
    DEMOTION_OFF,
    DEMOTION_ON,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    OTHER,
    SWAPON,
)
from tests.model.audit_anon import anon_adds_up
from tests.model.machines import NODE, anon, cold, file, heat_lists, heats, lists, plain, reader, set_free

NOW_S = 1.0
TIERS = [{**NODE, "demotes_to": 1}, NODE]


def tiered(pages: int = 1000, free_below: int = 30000, rule: str = "never", kernel: str = "7.0", **tables):
    """Node 0 demotes to node 1; a process with cold pages on node 0, and a file."""
    task = anon(cgroup="box", pages=[pages, 0], threads=4, heat=heats(0.0))
    tables = {
        "node": TIERS,
        "cgroup": [{"name": "box"}],
        "anon": [task],
        "reader": [reader(cgroup="box", files=[file([1000, 0], size=3000)])],
        **tables,
    }
    env = plain(rule, kernel=kernel, **tables)
    cold(env, env.nr_classes)
    set_free(env, free_below, nid=1)
    return env


def anon_row(env) -> int:
    return env.nr_nodes * env.nr_memcgs


def test_reclaimed_pages_of_both_types_move_to_the_lower_tier_and_count_as_reclaimed(model):
    env = tiered()
    above, below = (int(env.node[nid].free_pages) for nid in (0, 1))
    usage = int(env.memcg[0].usage_pages)
    _, _, cost_s = model.vmscan.shrink_inactive_list(env, anon_row(env), 100, KSWAPD, NOW_S)
    model.vmscan.shrink_inactive_list(env, 0, 50, GLOBAL_DIRECT, NOW_S)
    assert (env.node[0].free_pages, env.node[1].free_pages) == (above + 150, below - 150)
    assert heat_lists(env) == (900, 0) and heat_lists(env, nid=1) == (100, 0)
    assert lists(env, 0) == (950, 0) and lists(env, 1) == (50, 0)
    assert env.memcg[0].usage_pages == usage
    vmstat = env.node[0].vmstat
    assert (vmstat.pgdemote_kswapd, vmstat.pgdemote_direct) == (100, 50)
    assert (vmstat.pgsteal_kswapd, vmstat.pgsteal_direct) == (100, 50)
    assert cost_s == pytest.approx(100 * (0.25e-6 + 0.6e-6 + 0.7e-6 + 2e-6))
    assert env.set_[0].shadow_pages.sum() == 0
    anon_adds_up(env)


def test_the_lower_tier_gives_what_lies_above_min_and_its_kswapd_is_woken(model):
    env = tiered(free_below=512 + 60)
    model.vmscan.shrink_inactive_list(env, 0, 100, KSWAPD, NOW_S)
    assert env.node[1].free_pages == 512 and env.node[1].kswapd_phase == 1
    assert env.node[0].vmstat.pgdemote_kswapd == 60
    assert lists(env, 0) == (900, 0) and env.class_[0].absent_pages == 2000 + 40  # leftovers were dropped


def test_anonymous_leftovers_without_swap_stay(model):
    env = tiered(free_below=512 + 60)
    scanned, reclaimed, _ = model.vmscan.shrink_inactive_list(env, anon_row(env), 100, KSWAPD, NOW_S)
    assert (scanned, reclaimed) == (100, 60)
    assert heat_lists(env) == (900, 40)
    anon_adds_up(env)


@pytest.mark.parametrize("kernel", ["6.12", "6.18", "7.0"])
def test_demotion_switched_on_clears_every_count_from_6_18(model, kernel):
    env = tiered(kernel=kernel)
    for nid in (0, 1):
        env.node[nid].kswapd_failures = 16
    model.switches.flip(env, DEMOTION_ON)  # it was on: nothing changes
    assert [int(env.node[nid].kswapd_failures) for nid in (0, 1)] == [16, 16]
    model.switches.flip(env, DEMOTION_OFF)
    assert not model.migrate.can_demote(env, 0)
    model.switches.flip(env, DEMOTION_ON)
    cleared = kernel != "6.12"
    assert [int(env.node[nid].kswapd_failures) for nid in (0, 1)] == ([0, 0] if cleared else [16, 16])
    assert env.node[0].vmstat.revivals[OTHER] == cleared


def test_swapon_clears_no_count_in_any_version(model):
    env = tiered()
    env.node[0].kswapd_failures = 16
    model.switches.flip(env, SWAPON)
    assert env.swap.on and env.node[0].kswapd_failures == 16


def test_the_lowest_tier_demotes_nowhere(model):
    env = tiered()
    assert model.migrate.can_demote(env, 0) and not model.migrate.can_demote(env, 1)
    assert not model.lru_balance.can_reclaim_anon_pages(env, -1, 1)
    assert env.node[1].anon_list_pages[INACTIVE] == 0
