"""Memory that comes and goes: pages, watermarks, and a count that nothing of it touches."""

import pytest

from reclaim_env.model.constants import FREE_PATH, RUN
from reclaim_env.watermarks import boot_min_free_kib, setup_per_zone_wmarks
from tests.model.audit import audit
from tests.model.machines import NODE, anon, file, machine, plain, reader, set_free
from tests.model.plain import as_records

MIB = 256  # pages
MARKS = ("min", "low", "high", "promo")


def virtual_machine(kind: str, mib: float, nid: int = 0, **tables):
    request = {"at_s": 0, "kind": kind, "node": nid, "mib": mib}
    return plain(**{"node": [NODE, NODE], "hotplug": [request], **tables})


def marks(env) -> list[list[int]]:
    return [[int(env.node[nid][f"{name}_wmark_pages"]) for name in MARKS] for nid in range(env.nr_nodes)]


def test_a_block_on_line_is_free_at_once_and_sets_the_marks_of_every_node_anew(model):
    env = virtual_machine("online", 256, min_free_kib=None, thp=False)
    before = marks(env)
    free = int(env.node[0].free_pages)
    model.memory_hotplug.plug_memory(env)
    assert (env.node[0].managed_pages, env.node[0].free_pages) == (512 * MIB, free + 256 * MIB)
    sizes = (512 * MIB, 256 * MIB)
    wanted = setup_per_zone_wmarks(sizes, boot_min_free_kib(sizes, thp=False), 10)
    assert marks(env) == [list(of_node) for of_node in wanted] != before
    assert env.hotplug[0].left_pages == 0


@pytest.mark.parametrize(
    ("user_kib", "thp", "min_free_kib"),
    [
        (8192, False, 8192),
        (1024, False, 3547),  # isqrt(16 * 768 * 1024)
        (1024, True, 39_320),  # a twentieth of memory
        (60_000, True, 60_000),
    ],
)
def test_what_a_user_wrote_is_a_floor_that_huge_pages_raise(model, user_kib, thp, min_free_kib):
    env = virtual_machine("online", 256, min_free_kib=user_kib, thp=thp)
    model.memory_hotplug.plug_memory(env)
    wanted = setup_per_zone_wmarks((512 * MIB, 256 * MIB), min_free_kib, 10)
    assert marks(env) == [list(of_node) for of_node in wanted]


def test_a_boost_ends_where_the_marks_are_set_anew(model):
    env = virtual_machine("online", 256, thp=False)
    model.boost.boost_watermark(env, env.node[1])
    raised = marks(env)[1]
    model.memory_hotplug.plug_memory(env)
    assert env.node[1].boost_pages == 0
    assert all(now < before for now, before in zip(marks(env)[1], raised, strict=True))


def test_a_block_goes_off_line_as_fast_as_free_pages_appear_and_wakes_kswapd(model):
    env = virtual_machine("offline", 20)
    minimum = int(env.node[0].min_wmark_pages)
    set_free(env, minimum + 12 * MIB)
    before = marks(env)
    model.memory_hotplug.plug_memory(env)
    node = env.node[0]
    assert (node.managed_pages, node.free_pages) == (244 * MIB, minimum)
    assert (env.hotplug[0].left_pages, node.kswapd_phase) == (8 * MIB, RUN)
    assert marks(env) == before  # the block is not gone yet
    set_free(env, minimum + 9 * MIB)
    model.memory_hotplug.plug_memory(env)
    assert (env.hotplug[0].left_pages, env.node[0].managed_pages) == (0, 236 * MIB)
    assert marks(env) != before


def test_a_balloon_takes_and_gives_pages_and_leaves_the_marks(model):
    requests = [
        {"at_s": 0, "kind": "inflate", "node": 1, "mib": 50},
        {"at_s": 5, "kind": "deflate", "node": 1, "mib": 80},
    ]
    env = plain(node=[NODE, NODE], hotplug=requests)
    before = marks(env)
    free = int(env.node[1].free_pages)
    model.memory_hotplug.plug_memory(env)
    assert (env.node[1].managed_pages, env.node[1].free_pages) == (206 * MIB, free - 50 * MIB)
    env.time_s = 5.0
    model.memory_hotplug.plug_memory(env)
    assert (env.node[1].managed_pages, env.node[1].free_pages) == (256 * MIB, free)  # what it holds, no more
    assert marks(env) == before


@pytest.mark.parametrize(("kind", "revived"), [("online", 0), ("deflate", 1)])
def test_a_new_block_revives_no_hopeless_node_a_balloon_goes_the_free_path_of_6_18(model, kind, revived):
    env = virtual_machine(kind, 20, kernel="6.18", hopeless=[{"node": 0}])
    node = env.node[0]
    node.balloon_pages = 20 * MIB
    node.managed_pages -= 20 * MIB
    set_free(env, int(node.low_wmark_pages))
    model.memory_hotplug.plug_memory(env)
    assert node.free_pages > node.high_wmark_pages
    assert (node.kswapd_failures, node.vmstat.revivals[FREE_PATH]) == (0 if revived else 16, revived)


def test_pages_add_up_while_memory_comes_and_goes_under_pressure(model):
    requests = [
        {"at_s": 0.01, "kind": "inflate", "node": 0, "mib": 60},
        {"at_s": 0.02, "kind": "offline", "node": 1, "mib": 100},
        {"at_s": 0.05, "kind": "online", "node": 0, "mib": 64},
        {"at_s": 0.06, "kind": "deflate", "node": 0, "mib": 30},
    ]
    machines = machine(
        "always",
        node=[NODE, NODE],
        anon=[anon("hog", pages=[30_000, 30_000], churn_mib_per_s=300, threads=4)],
        reader=[reader(files=[file([10_000, 10_000], size=40_000)], threads=4)],
        hotplug=requests,
    )
    model.tick.start_episode(as_records(machines)[0])
    for _ in range(10):
        before = machines.copy()
        model.tick.step_rows(as_records(machines), 1)
        audit(machines, before)
    assert machines["node"]["plugged_pages"][0, 0] == 64 * MIB
    assert machines["node"]["balloon_pages"][0, 0] == 30 * MIB
    assert machines["node"]["plugged_pages"][0, 1] < 0
