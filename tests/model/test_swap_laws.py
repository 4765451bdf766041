"""Laws of machines whose anonymous memory can leave, over seeds and on the compiled model."""

import numpy as np

from reclaim_env.model.constants import SLEEP
from reclaim_env.model.tick import start_episode, step_rows
from tests.model.audit import audit
from tests.model.machines import NODE, SWAP, anon, file, machine, mib, reader

TICK_S = 0.01
HEATS = [{"share": 1, "touch_per_s": 50, "active_ratio": 1}, {"share": 3, "touch_per_s": 0.2}]


def pressed(seed: int = 0, heat: list[dict] = HEATS, **tables) -> np.ndarray:
    """A process that grows where nothing is left, and a file that is read."""
    job = anon(pages=48_000, threads=4, heat=heat, schedule=[[0, mib(48_000)], [1, mib(54_000)]])
    room = 65_536 - 48_000 - 4_000 - 1_000
    tables = {
        "node": [{**NODE, "kernel_mib": mib(room)}],
        "anon": [job],
        "reader": [reader(files=[file(3_000, 1_000)], threads=2, think_ms=1)],
        "swap": SWAP,
        **tables,
    }
    now = machine("always", seed, **tables)
    start_episode(now[0])
    return now


def advance(now: np.ndarray, nr_ticks: int) -> np.ndarray:
    step_rows(now, np.int64(nr_ticks))
    return now


def test_until_swapon_no_anonymous_page_is_looked_at():
    """Law 13: what grows comes to the lists, and reclaim touches nothing of it."""
    now = pressed(swap={**SWAP, "on": False}, event=[{"at_s": 0.7, "kind": "swapon"}])
    advance(now, 65)
    audit(now)
    vmstat = now["node"]["vmstat"][0, 0]
    assert vmstat["pgscan_kswapd"] > 100
    assert vmstat["pgscan_anon"] == 0 and vmstat["pswpout"] == 0
    assert now["node"]["anon_list_pages"][0, 0, 1] == 12_000  # as at the start: the hot quarter
    advance(now, 60)
    audit(now)
    assert now["node"]["vmstat"][0, 0]["pswpout"] > 1000


def mean_swapped(heat: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """(written, read back) pages of each of 16 seeds."""
    rows = np.concatenate([pressed(seed, heat) for seed in range(16)])
    advance(rows, 200)
    vmstat = rows["node"]["vmstat"][:, 0]
    return vmstat["pswpout"], vmstat["pswpin"]


def test_a_heat_split_into_halves_is_the_same_heat():
    """Law 19."""
    halves = [{**heat, "share": heat["share"] / 2} for heat in HEATS for _ in range(2)]
    for whole, split in zip(mean_swapped(HEATS), mean_swapped(halves), strict=True):
        assert whole.mean() > 100
        error = np.sqrt((whole.var() + split.var()) / 16)
        assert abs(whole.mean() - split.mean()) < 4 * error + 0.02 * whole.mean()


def test_swap_that_is_full_is_no_swap_to_kswapd():
    """Runs fail as on a machine without: the count rises by each, and stops kswapd."""
    job = anon(
        pages=48_000, threads=4, heat=[{"touch_per_s": 0}], schedule=[[0, mib(48_000)], [1, mib(48_700)]]
    )
    now = pressed(
        swap={**SWAP, "mib": mib(300)}, anon=[job], node=[{**NODE, "kernel_mib": mib(16_536)}], reader=[]
    )
    now["node"]["reset_always_mask"] = 0
    before = now.copy()
    for _ in range(10):
        advance(now, 20)
        audit(now, before)
        before = now.copy()
    node = now["node"][0, 0]
    assert now["swap"]["used_pages"][0] == 300
    assert node["kswapd_failures"] == node["vmstat"]["kswapd_fruitless_runs"] == 16


def test_a_lower_tier_takes_what_would_go_to_swap():
    """Demotion is tried first: nothing is written while the lower node has room."""
    below = {**NODE, "kernel_mib": 20}
    above = {"total_mib": 256, "kernel_mib": mib(65_536 - 57_000), "demotes_to": 1}
    job = {
        **anon(pages=[48_000, 0], threads=4, heat=HEATS, schedule=[[0, mib(48_000)], [1, mib(52_000)]]),
        "policy": "bind",
        "nodes": [0],
    }
    now = pressed(node=[above, below], anon=[job], reader=[reader(files=[file([6_000, 0], [2_000, 0])])])
    for _ in range(10):
        advance(now, 20)
        audit(now)
    vmstat = now["node"]["vmstat"][0]
    assert vmstat["pgdemote_kswapd"][0] > 1000 and vmstat["pgdemote_kswapd"][1] == 0
    assert vmstat["pswpout"].sum() == 0
    assert now["workload"]["anon_pages"][0, 0, 1] > 1000


def test_a_machine_whose_pages_nobody_touches_is_a_fixed_point_with_swap_too():
    """Law 20: what had to leave has left, and nothing is written or read any more."""
    still = {"heat": [{"touch_per_s": 0}], "schedule": [[0, mib(48_000)], [0.5, mib(54_000)]]}
    now = pressed(anon=[anon(pages=48_000, threads=4, **still)], reader=[])
    advance(now, 200)
    assert now["swap"]["used_pages"][0] > 0 and now["node"]["kswapd_phase"][0, 0] == SLEEP
    later = advance(now.copy(), 200)
    for table in ("swap", "swap_device", "memcg", "lruvec", "set_", "class_", "workload"):
        assert later[table].tobytes() == now[table].tobytes(), table
    for name in ("free_pages", "anon_list_pages", "pool_pages"):
        assert np.array_equal(later["node"][name], now["node"][name]), name


def mirrored(side: int) -> dict[str, np.ndarray]:
    """Two nodes, a process bound to each: the one on node `side` grows."""
    job = {"policy": "bind", "heat": HEATS, "threads": 4}
    pages = [0, 0]
    pages[side], pages[1 - side] = 48_000, 40_000
    growth = [[0, mib(48_000)], [1, mib(54_000)]]
    grows = anon("grows", "", side, [48_000 * (nid == side) for nid in range(2)], nodes=[side], **job)
    rests = anon("rests", "", 1 - side, [40_000 * (nid != side) for nid in range(2)], nodes=[1 - side], **job)
    tables = {
        "node": [{**NODE, "kernel_mib": mib(65_536 - used - 4_000)} for used in pages],
        "anon": [{**grows, "schedule": growth}, rests],
        "reader": [],
    }
    rows = np.concatenate([machine("always", seed, "6.12", swap=SWAP, **tables) for seed in range(16)])
    for row in range(len(rows)):
        start_episode(rows[row])
    advance(rows, 200)
    vmstat = rows["node"]["vmstat"]
    return {name: vmstat[name][:, [side, 1 - side]] for name in ("pswpout", "pswpin", "pgsteal_kswapd")}


def test_relabelled_nodes_swap_alike():
    """Law 16, over means; preset 6.12, as from 6.18 on the last node is special."""
    one, other = mirrored(0), mirrored(1)
    assert one["pswpout"][:, 0].mean() > 1000 and one["pswpout"][:, 1].mean() == 0
    for name, there in one.items():
        here = other[name]
        error = np.sqrt((there.var(axis=0) + here.var(axis=0)) / 16)
        gap = np.abs(there.mean(axis=0) - here.mean(axis=0))
        assert np.all(gap <= 4 * error + 0.01 * there.mean(axis=0)), name


def test_a_task_asleep_behind_a_slow_swap_device_sleeps_through_the_slices_that_follow():
    """Law 7: no thread waits longer than there is time."""
    slow = {**SWAP, "bandwidth_mib_per_s": 1}
    now = pressed(swap=slow, reader=[])
    most_s = 0.0
    for _ in range(30):
        advance(now, 10)
        work = now["workload"][0, 0]
        assert work["stall_s"] <= work["threads"] * now["time_s"][0] + work["stalled_s"]
        most_s = max(most_s, work["stalled_s"])
    assert most_s > 5 * work["threads"] * TICK_S  # it slept far beyond a slice
