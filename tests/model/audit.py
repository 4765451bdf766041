"""What must hold of any machine at the end of any tick, checked all at once."""

from itertools import pairwise

import numpy as np

from reclaim_env.model.constants import (
    ACTIVE,
    ATOMIC,
    FREE_PATH,
    KSWAPD,
    PRESSURES,
    SLEEP,
)
from reclaim_env.model.slab import slab_pages
from reclaim_env.reset_rules import is_hopeless
from tests.model.audit_anon import anon_adds_up

FRACTION_PAGES = 1e-6  # by which the fractions of a class may miss its whole pages


def audit(machine: np.ndarray, before: np.ndarray | None = None) -> None:
    """Laws of one record; with `before`, the record some ticks ago, also those of what happened between."""
    env = machine.reshape(-1)[0]
    pages_lie_where_they_should(env)
    cgroups_add_up(env)
    classes_add_up(env)
    anon_adds_up(env)
    counters_agree(env)
    pressure_is_a_share(env)
    kills_have_victims(env)
    if before is not None:
        time_goes_forward(env, before.reshape(-1)[0])
        limits_hold(env, before.reshape(-1)[0])


def rows(env: np.void, table: str) -> np.ndarray:
    """The rows of a table that are in use."""
    counts = {"node": "nr_nodes", "memcg": "nr_memcgs", "class_": "nr_classes", "workload": "nr_workloads"}
    counts["set_"] = "nr_sets"
    if table == "lruvec":
        return env["lruvec"][: env["nr_nodes"] * env["nr_memcgs"]]
    return env[table][: env[counts[table]]]


def pages_lie_where_they_should(env: np.void) -> None:
    """Laws 1 and 8: each page of a node is free, on a list, anonymous or the kernel's."""
    node, work = rows(env, "node"), rows(env, "workload")
    tasks = work[work["kind"] != ATOMIC]["anon_pages"][:, : env["nr_nodes"]].sum(axis=0)
    assert np.array_equal(rows(env, "memcg")["anon_pages"][:, : env["nr_nodes"]].sum(axis=0), tasks)
    assert np.all(node["arriving_windows"] == 0)
    used = node["list_pages"].sum(axis=1) + tasks + node["kernel_pages"] + node["slab_pages"]
    assert np.array_equal(node["free_pages"] + used, node["managed_pages"])
    assert np.all((node["free_pages"] >= 0) & (node["free_pages"] <= node["managed_pages"]))
    marks = [node[f"{name}_wmark_pages"] for name in ("min", "low", "high", "promo")]
    assert all(np.all(low < high) for low, high in pairwise(marks))
    assert np.all((node["boost_pages"] >= 0) & (node["boost_pages"] < node["min_wmark_pages"]))
    assert np.all(node["kernel_pages"] >= 0) and np.all(work["anon_pages"] >= 0)


def cgroups_add_up(env: np.void) -> None:
    """Law 2: usage is the cgroup's own pages and its children's."""
    memcg = rows(env, "memcg")
    lru = rows(env, "lruvec")["list_pages"].sum(axis=1).reshape(env["nr_nodes"], env["nr_memcgs"]).sum(axis=0)
    own = lru + memcg["anon_pages"].sum(axis=1)
    children = np.zeros_like(own)
    for g in range(len(memcg)):
        if memcg[g]["parent"] >= 0:
            children[memcg[g]["parent"]] += memcg[g]["usage_pages"]
    assert np.array_equal(memcg["usage_pages"], own + children)
    assert np.all(memcg["pgsteal"] <= memcg["pgscan"])


def classes_add_up(env: np.void) -> None:
    """Laws 3 and 4: nothing of a class is lost, and bins, classes, cgroups and nodes agree on every list."""
    node, lruvec, set_, class_ = (rows(env, table) for table in ("node", "lruvec", "set_", "class_"))
    resident = set_["resident_pages"]
    assert np.all(resident >= 0)
    assert np.all(np.abs(set_["cells"].sum(axis=(2, 3)) - resident) < FRACTION_PAGES * (1 + resident))
    assert set_["cells"].min(initial=0) > -FRACTION_PAGES
    of_lruvec = np.zeros_like(lruvec["list_pages"])
    np.add.at(of_lruvec, set_["lruvec"], resident)
    assert np.array_equal(of_lruvec, lruvec["list_pages"])
    of_node = lruvec["list_pages"].reshape(env["nr_nodes"], env["nr_memcgs"], -1).sum(axis=1)
    assert np.array_equal(of_node, node["list_pages"])
    by_class = resident.sum(axis=1).reshape(env["nr_nodes"], env["nr_classes"]).sum(axis=0)
    shadows = set_["shadow_pages"]
    assert np.all(shadows >= 0)
    shadows = shadows.sum(axis=(1, 2)).reshape(env["nr_nodes"], env["nr_classes"]).sum(axis=0)
    kept = class_["one_touch"] == 0
    assert np.array_equal((by_class + class_["absent_pages"])[kept], class_["pages"][kept])
    assert np.array_equal((class_["new_pages"] + shadows)[kept], class_["absent_pages"][kept])
    assert np.all(class_["new_pages"] >= 0) and np.all(shadows[~kept] == 0)


def counters_agree(env: np.void) -> None:
    """Laws 5, 6, 7, 9 and 10."""
    node, memcg = rows(env, "node"), rows(env, "memcg")
    vmstat, time_s = node["vmstat"], env["time_s"]
    assert vmstat["numa_miss"].sum() == vmstat["numa_foreign"].sum()
    allocated = vmstat["numa_hit"] + vmstat["numa_miss"]
    assert np.all(allocated <= vmstat["pgalloc_normal"])
    if not np.any(rows(env, "workload")["kind"] == ATOMIC):
        assert np.array_equal(allocated, vmstat["pgalloc_normal"])
    for who in ("kswapd", "direct", "file", "anon"):
        assert np.all(vmstat[f"pgsteal_{who}"] <= vmstat[f"pgscan_{who}"])
    scans, steals = (vmstat[f"{what}_file"] + vmstat[f"{what}_anon"] for what in ("pgscan", "pgsteal"))
    assert np.all(vmstat["pgscan_kswapd"] + vmstat["pgscan_direct"] <= scans)
    assert np.all(vmstat["pgdemote_kswapd"] <= vmstat["pgsteal_kswapd"])
    assert np.all(vmstat["pgdemote_direct"] <= steals - vmstat["pgsteal_kswapd"])
    assert (scans.sum(), steals.sum()) == (memcg["pgscan"].sum(), memcg["pgsteal"].sum())
    refaults = vmstat["workingset_refault_file"]
    assert np.all(vmstat["workingset_activate_file"] <= refaults)
    assert np.all((refaults + vmstat["pswpin"]) * 4 <= vmstat["pgpgin"])
    assert refaults.sum() <= vmstat["pgsteal_file"].sum()
    assert refaults.sum() == memcg["workingset_refault_file"].sum()
    assert np.all(vmstat["bystander_refault_pages"] <= refaults)
    assert np.all(vmstat["kswapd_fruitless_runs"] <= vmstat["pageoutrun"])
    quickly = vmstat["kswapd_low_wmark_hit_quickly"] + vmstat["kswapd_high_wmark_hit_quickly"]
    assert np.all(quickly <= vmstat["pageoutrun"] + 1)  # each begins a run, the last of them perhaps not yet
    assert np.all(vmstat["boosted_fruitless_runs"] <= vmstat["kswapd_fruitless_runs"])
    assert np.all(vmstat["resets"][:, :FREE_PATH] <= vmstat["progress"][:, :FREE_PATH])
    assert not vmstat["progress"][:, FREE_PATH:].any()
    assert np.all(vmstat["revivals"] <= vmstat["resets"])
    assert env["device"]["used_s"] <= time_s + 1e-9
    assert env["swap_device"]["used_s"] <= time_s + 1e-9
    assert np.all(vmstat["awake_s"] <= time_s + 1e-9)
    work = rows(env, "workload")  # what it lost beyond its time is lost of the slices to come
    assert np.all(work["stall_s"] <= work["threads"] * time_s + work["stalled_s"] + 1e-9)


def pressure_is_a_share(env: np.void) -> None:
    """Whenever all wait some do, and nobody waits longer than there is time."""
    total_s: dict[str, float] = dict(zip(PRESSURES, env["psi"]["total_s"], strict=True))
    for resource in ("io", "memory"):
        some_s, full_s = total_s[f"{resource}_some"], total_s[f"{resource}_full"]
        assert 0 <= full_s <= some_s + 1e-9 <= env["time_s"] + 2e-9
    for window in ("avg10_ratio", "avg60_ratio"):
        assert np.all((env["psi"][window] >= 0) & (env["psi"][window] <= 1 + 1e-9))


def kills_have_victims(env: np.void) -> None:
    """The kernel's kills and those of the killer in user space, each of one task."""
    node, work = rows(env, "node"), rows(env, "workload")
    for kind in ("oom_kill", "oomd_kill"):
        assert node["vmstat"][kind].sum() == work[kind].sum()
    assert env["oomd"]["limit_ratio"] > 0 or not work["oomd_kill"].any()


def time_goes_forward(env: np.void, before: np.void) -> None:
    """Laws 1, 7, 10, 11 and 12.

    Memory comes and goes in blocks; kswapd has one CPU, which it overdraws by a pass; counters grow; a
    hopeless sleeper stays one; failures are counted.
    """
    cost = env["cost"]
    run_s = 12 * (cost["pass_s"] + cost["pass_memcg_s"] * env["nr_members"]) + 4096 * 2e-6
    for nid in range(env["nr_nodes"]):
        now, then = env["node"][nid], before["node"][nid]
        grown = {name: now["vmstat"][name] - then["vmstat"][name] for name in now["vmstat"].dtype.names}
        for name, amount in grown.items():
            assert np.all(amount >= -1e-9 if "_s" in name else amount >= 0), name
        plugged = now["plugged_pages"] - then["plugged_pages"]
        assert grown["pgalloc_normal"] - grown["pgfree"] == then["free_pages"] + plugged - now["free_pages"]
        pool = now["slab_objects"] + grown["slabs_scanned"]  # as large as any that one pass went through
        overdrawn_s = run_s + pool * cost["scan_s"] + slab_pages(pool) * cost["free_s"]
        assert now["vmstat"]["kswapd_cpu_s"] <= env["time_s"] * now["kswapd_cpu_share_ratio"] + overdrawn_s
        balloon = now["balloon_pages"] - then["balloon_pages"]
        assert now["managed_pages"] - then["managed_pages"] == plugged - balloon
        resets = grown["resets"].sum()
        if resets == 0:
            grown_count = now["kswapd_failures"] - then["kswapd_failures"]
            forgiven = 0 if env["counts_boosted_runs"] else grown["boosted_fruitless_runs"]
            assert grown_count == grown["kswapd_fruitless_runs"] - forgiven
        else:
            assert may_reset(now) or env["free_path_reset"]
            if now["reset_step"] >= now["failure_limit"]:
                assert now["kswapd_failures"] <= grown["kswapd_fruitless_runs"] + now["reset_floor"]
        hopeless = is_hopeless(then) and resets == 0
        if hopeless:
            assert grown["pgscan_direct_throttle"] == 0
        if hopeless and then["kswapd_phase"] == SLEEP:
            assert now["kswapd_phase"] == SLEEP
            assert grown["pageoutrun"] == grown["pgscan_kswapd"] == grown["kswapd_cpu_s"] == 0
            assert grown["progress"][KSWAPD] == 0
        active = now["list_pages"][ACTIVE], then["list_pages"][ACTIVE]
        if active == (0, 0) and env["nr_anon_classes"] == 0:
            assert grown["pgrefill"] == 0 or grown["pgactivate"] + grown["workingset_activate_file"] > 0


def may_reset(node: np.void) -> bool:
    """The node's rule allows some reset at all."""
    masks = any(node[f"reset_{how}_mask"] for how in ("always", "balanced", "signal", "coin"))
    return masks or node["probe_first_s"] > 0 or node["probe_after_pages"] > 0


def limits_hold(env: np.void, before: np.void) -> None:
    """Laws 2 and 8: a limit lets usage fall, never rise above it; only atomic bursts go below min."""
    memcg, then = rows(env, "memcg"), rows(before, "memcg")
    limited = memcg["max_pages"] >= 0
    most = np.maximum(memcg["max_pages"], then["usage_pages"])
    if env["next_event"] == before["next_event"]:  # no limit was written meanwhile
        assert np.all(memcg["usage_pages"][limited] <= most[limited])
    if np.any(rows(env, "workload")["kind"] == ATOMIC):
        return
    node, node_then = rows(env, "node"), rows(before, "node")
    usable = node["free_pages"] - node["unusable_pages"]
    usable_then = node_then["free_pages"] - node_then["unusable_pages"]
    least, least_then = (one["min_wmark_pages"] - one["boost_pages"] for one in (node, node_then))
    if np.array_equal(least, least_then):  # a block sets all marks anew, be it gone again by now
        assert np.all(usable >= np.minimum(least, usable_then))
