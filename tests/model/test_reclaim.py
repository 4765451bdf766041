"""Descents by tasks: nodes, cgroups, and the second and third attempts."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from reclaim_env.model.constants import FRESH, GLOBAL_DIRECT, MEMCG_HIGH, UNREFERENCED
from tests.model.machines import HOT_PER_S, NODE, file, lists, one_file, plain, reader, set_flag

NOW_S = 2.0


def direct(model, env, mask: int = -1, batch: int = 1, start: int = 0):
    """(reclaimed, calls) of direct reclaim."""
    reclaimed, _, calls = model.reclaim.try_to_free_pages(env, start, mask, batch, NOW_S)
    return reclaimed, calls


def boxes(*files: list[dict], nodes: int = 1, **fields):
    """A cgroup and a reader for each list of files."""
    names = [f"box{i}" for i in range(len(files))]
    cgroups = [{"name": name, **fields} for name in names]
    readers = [reader(name, name, files=own) for name, own in zip(names, files, strict=True)]
    return plain(node=[NODE] * nodes, cgroup=cgroups, reader=readers)


def test_a_call_takes_thirty_two_pages_and_no_more_than_its_last_pass(model):
    env = one_file(inactive=4000)
    assert direct(model, env) == (57, 1)  # 1 + 3 + 7 + 15 + 31
    assert env.node[0].vmstat.progress[GLOBAL_DIRECT] == 5


def test_priority_goes_down_to_zero(model):
    env = one_file(inactive=5)
    assert direct(model, env) == (5, 1)


def test_a_fruitless_call_walks_all_then_deactivates_if_active_pages_were_spared(model):
    # The few inactive pages are just faulted: kept at the first look.
    env = one_file("mmap", inactive=4000, active=3000, rate_per_s=HOT_PER_S)
    set_flag(env, FRESH)
    assert direct(model, env) == (0, 3)
    assert env.node[0].vmstat.pgrefill > 0
    assert direct(model, one_file()) == (0, 2)  # nothing was spared


@contextmanager
def passes_counted(model, merged: bool) -> Iterator[list[int]]:
    """The priorities at which shrink_node() is called in here; `merged`: passes are made as one."""
    lowest, shrink_node = model.reclaim.LOWEST_MERGED, model.reclaim.shrink_node
    priorities: list[int] = []

    def counted(env, nid, root, priority, *others):
        priorities.append(int(priority))
        return shrink_node(env, nid, root, priority, *others)

    model.reclaim.shrink_node = counted
    model.reclaim.LOWEST_MERGED = lowest if merged else 12
    try:
        yield priorities
    finally:
        model.reclaim.shrink_node, model.reclaim.LOWEST_MERGED = shrink_node, lowest


# Of one call for 64 pages, or of more at once: lists of (inactive, active) pages.
CALLS = {
    "read": ("read", 400, 0, 1),
    "mapped": ("mmap", 900, 300, 1),
    "mostly active": ("mmap", 100, 900, 1),
    "executable": ("exec", 300, 900, 1),
    "four at once": ("mmap", 300, 900, 4),
}


@pytest.mark.parametrize(("access", "inactive", "active", "batch"), CALLS.values(), ids=CALLS)
def test_a_tasks_first_passes_made_as_one_are_what_they_are_one_by_one(
    model, access, inactive, active, batch
):
    found, nr_passes = [], []
    for merged in (False, True):
        env = one_file(access, inactive=inactive, active=active, rate_per_s=HOT_PER_S)
        env.lruvec[0].stat_workingset_activate = 1  # it may deactivate
        with passes_counted(model, merged) as priorities:
            _, spent_s, calls = model.reclaim.try_to_free_mem_cgroup_pages(
                env, 0, 0, 64, batch, MEMCG_HIGH, NOW_S
            )
        vmstat = env.node[0].vmstat
        spent_us = 1e6 * spent_s
        found.append([vmstat.pgscan_file, vmstat.pgsteal_file, vmstat.pgdeactivate, spent_us, calls])
        nr_passes.append(len(priorities))
    one_by_one, at_once = np.array(found, float)
    assert nr_passes[1] < nr_passes[0]
    assert at_once == pytest.approx(one_by_one, rel=0.01, abs=2)


def merged(model, env, **changes) -> bool:
    """Does a call for the first cgroup's limit make any passes as one?"""
    with passes_counted(model, True) as priorities:
        model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, changes.get("batch", 1), MEMCG_HIGH, NOW_S)
    return bool((np.diff(priorities[:3]) < -1).any()) or priorities[0] < 8


def test_passes_are_made_as_one_only_where_none_of_them_can_be_the_last_or_meet_what_another_put_back(model):
    assert merged(model, one_file(inactive=300))
    assert not merged(model, one_file(inactive=300), batch=64)  # the calls together meet the list twice


def test_passes_are_not_made_as_one_where_the_walk_begins_in_the_middle(model):
    """What lies before the cursor is not seen by the first pass, but by all that follow."""
    scanned = []
    for is_merged in (False, True):
        env = plain(
            cgroup=[{"name": "box"}, {"name": "in", "parent": "box"}, {"name": "on", "parent": "box"}],
            reader=[reader(name, name, files=[file(300)]) for name in ("box", "in", "on")],
        )
        env.lruvec[0].reclaim_cursor = 2
        with passes_counted(model, is_merged):
            model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 512, 1, MEMCG_HIGH, NOW_S)
        scanned.append([int(memcg.pgscan) for memcg in env.memcg[:3]])
    assert scanned[1] == pytest.approx(scanned[0], abs=3)


def test_low_is_broken_only_when_nothing_else_gives(model):
    env = boxes([file(4000)], memory_low_mib=100)
    model.page_counter.mem_cgroup_calculate_protection(env, -1)
    env.node[0].stat_workingset_activate = 1
    assert direct(model, env)[1] == 3
    assert lists(env)[0] < 4000
    assert env.memcg[0].events_low > 0
    env = boxes([file(4000)], [file(4000)])
    env.memcg[0].elow_pages = 4000
    assert direct(model, env) == (57, 1)
    assert lists(env, 0)[0] == 4000 and lists(env, 1)[0] < 4000


def test_min_is_never_broken(model):
    env = boxes([file(4000)], memory_min_mib=100)
    model.page_counter.mem_cgroup_calculate_protection(env, -1)
    assert direct(model, env)[0] == 0
    assert env.node[0].vmstat.pgscan_file == 0


def test_calls_take_turns_on_cgroups(model):
    env = boxes([file(20700)], [file(20700)], [file(20700)])
    # 5 pages of each at priority 12, then 10 of two; the next call has one to go before the tree ends.
    for _ in range(6):
        assert direct(model, env) == (35, 1)
    assert [20700 - lists(env, c)[0] for c in range(3)] == [75, 75, 60]


def test_a_partial_walk_ends_at_the_trees_end_a_full_one_sees_every_cgroup(model):
    env = boxes([file(20700)], [file(20700)], [file(20700)])
    env.node[0].reclaim_cursor = 2
    for full, walked in ((0, [0, 0, 5]), (1, [5, 5, 5])):
        before = [int(memcg.pgscan) for memcg in env.memcg[:3]]
        env.sc.full_walk = full
        model.reclaim.shrink_node(env, 0, -1, 12, False, 100, 1, 0, GLOBAL_DIRECT, NOW_S)
        assert [int(memcg.pgscan) - old for memcg, old in zip(env.memcg[:3], before, strict=True)] == walked
        assert env.node[0].reclaim_cursor == 0


def test_the_root_is_walked_first(model):
    env = plain(
        cgroup=[{"name": "box"}],
        reader=[reader("in", "box", files=[file(20700)]), reader("out", files=[file(20700)])],
    )
    model.reclaim.shrink_node(env, 0, -1, 12, False, 3, 1, 0, GLOBAL_DIRECT, NOW_S)
    assert [int(memcg.pgscan) for memcg in env.memcg[:2]] == [0, 5]


def test_calls_for_a_limit_take_turns_on_its_cgroups_by_a_cursor_of_their_own(model):
    cgroups = [{"name": "top"}, *({"name": name, "parent": "top"} for name in "ab")]
    env = plain(cgroup=cgroups, reader=[reader(name, name, files=[file(20480)]) for name in "ab"])
    for scanned in ([40, 0], [40, 40], [79, 40]):
        model.reclaim.shrink_node(env, 0, 0, 9, False, 33, 1, 0, MEMCG_HIGH, NOW_S)
        assert [int(memcg.pgscan) for memcg in env.memcg[1:3]] == scanned
    assert env.node[0].reclaim_cursor == 0


def test_a_walk_that_stopped_at_the_last_cgroup_below_a_limit_begins_again_at_the_first(model):
    names = ("leaf", "other")
    env = plain(
        cgroup=[{"name": name} for name in names],
        reader=[reader(name, name, files=[file(20480)]) for name in names],
    )
    for scanned in ([40, 0], [79, 0]):
        model.reclaim.shrink_node(env, 0, 0, 9, False, 33, 1, 0, MEMCG_HIGH, NOW_S)
        assert [int(memcg.pgscan) for memcg in env.memcg[:2]] == scanned


def test_every_allowed_node_is_shrunk_at_each_priority(model):
    env = boxes([file([3000, 3000, 3000])], nodes=3)
    direct(model, env, mask=0b101)
    scans = [int(node.vmstat.pgscan_direct) for node in env.node[:3]]
    assert scans[0] > 0 and scans[1] == 0 and scans[2] > 0
    assert scans[2] == pytest.approx(scans[0], abs=20)


def test_limit_reclaim_takes_from_the_cgroup_and_its_children_on_all_nodes(model):
    cgroups = [{"name": "top"}, {"name": "leaf", "parent": "top"}, {"name": "other"}]
    files = [file([3000, 3000])]
    readers = [reader("in", "leaf", files=files), reader("out", "other", files=files)]
    env = plain(node=[NODE, NODE], cgroup=cgroups, reader=readers)
    reclaimed, _, _ = model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, 1, MEMCG_HIGH, NOW_S)
    assert reclaimed >= 64
    assert (env.memcg[1].pgsteal, env.memcg[2].pgsteal) == (reclaimed, 0)
    assert all(node.vmstat.progress[MEMCG_HIGH] > 0 for node in env.node[:2])
    assert env.node[0].vmstat.allocstall == env.node[0].vmstat.pgscan_direct == 0


def test_a_limit_call_is_for_at_least_a_cluster(model):
    env = one_file(inactive=4000)
    assert model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 1, 1, MEMCG_HIGH, NOW_S)[0] == 57


def test_several_calls_at_once_free_as_much_as_one_by_one(model):
    together, apart = one_file(inactive=20000), one_file(inactive=20000)
    at_once = direct(model, together, batch=8)[0]
    one_by_one = sum(direct(model, apart)[0] for _ in range(8))
    assert at_once >= 8 * 32
    assert at_once == pytest.approx(one_by_one, rel=0.35)


@pytest.mark.parametrize("members", [1, 4])
def test_the_second_lap_of_a_call_finds_untouched_what_the_first_put_back(model, members):
    # Each page is young: it was looked at last a second ago.
    env = one_file("mmap", inactive=500, rate_per_s=100.0, cgroup=[{"name": "box", "count": members}])
    for call in range(members):
        before = int(env.memcg[0].pgscan)
        freed, _, _ = model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, 1, MEMCG_HIGH, NOW_S + call)
        assert 64 <= freed < 64 + 32
        assert env.memcg[0].pgscan - before <= 500 + 64 + 32


def test_further_calls_of_a_member_meet_what_the_first_left_of_its_list(model):
    env = one_file("mmap", inactive=100, active=50, cgroup=[{"name": "box", "count": 4}])
    freed = []
    for call in range(3):
        env.sc.same_members = call > 0
        freed.append(model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, 1, MEMCG_HIGH, NOW_S)[0])
    # Its 100 inactive pages, then those of its 50 active ones that it has to deactivate.
    assert freed[0] >= 64 and sum(freed[:2]) == 100 and 32 <= freed[2] <= 50
    assert sum(lists(env)) == 600 - sum(freed)


def test_pages_in_their_first_lap_are_as_old_as_they_are(model):
    env = one_file("mmap", inactive=4000, rate_per_s=100.0)
    set_flag(env, UNREFERENCED)
    env.lruvec[0].inserted_s[0] = NOW_S - 1e-4  # examined a moment ago by somebody else
    freed, _, _ = model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, 1, MEMCG_HIGH, NOW_S)
    assert 64 <= freed <= env.memcg[0].pgscan < 127
    assert freed > 0.9 * env.memcg[0].pgscan


def test_activations_by_refault_allow_deactivation_once(model):
    env = one_file(inactive=8000, active=4000)
    assert not model.reclaim.may_deactivate(env, -1, 0)
    env.node[0].stat_workingset_activate = 3
    assert model.reclaim.may_deactivate(env, -1, 0)
    direct(model, env)
    assert not model.reclaim.may_deactivate(env, -1, 0)
    env.lruvec[0].stat_workingset_activate = 3
    assert model.reclaim.may_deactivate(env, 0, 0)
    model.reclaim.try_to_free_mem_cgroup_pages(env, 0, 0, 64, 1, MEMCG_HIGH, NOW_S)
    assert not model.reclaim.may_deactivate(env, 0, 0)


def test_a_crowd_is_visited_member_by_member_until_the_calls_have_their_pages(model):
    env = plain(cgroup=[{"name": "box", "count": 50}], reader=[reader(cgroup="box", files=[file(40)])])
    reclaimed, calls = direct(model, env)
    assert (reclaimed, calls) == (32, 1)  # a page each at priority 5
    assert model.reclaim.members_to_walk(env, 0, 0, 5, 10, 1) == 10
    assert model.reclaim.members_to_walk(env, 0, 0, 12, 10, 1) == 50
    assert model.reclaim.members_to_walk(env, 0, 0, 12, -5, 3) == 3
