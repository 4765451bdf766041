"""What must hold where anonymous memory has lists: laws 3 and 4 for heats, slots, and the pool of zram."""

import numpy as np

from reclaim_env.model.constants import ANON

FRACTION_PAGES = 1e-6


def anon_adds_up(env: np.void) -> None:
    """Every page of a heat is on one list or in one slot; slots are counted alike by all who count them."""
    nr_nodes, nr_memcgs, nr_heats = (int(env[f"nr_{name}"]) for name in ("nodes", "memcgs", "anon_classes"))
    node, memcg = env["node"][:nr_nodes], env["memcg"][:nr_memcgs]
    work = env["workload"][: env["nr_workloads"]]
    if nr_heats == 0:
        nothing_is_listed(env, node, memcg, work)
        return
    class_ = env["class_"][env["nr_classes"] : env["nr_classes"] + nr_heats]
    set_ = env["set_"][env["nr_sets"] : env["nr_sets"] + nr_nodes * nr_heats]
    lruvec = env["lruvec"][nr_nodes * nr_memcgs : 2 * nr_nodes * nr_memcgs]
    lists_agree(node, lruvec, set_, env)
    slots_agree(env, node, memcg, work, class_, set_)
    resident = set_["resident_pages"].sum(axis=1).reshape(nr_nodes, nr_heats)
    assert np.array_equal(resident.sum(axis=0) + class_["absent_pages"], class_["pages"])
    for w in np.flatnonzero(work["kind"] == ANON):
        own = class_["workload"] == w
        assert np.array_equal(resident[:, own].sum(axis=1), work[w]["anon_pages"][:nr_nodes])


def lists_agree(node: np.ndarray, lruvec: np.ndarray, set_: np.ndarray, env: np.void) -> None:
    """Law 4: bins, heats, cgroups and nodes."""
    resident = set_["resident_pages"]
    assert np.all(resident >= 0)
    assert np.all(np.abs(set_["cells"].sum(axis=(2, 3)) - resident) < FRACTION_PAGES * (1 + resident))
    assert set_["cells"].min(initial=0) > -FRACTION_PAGES
    of_lruvec = np.zeros_like(lruvec["list_pages"])
    np.add.at(of_lruvec, set_["lruvec"] - env["nr_nodes"] * env["nr_memcgs"], resident)
    assert np.array_equal(of_lruvec, lruvec["list_pages"])
    of_node = lruvec["list_pages"].reshape(env["nr_nodes"], env["nr_memcgs"], -1).sum(axis=1)
    assert np.array_equal(of_node, node["anon_list_pages"])


def slots_agree(env: np.void, node, memcg, work, class_, set_) -> None:
    """A slot holds one page of a heat: its task, its cgroups and the node it came from count it."""
    used = int(env["swap"]["used_pages"])
    assert 0 <= used <= env["swap"]["total_pages"]
    shadows = set_["shadow_pages"]
    assert np.all(shadows >= 0)
    by_set = shadows.sum(axis=(1, 2)).reshape(env["nr_nodes"], env["nr_anon_classes"])
    assert np.array_equal(by_set.sum(axis=0), class_["absent_pages"])
    assert np.array_equal(by_set.sum(axis=1), node["swapped_pages"])
    pools = np.ceil(env["swap"]["pool_ratio"] * node["swapped_pages"])
    assert np.array_equal(pools, node["pool_pages"])
    assert used == class_["absent_pages"].sum() == work["swapped_pages"].sum()
    own = np.zeros(len(memcg), np.int64)
    np.add.at(own, work["memcg"], work["swapped_pages"])
    for g in reversed(range(len(memcg))):
        assert memcg[g]["swap_pages"] == own[g]
        if memcg[g]["parent"] >= 0:
            own[memcg[g]["parent"]] += own[g]
        limit = memcg[g]["swap_max_pages"]
        assert limit < 0 or memcg[g]["swap_pages"] <= limit
    vmstat = node["vmstat"]
    assert used <= vmstat["pswpout"].sum() - vmstat["pswpin"].sum()  # the rest was freed in its slot
    assert vmstat["pswpin"].sum() == vmstat["workingset_refault_anon"].sum()
    assert np.all(vmstat["workingset_activate_anon"] <= vmstat["workingset_refault_anon"])
    assert memcg["workingset_refault_anon"].sum() == vmstat["workingset_refault_anon"].sum()


def nothing_is_listed(env: np.void, node, memcg, work) -> None:
    """Law 13: without swap and without a lower tier nobody touches anonymous memory."""
    assert env["nr_lruvecs"] == env["nr_nodes"] * env["nr_memcgs"]
    assert not node["anon_list_pages"].any() and not node["pool_pages"].any()
    assert not work["swapped_pages"].any() and not memcg["swap_pages"].any()
    names = ("pgscan_anon", "pgsteal_anon", "pswpin", "pswpout", "workingset_refault_anon")
    for name in names:
        assert not node["vmstat"][name].any(), name
    tiers = node["demotion_target"] >= 0  # files are demoted, too
    assert not node["vmstat"]["pgdemote_kswapd"][~tiers].any()
    assert not node["vmstat"]["pgdemote_direct"][~tiers].any()
