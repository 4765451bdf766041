"""Small machines of single pages for tests: one node of 256 MiB, one cgroup, one file."""

from typing import Any

import numpy as np

from reclaim_env.reference.boot import boot
from reclaim_env.reference.names import NOWHERE, NR_LISTS, OBJECTS_PER_PAGE
from reclaim_env.reference.records import Machine
from reclaim_env.scenario import Scenario, parse

PAGES_PER_MIB = 256


def scenario(**tables: Any) -> Scenario:
    basics = {
        "name": "toy",
        "source": "made up for tests",
        "min_free_kib": 2048,
        "node": [{"total_mib": 256}],
        "device": {"latency_us": 80, "bandwidth_mib_per_s": 3000, "iops_per_s": 400_000},
    }
    return parse({**basics, **tables})


def one_file(
    access: str = "read",
    inactive: int = 0,
    active: int = 0,
    rule: str = "always",
    kernel: str = "7.0",
    **tables: Any,
) -> Machine:
    """A file of a cgroup that nobody reads yet, so many of its pages on each list."""
    file = {
        "mib": (inactive + active + 100) / PAGES_PER_MIB,
        "access": access,
        "inactive_mib": [inactive / PAGES_PER_MIB],
        "active_mib": [active / PAGES_PER_MIB],
    }
    reader = {
        "name": "reader",
        "cgroup": "box",
        "cpu_node": 0,
        "start_s": 1e4,
        "ops_per_s": 1,
        "file": [file],
    }
    return boot(scenario(cgroup=[{"name": "box"}], reader=[reader], **tables), rule, kernel=kernel)


def walk(m: Machine, lruvec: int, lst: int | np.int64) -> list[int]:
    """Pages of a list from its head, each looked at from both sides."""
    found, before, p = [], NOWHERE, int(m.lruvec[lruvec]["head"][lst])
    while p != NOWHERE:
        assert m.page["prev"][p] == before
        assert m.page["lru"][p] == NR_LISTS * lruvec + lst
        found.append(p)
        before, p = p, int(m.page["next"][p])
    assert m.lruvec[lruvec]["tail"][lst] == before
    assert m.lruvec[lruvec]["pages"][lst] == len(found)
    return found


def audit(m: Machine) -> None:
    """Every page of every class is on one list or absent; every frame of a node is accounted for."""
    listed: list[int] = []
    nr_memcgs = int(m.system[0]["nr_memcgs"])
    for lruvec in range(len(m.lruvec)):
        for lst in range(NR_LISTS):
            listed += walk(m, lruvec, lst)
    assert len(listed) == len(set(listed)) == int((m.page["lru"] != NOWHERE).sum())
    for row in m.class_[m.class_["pages"] > 0]:
        first, absent, pages = int(row["first_page"]), int(row["absent"]), int(row["pages"])
        gone = m.absent[first : first + absent].tolist()
        room = m.absent[first + pages - row["unused"] : first + pages].tolist()
        off_lists = first + np.flatnonzero(m.page["lru"][first : first + pages] < 0)
        assert sorted(gone + room) == off_lists.tolist()
        assert m.page["absent_at"][gone].tolist() == list(range(absent))
        assert (m.page["absent_at"][room] == NOWHERE).all()
    for nid, node in enumerate(m.node):
        lists = m.lruvec["pages"][nid * nr_memcgs : (nid + 1) * nr_memcgs].sum(axis=0)
        assert lists.tolist() == node["list_pages"].tolist()
        anon = int(m.instance["anon_pages"][m.instance["kind"] == 0][:, nid].sum())
        held = int(node["kernel_pages"] + node["slab_pages"])
        if m.system[0]["has_anon_lists"]:
            assert lists[2:].sum() == anon
        else:
            held += anon
        assert node["free_pages"] + lists.sum() + held == node["managed_pages"]
        assert node["slab_pages"] == -(-node["slab_objects"] // OBJECTS_PER_PAGE)
        assert node["free_pages"] >= 0
    listed_files = m.page[listed][m.class_["anon"][m.page["class_"][listed]] == 0]
    touches = m.class_["touches"][listed_files["class_"]]
    assert (listed_files["cleared_touches"] <= touches).all()  # nobody knows of touches that are to come
    usage = m.memcg["usage_pages"] - m.memcg["stock_pages"]
    own = np.zeros(nr_memcgs, np.int64)
    for lruvec, row in enumerate(m.lruvec):
        own[lruvec % nr_memcgs] += int(row["pages"].sum())
    for one in m.instance[m.instance["kind"] == 0]:
        if not m.system[0]["has_anon_lists"]:
            own[one["memcg"]] += int(one["anon_pages"].sum())
    audit_swap(m)
    for g in range(nr_memcgs):
        subtree = slice(g, int(m.memcg[g]["end"]))
        ahead = int(m.memcg["stock_pages"][subtree].sum())
        assert usage[g] + m.memcg[g]["stock_pages"] == own[subtree].sum() + ahead


def audit_swap(m: Machine) -> None:
    """Every page in a slot is one of its process's, its cgroups' and its node's; limits of slots hold."""
    system, nr_memcgs = m.system[0], int(m.system[0]["nr_memcgs"])
    in_memcg, on_node = np.zeros(nr_memcgs, np.int64), np.zeros(len(m.node), np.int64)
    for one in m.instance[m.instance["kind"] == 0]:
        classes = m.class_[one["first_class"] : one["first_class"] + one["nr_classes"]]
        assert one["swapped_pages"] == classes["absent"].sum()
        assert (classes["pages"] - classes["unused"]).sum() == one["swapped_pages"] + (
            one["anon_pages"].sum() if len(classes) else 0
        )
        in_memcg[one["memcg"]] += int(one["swapped_pages"])
        assert 0 <= one["nr_waiting"] <= one["nr_threads"]
        for row in classes:
            gone = m.absent[row["first_page"] : row["first_page"] + row["absent"]]
            np.add.at(on_node, m.page["shadow"][gone] // nr_memcgs, 1)
    assert system["swap_used_pages"] == in_memcg.sum() <= system["swap_pages"]
    assert m.node["swapped_pages"].tolist() == on_node.tolist()
    assert m.node["pool_pages"].tolist() == np.ceil(system["pool_ratio"] * on_node).tolist()
    for g, row in enumerate(m.memcg):
        assert row["swap_pages"] == in_memcg[g : int(row["end"])].sum()
        assert row["swap_max_pages"] < 0 or row["swap_pages"] <= row["swap_max_pages"]
