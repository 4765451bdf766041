"""Memory of the reference that comes and goes: what is managed and free, the marks anew, nobody's count."""

import pytest

from reclaim_env.reference.boot import boot, run
from reclaim_env.reference.hotplug import init_per_zone_wmark_min, plug
from reclaim_env.reference.names import RUN
from reclaim_env.reference.records import Machine
from reclaim_env.reference.zone import take_page
from reclaim_env.scenario import Scenario

from .machines import audit, scenario


def plugged(kind: str, mib: float = 32, node: int = 0, **tables) -> tuple[Machine, Scenario]:
    one = {"at_s": 1, "kind": kind, "node": node, "mib": mib}
    nodes = [{"total_mib": 256, "kernel_mib": 100}, {"total_mib": 300}]
    table = scenario(**{"node": nodes, "hotplug": [one], **tables})
    return boot(table), table


def marks(m: Machine) -> list[list[int]]:
    return [[int(row[f"{name}_pages"]) for name in ("min", "low", "high")] for row in m.node]


@pytest.mark.parametrize(("kind", "sign"), [("online", 1), ("offline", -1), ("inflate", -1)])
def test_managed_and_free_pages_change_alike_and_no_count_is_cleared(kind, sign):
    m, _ = plugged(kind)
    m.node["kswapd_failures"] = 16
    before = m.node[["managed_pages", "free_pages"]].tolist()
    plug(m, 0)
    after = m.node[["managed_pages", "free_pages"]].tolist()
    assert after == [tuple(pages + sign * 32 * 256 for pages in before[0]), before[1]]
    assert m.node["kswapd_failures"].tolist() == [16, 16]
    audit(m)


@pytest.mark.parametrize("thp", [True, False])
@pytest.mark.parametrize("min_free_kib", [None, 128, 9000])
@pytest.mark.parametrize("scale_factor", [10, 300])
def test_the_marks_after_a_block_are_those_a_machine_of_that_size_boots_with(thp, min_free_kib, scale_factor):
    tables = {"thp": thp, "min_free_kib": min_free_kib, "watermark_scale_factor": scale_factor}
    m, _ = plugged("online", 100, 1, **tables)
    plug(m, 0)  # which goes by the most that anybody wants
    floor = {"min_free_kib": 9000 if min_free_kib == 9000 and not thp else None}
    bigger = boot(scenario(**{**tables, **floor, "node": [{"total_mib": 256}, {"total_mib": 400}]}))
    assert marks(m) == marks(bigger)


def test_a_balloon_changes_no_mark_and_gives_back_no_more_than_it_took():
    m, _ = plugged("inflate")
    before, free = marks(m), int(m.node[0]["free_pages"])
    plug(m, 0)
    m.plug[0]["kind"], m.plug[0]["pages"] = 3, 50_000
    plug(m, 0)
    assert (m.node[0]["free_pages"], m.node[0]["balloon_pages"]) == (free, 0)
    assert marks(m) == before


def test_boosts_are_over_when_the_marks_are_set():
    m, _ = plugged("online")
    plug(m, 0)
    unboosted = marks(m)
    m.node[0]["boost_pages"] = 512
    m.node[0]["high_pages"] += 512
    init_per_zone_wmark_min(m)
    assert (marks(m), m.node[0]["boost_pages"]) == (unboosted, 0)


def test_what_lacks_free_pages_stops_at_min_and_wakes_kswapd():
    m, _ = plugged("offline", 200)
    plug(m, 0)
    node = m.node[0]
    assert node["free_pages"] - node["unusable_pages"] == node["min_pages"]
    assert m.plug[0]["pages"] == 200 * 256 - (256 * 256 - node["managed_pages"])
    assert node["phase"] == RUN


def test_a_balloon_that_deflates_passes_the_free_path_and_a_block_does_not():
    for kind, failures in (("online", 16), ("deflate", 0)):
        m, _ = plugged(kind)
        node = m.node[0]
        node["kswapd_failures"], node["balloon_pages"] = 16, 40_000
        node["managed_pages"] -= 40_000
        while node["free_pages"] > node["high_pages"]:
            take_page(node)
            node["kernel_pages"] += 1
        plug(m, 0)
        assert node["kswapd_failures"] == failures


@pytest.mark.slow
def test_what_was_asked_for_is_done_as_pages_are_freed():
    size = [[0, 150], [1.5, 150], [2, 20]]
    task = {"name": "hog", "cpu_node": 0, "initial_mib": [150, 0], "schedule": size, "oom_score_adj": -1000}
    m, _ = plugged("offline", 60, anon=[task])
    run(m, 1.4)
    assert m.plug[0]["pages"] > 0
    audit(m)
    run(m, 3.0)
    assert m.plug[0]["pages"] == 0
    audit(m)
