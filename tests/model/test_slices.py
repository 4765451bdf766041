"""How a tick is cut: a slice a run of kswapd, and more where tasks reclaim or a node is drained fast."""

import pytest

from reclaim_env.model.constants import ANON, RUN
from tests.model.machines import anon, file, mib, one_file, plain, reader, set_free

# Touched twice a tick of 10 ms: refaults allow all eight slices, and what reclaims decides.
HOT_PER_S = 200.0


def hot(env, rate_per_s: float = HOT_PER_S):
    """The first file is touched so often."""
    env.class_[0].rate_per_s = rate_per_s
    return env


def test_a_tick_is_cut_where_a_node_is_drained_fast(model):
    env = plain()
    assert model.slices.count_slices(env) == 1
    gap = (640 - 512) // 4
    env.node[0].vmstat.pgalloc_normal += 3 * gap
    assert model.slices.count_slices(env) == 4
    assert model.slices.count_slices(env) == 1  # what was allocated is counted once
    env.node[0].vmstat.pgalloc_normal += 10**6
    assert model.slices.count_slices(env) == model.slices.MAX_SLICES


@pytest.mark.parametrize(("access", "scan_us"), [("read", 0.1), ("mmap", 0.25)])
def test_each_run_of_kswapd_has_a_slice(model, access, scan_us):
    """A run costs what its pages cost: a lap over mapped ones takes longer, and a tick holds fewer."""
    env = hot(one_file(access, inactive=12000))
    env.node[0].kswapd_phase = RUN
    lap_s = 12 * (env.cost.pass_s + env.nr_members * env.cost.pass_memcg_s) + 12000 * scan_us * 1e-6
    assert model.kswapd.lap_s(env, 0) == pytest.approx(lap_s)
    assert model.slices.count_slices(env) == round(0.01 / lap_s) > 1
    hot(env, 60.0)
    assert model.slices.count_slices(env) == min(round(0.01 / lap_s), 3)  # refaults are slower than that


def test_a_tick_after_one_in_which_a_task_reclaimed_is_cut(model):
    env = hot(one_file(inactive=800))
    env.node[0].vmstat.allocstall += 1
    assert model.slices.count_slices(env) == 8
    assert model.slices.count_slices(env) == 1  # nobody did in that one
    env.node[0].vmstat.allocstall += 1
    hot(env, 60.0)
    assert model.slices.count_slices(env) == 3


def full(missing: int):
    """A node with 300 pages above min, on which a task wants so many more."""
    task = anon(initial_mib=[mib(100)], schedule=[[0, mib(100 + 300 + missing)]])
    env = hot(plain(anon=[task], reader=[reader(files=[file(800)])]))
    set_free(env, int(env.node[0].min_wmark_pages + env.node[0].unusable_pages) + 300)
    return env


@pytest.mark.parametrize(("missing", "slices"), [(0, 1), (1, 8)])
def test_a_tick_in_which_a_task_wants_more_than_its_nodes_have_is_cut(model, missing, slices):
    assert model.slices.count_slices(full(missing)) == slices


@pytest.mark.parametrize(("field", "value"), [("dying", 1), ("restart_at_s", 9.0)])
def test_a_killed_task_wants_nothing(model, field, value):
    env = full(missing=1)
    setattr(next(work for work in env.workload if work.kind == ANON), field, value)
    assert model.slices.count_slices(env) == 1
