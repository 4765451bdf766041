"""Small machines for tests. A node of 256 MiB has min 512, low 640 and high 768 pages."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from reclaim_env.action import install_rule
from reclaim_env.boot import boot
from reclaim_env.model.constants import ACTIVE, INACTIVE, NR_BINS, RUN, UNREFERENCED
from reclaim_env.scenario import Scenario, parse
from tests.model.plain import as_records

PAGES_PER_MIB = 256
NODE = {"total_mib": 256}
DEVICE = {"latency_us": 80, "bandwidth_mib_per_s": 3000, "iops_per_s": 400_000}
HOT_PER_S = 1e9  # of a page touched between any two looks


def mib(pages: float) -> float:
    return pages / PAGES_PER_MIB


def scenario(**tables: Any) -> Scenario:
    nodes = tables.setdefault("node", [NODE])
    basics = {
        "name": "toy",
        "source": "made up for tests",
        "min_free_kib": 2048 * len(nodes),
        "device": DEVICE,
    }
    return parse({**basics, **tables})


def machine(rule: str = "never", seed: int = 0, kernel: str = "7.0", **tables: Any) -> np.ndarray:
    """(1,) machine ready to step."""
    machines = boot(scenario(**tables), kernel)
    install_rule(machines, rule)
    machines["seed"] = seed
    return machines


def forget_rule(machines: np.ndarray) -> None:
    """Wipes what only tells which rule a machine had, so that the rest of it can be compared."""
    node = machines["node"]
    failures = node["kswapd_failures"].copy()
    install_rule(machines, "never")
    node["kswapd_failures"] = failures
    for name in ("steal", "scan"):
        node[f"direct_{name}_2s_per_s"] = 0.0
    for name in ("stolen", "scanned"):
        node[f"direct_{name}_before_pages"] = 0


def plain(*args: Any, **tables: Any):
    """One machine as the plain model takes it."""
    return as_records(machine(*args, **tables))[0]


def reader(name: str = "reader", cgroup: str = "", cpu_node: int = 0, files: Any = (), **fields: Any) -> dict:
    return {"name": name, "cgroup": cgroup, "cpu_node": cpu_node, "file": list(files), **fields}


def file(inactive: Any = 0, active: Any = 0, size: int | None = None, **fields: Any) -> dict:
    """Resident pages (of node 0, or a list by node) and size, all in pages."""
    inactive, active = (pages if isinstance(pages, list) else [pages] for pages in (inactive, active))
    size = max(sum(inactive) + sum(active), 1) if size is None else size
    lists = {
        name: [mib(n) for n in pages]
        for name, pages in (("inactive_mib", inactive), ("active_mib", active))
        if any(pages)
    }
    return {"mib": mib(size), "share": 1, **lists, **fields}


def anon(name: str = "hog", cgroup: str = "", cpu_node: int = 0, pages: Any = 0, **fields: Any) -> dict:
    pages = list(pages) if isinstance(pages, list) else [pages]
    return {
        "name": name,
        "cgroup": cgroup,
        "cpu_node": cpu_node,
        "initial_mib": [mib(n) for n in pages],
        **fields,
    }


def one_file(
    access: str = "read", inactive: int = 0, active: int = 0, rate_per_s: float = 0.0, **tables: Any
):
    """One node, one cgroup, one file, whose mapped pages are touched at rate_per_s."""
    files = [file(inactive, active, size=inactive + active + 1000, access=access)]
    tables = {"cgroup": [{"name": "box"}], "reader": [reader(cgroup="box", files=files)], **tables}
    env = plain(**tables)
    env.class_[0].on = 1
    env.class_[0].on_rate_per_s = rate_per_s
    env.time_s = 1.0
    return env


def set_free(env, free_pages: int, nid: int = 0) -> None:
    """Sets free memory; the kernel holds the rest, so that pages still add up."""
    node = env.node[nid]
    node.kernel_pages += node.free_pages - free_pages
    node.free_pages = free_pages
    node.below_high = node.free_pages - node.unusable_pages <= node.high_wmark_pages


def set_flag(env, flag: np.int64 | int, lst: np.int64 = INACTIVE, set_index: int = 0) -> None:
    """Gives all pages of a class on a list one flag."""
    set_ = env.set_[set_index]
    set_.cells[lst] = 0.0
    set_.cells[lst, flag] = set_.resident_pages[lst] / NR_BINS


def flag_pages(env, lst: np.int64, set_index: int = 0) -> list[float]:
    """Pages of a class on a list, by flag."""
    return env.set_[set_index].cells[lst].sum(axis=1).tolist()


def lists(env, set_index: int = 0) -> tuple[int, int]:
    """(inactive, active) pages of a class on a node."""
    resident = env.set_[set_index].resident_pages
    return int(resident[INACTIVE]), int(resident[ACTIVE])


def one_run(model, env, nid: int = 0, merged: bool = False) -> list[tuple[int, int, int]]:
    """One run of kswapd from its beginning to its end: its passes that examined a page.

    Of each: (priority, scanned, reclaimed). `merged`: passes are made as one, as in an episode.
    """
    with passes_one_by_one(model) if not merged else nullcontext():
        return _one_run(model, env, nid)


@contextmanager
def passes_one_by_one(model) -> Iterator[None]:
    """kswapd makes no passes as one in here."""
    limits = {name: getattr(model.kswapd, name) for name in ("MERGED_PAGES", "MOMENTARY_PAGES")}
    vars(model.kswapd).update(dict.fromkeys(limits, 0))
    try:
        yield
    finally:
        vars(model.kswapd).update(limits)


def _one_run(model, env, nid: int) -> list[tuple[int, int, int]]:
    node = env.node[nid]
    node.kswapd_phase = RUN
    passes: list[tuple[int, int, int]] = []
    now_s = env.time_s
    for _ in range(1000):
        scanned, stolen = (int(node.vmstat[name]) for name in ("pgscan_kswapd", "pgsteal_kswapd"))
        priority = int(node.priority) if node.in_run else 12
        for _ in range(1000):  # a long pass takes several steps
            now_s += model.kswapd.balance_pgdat_step(env, nid, now_s)
            if not node.in_pass:
                break
        if node.vmstat.pgscan_kswapd > scanned:
            passes.append(
                (priority, int(node.vmstat.pgscan_kswapd) - scanned, int(node.vmstat.pgsteal_kswapd) - stolen)
            )
        if not node.in_run:
            return passes
    raise AssertionError("the run does not end")


SWAP = {"mib": 64, "latency_us": 50, "bandwidth_mib_per_s": 1000, "iops_per_s": 100_000}


def heats(*rates_per_s: float, **fields: Any) -> list[dict]:
    """Equal parts of a process's pages, touched at these rates."""
    return [{"touch_per_s": rate_per_s, **fields} for rate_per_s in rates_per_s]


def swapping(
    pages: int = 1000, rate_per_s: float = 0.0, slots: int = 16384, rule: str = "never", **tables: Any
):
    """One node, one process with one heat, all of it inactive and not young; swap that is on."""
    swap = {**SWAP, "mib": mib(slots), **tables.pop("swap", {})}
    task = anon(pages=pages, threads=4, heat=heats(rate_per_s))
    tables = {"cgroup": [{"name": "box"}], "anon": [{**task, "cgroup": "box"}], "swap": swap, **tables}
    env = plain(rule, **tables)
    cold(env, env.nr_classes)
    return env


def cold(env, class_id: int) -> None:
    """A class's inactive pages on node 0 lose their young bits; what touches them from now on counts."""
    index = class_id if class_id < env.nr_classes else env.nr_sets + class_id - env.nr_classes
    set_flag(env, UNREFERENCED, set_index=index)
    env.class_[class_id].on = 1
    env.time_s = 1.0


def heat_lists(env, nid: int = 0, heat: int = 0) -> tuple[int, int]:
    """(inactive, active) pages of a heat on a node."""
    return lists(env, env.nr_sets + nid * env.nr_anon_classes + heat)
