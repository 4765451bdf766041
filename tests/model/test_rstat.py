"""Statistics that are up to date every two seconds, and what is decided on them in between."""

import numpy as np
import pytest

from reclaim_env.model.constants import ACTIVE, INACTIVE
from tests.model.machines import NODE, file, one_file, one_run, plain, reader, set_free


def test_the_worker_flushes_every_two_seconds_whatever_the_tick(model):
    for tick_s in (0.01, 0.25, 0.3):
        env = one_file(inactive=1000)
        model.rstat.begin_flushes(env)
        assert 0.0 <= env.flush_phase_s < 2.0
        phase_s, seen = env.flush_phase_s, []
        env.tick_s = tick_s
        for tick in range(round(9.0 / tick_s)):
            env.time_s = tick * tick_s
            env.node[0].workingset_activate = tick
            model.rstat.flush_memcg_stats_dwork(env)
            if env.node[0].stat_workingset_activate == tick > 0:
                seen.append(env.time_s)
        wanted = np.arange(phase_s, 9.0 - tick_s, 2.0)
        assert len(seen) == len(wanted)
        assert np.all(seen >= wanted - 1e-9) and np.all(seen - wanted < tick_s + 1e-9)


def test_the_phase_is_the_episodes_own(model):
    phases = []
    for seed in range(40):
        env = one_file(inactive=1000)
        env.seed = seed
        model.rstat.begin_flushes(env)
        phases.append(float(env.flush_phase_s))
    assert len(set(phases)) == 40
    assert np.mean(phases) == pytest.approx(1.0, abs=0.3)


def test_deactivation_goes_by_the_lists_of_the_last_flush(model):
    for flushed, refills in ((False, False), (True, True)):
        env = one_file(inactive=8000, active=4000)
        set_free(env, 0)
        shorten(model, env, 6000)  # the inactive list is low now: 2000 against 4000
        if flushed:
            model.rstat.do_flush_stats(env)
        one_run(model, env)
        assert (env.node[0].vmstat.pgrefill > 0) == refills


def test_a_task_decides_on_the_lists_of_the_last_flush_too(model):
    for root in (-1, 0):
        env = one_file(inactive=8000, active=4000)
        shorten(model, env, 6000)
        assert not model.reclaim.may_deactivate(env, root, 0)
        model.rstat.do_flush_stats(env)
        assert model.reclaim.may_deactivate(env, root, 0)


def test_activations_between_two_flushes_are_news_in_one_run_only(model):
    env = one_file(inactive=16000, active=4000)
    env.node[0].unusable_pages = 1 << 40  # never balanced
    refills = []
    for activated, flush in ((5, False), (9, True), (12, False), (12, True)):
        env.node[0].workingset_activate = activated
        if flush:
            model.rstat.do_flush_stats(env)
            env.node[0].stat_list_pages[INACTIVE] = 16000  # not low, for this test's sake
        before = int(env.node[0].vmstat.pgrefill)
        one_run(model, env)
        refills.append(bool(env.node[0].vmstat.pgrefill > before))
    assert refills == [False, True, False, True]


def test_a_refault_distance_is_held_against_the_active_list_of_the_last_flush(model):
    env = one_file(inactive=1000, active=500)
    env.node[0].list_pages[ACTIVE] = env.lruvec[0].list_pages[ACTIVE] = 77
    assert [model.workingset.workingset_pages(env, env.set_[0], evictor) for evictor in (0, 1)] == [500, 500]
    model.rstat.do_flush_stats(env)
    assert [model.workingset.workingset_pages(env, env.set_[0], evictor) for evictor in (0, 1)] == [77, 77]


def filled(mib_per_s: float | None):
    """A hot file of 1000 active pages, then one of 3000 inactive ones on each of two nodes."""
    hot = reader("hot", "box", files=[file(active=[1000, 0])])
    cold = reader("cold", files=[file(inactive=[3000, 3000])])
    fields = {} if mib_per_s is None else {"filled_mib_per_s": mib_per_s}
    return plain(node=[NODE, NODE], cgroup=[{"name": "box"}], reader=[hot, cold], **fields)


@pytest.mark.parametrize(
    ("at_s", "seen"),
    [
        (-9.0, [(0, 0), (0, 0)]),
        (-6.5, [(0, 500), (0, 0)]),  # half of the first file
        (-6.0, [(0, 1000), (0, 0)]),
        (-4.0, [(2000, 1000), (0, 0)]),
        (-1.0, [(3000, 1000), (2000, 0)]),
        (0.0, [(3000, 1000), (3000, 0)]),
    ],
)
def test_a_flush_before_the_start_saw_the_files_read_in_one_after_the_other(model, at_s, seen):
    env = filled(1000 / 256)
    model.rstat.show_filling(env, at_s)
    lists = [tuple(int(pages) for pages in node.stat_list_pages) for node in env.node[:2]]
    assert lists == seen
    assert [sum(int(lru.stat_list_pages[lst]) for lru in env.lruvec[:4]) for lst in (INACTIVE, ACTIVE)] == [
        sum(pages) for pages in zip(*seen, strict=True)
    ]


def test_an_episode_begins_with_the_picture_of_the_last_flush(model):
    env = filled(1000 / 256)
    model.rstat.begin_flushes(env)
    assert env.node[1].stat_list_pages[INACTIVE] == pytest.approx(
        3000 - 1000 * (2.0 - env.flush_phase_s), abs=1
    )
    settled = filled(None)
    model.rstat.begin_flushes(settled)
    assert [int(pages) for pages in settled.node[1].stat_list_pages] == [3000, 0]


def shorten(model, env, pages):
    """Takes pages off the only file's inactive list."""
    model.bins.resize(env, env.set_[0], INACTIVE, -pages)
    env.set_[0].cells[INACTIVE] *= 1.0 - pages / (pages + env.set_[0].resident_pages[INACTIVE])
