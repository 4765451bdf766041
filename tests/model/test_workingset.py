"""Shadows, the refault distance, and what comes back active."""

import numpy as np
import pytest

from reclaim_env.model.constants import ACTIVE, BY_LIMIT, BY_NODE, GLOBAL_DIRECT, INACTIVE, KSWAPD, MEMCG_HIGH
from tests.model.machines import NODE, file, lists, one_file, plain, reader

NOW_S = 2.0


def evicted(model, active: int = 600, by: np.int64 = BY_NODE, pages: int = 100):
    """A file whose never-read pages are gone, so that every absent page has a shadow."""
    env = one_file(inactive=3000, active=active)
    env.class_[0].pages -= 1000
    env.class_[0].new_pages = env.class_[0].absent_pages = 0
    model.folio_fate.evict(env, env.set_[0], pages, by)
    return env


def refault(model, env, pages: int, u: float = 0.5):
    return model.workingset.workingset_refault(env, 0, pages, u)


@pytest.mark.parametrize("by", [BY_NODE, BY_LIMIT])
@pytest.mark.parametrize(("later", "recent"), [(0, 1), (599, 1), (600, 0)])
def test_a_refault_is_recent_within_as_many_evictions_as_there_are_active_pages(model, by, later, recent):
    env = evicted(model, active=600, by=by, pages=1)
    model.workingset.workingset_age_nonresident(env, env.lruvec[0], later)
    # The page's own eviction counts: its distance is one more than the evictions after it.
    assert refault(model, env, 1) == (1, recent)
    assert env.class_[0].absent_pages == 0


def test_the_clock_of_the_cgroup_judges_pages_its_limit_evicted(model):
    env = evicted(model, by=BY_LIMIT, pages=10)
    env.node[0].nonresident_age += 10**6  # other cgroups of the node were busy
    assert refault(model, env, 10) == (10, 10)
    env = evicted(model, by=BY_NODE, pages=10)
    env.node[0].nonresident_age += 10**6
    assert refault(model, env, 10) == (10, 0)


def test_the_active_pages_of_the_whole_node_judge_pages_kswapd_evicted(model):
    cgroups = [{"name": "a"}, {"name": "b"}]
    files = [file(1000)], [file(10, 500)]
    readers = [reader(name, name, files=own) for name, own in zip("ab", files, strict=True)]
    for by, recent in ((BY_NODE, 10), (BY_LIMIT, 0)):  # cgroup a has no active page of its own
        env = plain(cgroup=cgroups, reader=readers)
        model.folio_fate.evict(env, env.set_[0], 10, by)
        assert model.workingset.workingset_refault(env, 0, 10, 0.5) == (10, recent)


def test_pages_never_read_before_are_no_refaults(model):
    env = one_file(inactive=100)  # 1000 pages not read yet
    assert refault(model, env, 400) == (0, 0)
    assert (env.class_[0].new_pages, env.class_[0].absent_pages) == (600, 600)


def test_every_absent_page_is_as_likely_as_any_other(model):
    total = 0
    for i in range(100):
        env = one_file(inactive=3000)
        model.folio_fate.evict(env, env.set_[0], 250, BY_NODE)
        total += refault(model, env, 125, (i + 0.5) / 100)[0]
        assert env.class_[0].absent_pages == 1250 - 125
        assert env.class_[0].new_pages + env.set_[0].shadow_pages.sum() == 1250 - 125
    assert total / 100 == pytest.approx(125 * 250 / 1250, abs=0.02)


def test_old_shadows_are_told_from_young_ones(model):
    env = evicted(model, active=600, pages=100)
    model.workingset.workingset_age_nonresident(env, env.lruvec[0], 1000)
    model.folio_fate.evict(env, env.set_[0], 50, BY_NODE)
    assert refault(model, env, 150) == (150, 50)


def test_shadows_are_merged_but_never_lost(model):
    env = evicted(model, active=60, pages=10)
    for _ in range(20):
        model.workingset.workingset_age_nonresident(env, env.lruvec[0], 100)
        model.folio_fate.evict(env, env.set_[0], 10, BY_NODE)
    assert env.set_[0].shadow_pages[BY_NODE].sum() == 210
    ages = env.set_[0].shadow_age[BY_NODE]
    assert list(ages) == sorted(ages, reverse=True)


def test_one_touch_pages_leave_no_shadow_but_move_the_clock(model):
    stream = {"name": "s", "cgroup": "box", "cpu_node": 0, "mib_per_s": 1, "inactive_mib": [4]}
    env = plain(cgroup=[{"name": "box"}], stream=[stream])
    model.vmscan.shrink_inactive_list(env, 0, 100, KSWAPD, NOW_S)
    assert env.set_[0].shadow_pages.sum() == 0
    assert env.node[0].nonresident_age == 100
    assert env.class_[0].absent_pages == 0


def test_limit_reclaim_leaves_its_shadows_with_the_cgroup(model):
    for reason, by in ((KSWAPD, BY_NODE), (GLOBAL_DIRECT, BY_NODE), (MEMCG_HIGH, BY_LIMIT)):
        env = one_file(inactive=800)
        model.vmscan.shrink_inactive_list(env, 0, 80, reason, NOW_S)
        assert env.set_[0].shadow_pages[by].sum() == 80


def arriving(model, access: str, pages: int, demanded: int, active: int):
    env = one_file(access, inactive=800, active=100)
    model.arrivals.expect(env, env.set_[0], pages, demanded, demanded, active)
    model.arrivals.deliver(env, 0, 1.0)
    return env


@pytest.mark.parametrize(
    ("access", "flags"), [("read", [15, 15, 0]), ("mmap", [0, 0, 30]), ("exec", [0, 0, 30])]
)
def test_pages_arrive_at_the_head_touched_if_demanded_or_mapped_around(model, access, flags):
    env = arriving(model, access, pages=40, demanded=25, active=10)
    assert lists(env) == (830, 110)
    head = env.set_[0].cells[INACTIVE, :, 0] - 100 * (env.set_[0].cells[INACTIVE, :, 7] > 0)
    assert head.tolist() == pytest.approx(flags)
    assert env.set_[0].cells[ACTIVE, np.argmax(flags) if access != "read" else 1, 0] >= 10
    node = env.node[0]
    assert (node.workingset_activate, env.lruvec[0].workingset_activate, node.arriving_windows) == (10, 10, 0)
    assert node.nonresident_age == env.lruvec[0].nonresident_age == 10


def arrived_pages(model, windows: int, ratios: tuple[float, ...]) -> list[int]:
    """Of 960 pages in so many windows those on the lists at these parts of the slice."""
    env = one_file(inactive=100)
    model.arrivals.expect(env, env.set_[0], 960, windows, 960, 0)
    seen = []
    for ratio in ratios:
        model.arrivals.deliver(env, 0, ratio)
        seen.append(lists(env)[0] - 100)
    return seen


def test_arrivals_are_spread_over_the_slice(model):
    seen = arrived_pages(model, 960, (0.0, 0.25, 0.5, 0.5, 1.0))
    assert seen[0] == 0 and seen[4] == 960
    assert seen[1] == pytest.approx(240, abs=77) and seen[2] == seen[3] == pytest.approx(480, abs=86)


def test_a_window_comes_whole(model):
    seen = arrived_pages(model, 60, (0.1, 0.3, 0.5, 0.7, 1.0))
    assert [pages % 16 for pages in seen] == [0] * 5
    assert 0 < seen[2] < 960 == seen[4]


def test_a_readers_pages_are_shared_out_to_the_nodes_that_gave_the_frames(model):
    env = plain(node=[NODE, NODE], reader=[reader(files=[file([10, 10], size=1000)])])
    env.granted_pages[:2] = [30, 10]
    model.reader.spread(env, 0, 40, 20.0, 20, 8, 4)
    assert [int(n.arriving_windows) for n in env.node[:2]] == [15, 5]
    assert [int(env.set_[nid].arriving_pages) for nid in (0, 1)] == [30, 10]
    assert [int(n.vmstat.workingset_refault_file) for n in env.node[:2]] == [6, 2]
    assert [int(n.vmstat.workingset_activate_file) for n in env.node[:2]] == [3, 1]
    assert [int(n.vmstat.pgpgin) for n in env.node[:2]] == [120, 40]
    assert [int(n.vmstat.bystander_refault_pages) for n in env.node[:2]] == [6, 2]
    assert env.memcg[0].workingset_refault_file == 8


def test_activations_by_refault_are_news_to_every_ancestor_at_its_limit(model):
    cgroups = [{"name": "top"}, {"name": "leaf", "parent": "top"}]
    env = plain(node=[NODE, NODE], cgroup=cgroups, reader=[reader(cgroup="leaf", files=[file([100, 100])])])
    model.arrivals.expect(env, env.set_[1], 10, 10, 10, 4)
    model.arrivals.deliver(env, 1, 1.0)
    assert [int(lruvec.workingset_activate) for lruvec in env.lruvec[:4]] == [0, 0, 4, 4]
    model.rstat.do_flush_stats(env)
    assert [model.reclaim.may_deactivate(env, 0, nid) for nid in range(2)] == [False, True]
