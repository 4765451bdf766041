"""The reference's pool of slab: what a call takes, and whose progress it is."""

import pytest

from reclaim_env.reference.direct import descend
from reclaim_env.reference.names import ALL_NODES, GLOBAL_DIRECT, KSWAPD, MEMCG_HIGH, ROOT
from reclaim_env.reference.slab import grow_slab, shrink_slab
from reclaim_env.reference.zone import take_page

from .machines import audit, one_file

BOX = 1


def with_slab(mib: float, **node: float):
    return one_file(node=[{"total_mib": 256, "slab_mib": mib, **node}])


@pytest.mark.parametrize(("priority", "objects"), [(12, 0), (9, 128), (5, 3328), (1, 53_760), (0, 53_760)])
def test_a_call_takes_twice_the_pool_shifted_in_whole_batches(priority, objects):
    m = with_slab(10)  # 53,760 objects
    shrink_slab(m, 0, priority)
    assert m.node[0]["slabs_scanned"] == objects
    audit(m)


def test_what_is_less_than_a_batch_waits_for_the_next_call():
    m = with_slab(10)
    for _ in range(4):
        shrink_slab(m, 0, 12)  # 26 objects a call, and the deferred ones shifted away
    assert m.node[0]["slabs_scanned"] == 0
    shrink_slab(m, 0, 9)
    assert m.node[0]["slab_deferred"] == 4 * 26 + 210 - 128


def test_slab_is_progress_for_direct_reclaim_and_not_for_a_limit():
    for target, reason, freed in ((ROOT, GLOBAL_DIRECT, True), (BOX, MEMCG_HIGH, False)):
        m = with_slab(10)
        got = descend(m, 0, ALL_NODES, target, 32, reason, False, False, False)
        assert (got > 0) == freed
        assert (m.node[0]["progress"][reason] > 0) == freed
        assert m.node[0]["pgsteal_file"] == m.node[0]["progress"][KSWAPD] == 0


def test_a_pool_grows_a_page_at_a_time_down_to_min():
    m = with_slab(0, slab_mib_per_s=1)
    node = m.node[0]
    grow_slab(m, 0)
    assert (node["slab_pages"], node["slab_objects"]) == (1, 21)
    while node["free_pages"] > node["min_pages"]:
        take_page(node)
        node["kernel_pages"] += 1
    grow_slab(m, 0)
    assert node["slab_pages"] == 1
    audit(m)
