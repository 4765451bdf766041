"""Reclaimable slab: how much of it a pass takes, for whom it counts, and how it grows."""

import pytest

from reclaim_env.model.constants import KSWAPD, ONE, ROOT, RUN, SLEEP
from tests.model.machines import mib, one_run, plain, set_free

OBJECTS = 21  # of a page


def pool(pages: int, free: int = 700, **node):
    """A node of 256 MiB with so many pages of slab; its high watermark is 768 pages."""
    env = plain(node=[{"total_mib": 256, "slab_mib": mib(pages), **node}])
    set_free(env, free)
    return env


@pytest.mark.parametrize(
    ("priority", "scanned"),
    [(12, 0), (9, 0), (8, 128), (6, 640), (1, 20_992), (0, 21_000)],  # 2 * (21000 >> p), in batches of 128
)
def test_a_pass_scans_twice_the_pool_shifted_in_whole_batches(model, priority, scanned):
    env = pool(1000)
    freed, _ = model.slab.shrink_slab(env, 0, priority)
    node = env.node[0]
    assert (node.vmstat.slabs_scanned, node.slab_objects) == (scanned, 21_000 - scanned)
    assert (freed, node.slab_pages) == (scanned // OBJECTS, 1000 - scanned // OBJECTS)
    assert node.free_pages == 700 + freed


def test_what_is_less_than_a_batch_waits_for_the_next_pass(model):
    env = pool(1000)
    found = []
    for priority in (9, 9, 0):  # 82 objects each, then all
        model.slab.shrink_slab(env, 0, priority)
        found.append((int(env.node[0].slab_deferred_objects), int(env.node[0].vmstat.slabs_scanned)))
    assert found == [(82, 0), (164, 0), (164 + 42_000 - 21_000, 21_000)]


def test_a_pool_smaller_than_a_batch_goes_whole(model):
    env = pool(2)
    assert model.slab.shrink_slab(env, 0, 0)[0] == 2
    assert env.node[0].slab_objects == env.node[0].slab_pages == 0


def test_slab_freed_by_kswapd_is_progress_of_its_run_and_counts_as_no_page_scanned_or_stolen(model):
    env = pool(1000)
    assert one_run(model, env, merged=True) == []
    node = env.node[0]
    assert node.slab_pages == 1000 - (node.free_pages - 700)
    assert 768 < node.free_pages < 868  # no more than the pass that balanced the node
    assert node.kswapd_failures == node.vmstat.kswapd_fruitless_runs == 0
    assert node.vmstat.progress[KSWAPD] > 0
    assert node.vmstat.pgscan_kswapd == node.vmstat.pgsteal_kswapd == 0


def test_direct_reclaim_takes_slab_too_and_a_cgroup_at_its_limit_does_not(model):
    env = pool(1000)
    freed, _, _ = model.reclaim.try_to_free_pages(env, 0, 1, ONE, 1.0)
    assert freed >= 32 and env.node[0].slab_pages == 1000 - freed
    env = pool(1000)
    for root, expected in ((ROOT, True), (0, False)):
        freed, *_ = model.reclaim.shrink_node(env, 0, root, 6, True, 32, 1, 0, KSWAPD, 1.0)
        assert (freed > 0) == expected


@pytest.mark.parametrize(("free", "got", "phase"), [(5000, 256, SLEEP), (700, 188, RUN), (512, 0, RUN)])
def test_the_trickle_takes_pages_down_to_min_and_wakes_kswapd_below_low(model, free, got, phase):
    env = pool(0, free, slab_mib_per_s=100)
    model.slab.grow_slab(env.node[0], 0.01)
    node = env.node[0]
    assert (node.slab_pages, node.free_pages, node.kswapd_phase) == (got, free - got, phase)
    assert node.vmstat.numa_hit == node.vmstat.pgalloc_normal == got


def test_fractions_of_a_page_are_carried_from_tick_to_tick(model):
    env = pool(0, 5000, slab_mib_per_s=0.1)
    for _ in range(1000):
        model.slab.grow_slab(env.node[0], 0.01)
    assert abs(env.node[0].slab_pages - 256) <= 1
