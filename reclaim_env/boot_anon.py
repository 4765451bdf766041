"""The state of swap, tiers and anonymous lists at time 0; a machine without them has none of it."""

from typing import TYPE_CHECKING

import numpy as np

from reclaim_env.model.constants import ACTIVE, FRESH, INACTIVE, MMAP, NR_BINS, PAGE_BYTES
from reclaim_env.units import pages_from_mib

if TYPE_CHECKING:
    from reclaim_env.scenario import Scenario


def set_swap(env: np.void, scenario: "Scenario") -> None:
    env["swappiness"] = scenario.swappiness
    env["demotion_enabled"] = scenario.demotion_enabled
    swap = scenario.swap
    if swap is None:
        return
    env["swap"]["total_pages"] = pages_from_mib(swap.mib)
    env["swap"]["on"] = swap.on
    env["swap"]["readahead_pages"] = swap.readahead_pages
    env["swap"]["page_cpu_s"] = swap.page_cpu_us * 1e-6
    env["swap"]["pool_ratio"] = swap.pool_ratio
    env["swap_device"]["latency_s"] = swap.latency_us * 1e-6
    env["swap_device"]["request_s"] = 1 / swap.iops_per_s
    env["swap_device"]["page_s"] = PAGE_BYTES / (swap.bandwidth_mib_per_s * 2**20)


def set_heats(env: np.void, scenario: "Scenario", by_memcg: list[int]) -> None:
    """A class for each heat, after those of files; workloads in the order of their cgroups."""
    c = int(env["nr_classes"])
    first = c
    for w in by_memcg:
        if w >= len(scenario.anon):  # anonymous workloads have the first rows
            continue
        heats = scenario.anon[w].heat
        env["workload"][w]["first_class"], env["workload"][w]["nr_classes"] = c, len(heats)
        for heat in heats:
            row = env["class_"][c]
            row["workload"], row["memcg"] = w, env["workload"][w]["memcg"]
            row["anon"], row["access"] = 1, MMAP
            row["touch_per_s"] = heat.touch_per_s
            row["on_s"], row["off_s"] = heat.on_s or 0.0, heat.off_s or 0.0
            row["share_ratio"] = heat.share / sum(other.share for other in heats)
            row["readahead_pages"] = env["swap"]["readahead_pages"]
            c += 1
    env["nr_anon_classes"] = c - first


def fill_anon_lists(env: np.void, scenario: "Scenario") -> None:
    """Every resident anonymous page on a list of its node, young since its fault."""
    nr_anon, nr_files = int(env["nr_anon_classes"]), int(env["nr_classes"])
    if nr_anon == 0:
        return
    owner = env["class_"]["memcg"][nr_files : nr_files + nr_anon]
    for nid in range(env["nr_nodes"]):
        for g in range(env["nr_memcgs"]):
            _set_lruvec(env, nid, g, np.flatnonzero(owner == g))
    for w, table in enumerate(scenario.anon):
        first = int(env["workload"][w]["first_class"])
        for nid in range(env["nr_nodes"]):
            pages = int(env["workload"][w]["anon_pages"][nid])
            ends = np.cumsum(env["class_"]["share_ratio"][first : first + len(table.heat)]) * pages
            sizes = np.diff(np.rint(ends).astype(np.int64), prepend=0)
            for offset, heat in enumerate(table.heat):
                active = round(int(sizes[offset]) * heat.active_ratio)
                _put(env, nid, first + offset, ACTIVE, active)
                _put(env, nid, first + offset, INACTIVE, int(sizes[offset]) - active)


def _set_lruvec(env: np.void, nid: int, g: int, own: np.ndarray) -> None:
    nr_anon = int(env["nr_anon_classes"])
    index = int(env["nr_nodes"] * env["nr_memcgs"]) + nid * int(env["nr_memcgs"]) + g
    lruvec = env["lruvec"][index]
    lruvec["memcg"], lruvec["nid"], lruvec["anon"], lruvec["has_mapped"] = g, nid, 1, 1
    lruvec["first_set"] = env["nr_sets"] + nid * nr_anon + (own[0] if own.size else 0)
    lruvec["nr_sets"] = own.size
    for offset in own:
        set_ = env["set_"][env["nr_sets"] + nid * nr_anon + offset]
        set_["class_id"], set_["nid"], set_["lruvec"] = env["nr_classes"] + offset, nid, index


def _put(env: np.void, nid: int, c: int, lst: np.int64, pages: int) -> None:
    """Pages of a heat, even over a list's bins; they are charged and counted already."""
    if pages == 0:
        return
    offset = c - int(env["nr_classes"])
    set_ = env["set_"][int(env["nr_sets"]) + nid * int(env["nr_anon_classes"]) + offset]
    env["class_"][c]["pages"] += pages
    set_["cells"][lst, FRESH] += pages / NR_BINS
    set_["resident_pages"][lst] += pages
    for name in ("list_pages", "stat_list_pages", "settled_pages"):
        env["lruvec"][set_["lruvec"]][name][lst] += pages
    for name in ("anon_list_pages", "stat_anon_list_pages"):
        env["node"][nid][name][lst] += pages
