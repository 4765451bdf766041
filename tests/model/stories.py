"""Small scenarios drawn at random: all that the schema can say, under pressure from the start."""

import numpy as np
from hypothesis import strategies as st

from tests.model.machines import DEVICE


def pages_of_each(nr_nodes: int, most: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.integers(0, most // nr_nodes).map(float), min_size=nr_nodes, max_size=nr_nodes)


@st.composite
def tasks(draw, nr_nodes: int, groups: list[str]) -> dict:
    """What every task of a scenario says of itself."""
    policy = draw(st.sampled_from(["local", "local", "bind", "preferred", "interleave"]))
    task = {
        "cgroup": draw(st.sampled_from(groups)),
        "cpu_node": draw(st.integers(0, nr_nodes - 1)),
        "policy": policy,
        "threads": draw(st.integers(1, 6)),
    }
    if policy != "local":
        task["nodes"] = draw(
            st.lists(st.integers(0, nr_nodes - 1), min_size=1, max_size=nr_nodes, unique=True)
        )
    return task


@st.composite
def readers(draw, name: str, nr_nodes: int, groups: list[str]) -> dict:
    files = []
    for _ in range(draw(st.integers(1, 2))):
        inactive, active = (draw(pages_of_each(nr_nodes, 16)) for _ in range(2))
        one = {
            "mib": sum(inactive) + sum(active) + draw(st.sampled_from([0.02, 5.0, 60.0])),
            "share": draw(st.sampled_from([0.1, 1.0])),
            "access": draw(st.sampled_from(["read", "mmap", "exec"])),
            "pattern": draw(st.sampled_from(["random", "random", "loop"])),
            "readahead_pages": draw(st.sampled_from([1, 8, 32])),
            "inactive_mib": inactive,
            "active_mib": active,
        }
        if draw(st.booleans()):
            one |= {"on_s": draw(st.sampled_from([0.02, 0.2])), "off_s": draw(st.sampled_from([0.01, 0.1]))}
        files.append(one)
    pace = {"ops_per_s": draw(st.sampled_from([50.0, 20000.0]))} if draw(st.booleans()) else {}
    think = {"think_ms": draw(st.sampled_from([0.0, 0.5]))}
    return {"name": name, "file": files, **think, **pace, **draw(tasks(nr_nodes, groups))}


@st.composite
def anons(draw, name: str, nr_nodes: int, groups: list[str]) -> dict:
    """Tasks that may want more than there is."""
    initial = draw(pages_of_each(nr_nodes, 200))
    task = {"name": name, "initial_mib": initial, "restart_s": 0.3, **draw(tasks(nr_nodes, groups))}
    if draw(st.booleans()):
        peak = sum(initial) + draw(st.sampled_from([-30.0, 20.0, 300.0]))
        task["schedule"] = [[0, sum(initial)], [0.3, max(peak, 0.0)], [0.6, sum(initial) / 2]]
    if draw(st.booleans()):
        task |= {"burst_mib": draw(st.sampled_from([1.0, 40.0])), "burst_every_ms": 90, "burst_hold_ms": 40}
    task["churn_mib_per_s"] = draw(st.sampled_from([0.0, 30.0, 500.0]))
    task["oom_score_adj"] = draw(st.sampled_from([0, -1000, 300]))
    return task


@st.composite
def cgroups(draw) -> list[dict]:
    """A top cgroup with a child, a crowd of identical ones, and one without limits."""
    limit = st.sampled_from([None, 1.0, 12.0, 80.0])
    groups: list[dict] = [
        {"name": "top"},
        {"name": "child", "parent": "top"},
        {"name": "crowd"},
        {"name": "free"},
    ]
    groups[2]["count"] = draw(st.sampled_from([1, 3, 40]))
    groups[0] |= draw(st.sampled_from([{}, {"memory_swap_max_mib": 3.0}]))
    for group in groups[:3]:
        for name in ("min", "low", "high", "max"):
            value = draw(limit) if draw(st.booleans()) else None
            if value is not None:
                group[f"memory_{name}_mib"] = value / group.get("count", 1)
    return groups


@st.composite
def stories(draw) -> dict:
    """The tables of a small scenario: everything the schema can say, under pressure."""
    nr_nodes = draw(st.integers(1, 3))
    groups = draw(cgroups())
    names = ["", "free", "top", "child"]
    crowd = {"cgroup": "crowd"} if draw(st.booleans()) else {}
    tables: dict = {
        "node": [
            {
                "total_mib": draw(st.sampled_from([256, 300])),
                "slab_mib": draw(st.sampled_from([0.0, 0.0, 0.2, 3.0])),
                "slab_mib_per_s": draw(st.sampled_from([0.0, 0.0, 1.0, 40.0])),
                "boosts_per_s": draw(st.sampled_from([0.0, 0.0, 5.0, 200.0])),
            }
            for _ in range(nr_nodes)
        ],
        "cgroup": groups,
        "watermark_scale_factor": draw(st.sampled_from([10, 200])),
        "device": draw(st.sampled_from([DEVICE, {**DEVICE, "bandwidth_mib_per_s": 30}])),
        "anon": [draw(anons(f"anon{i}", nr_nodes, names)) for i in range(draw(st.integers(0, 2)))],
        "reader": [draw(readers(f"reader{i}", nr_nodes, names)) for i in range(draw(st.integers(0, 2)))],
    }
    if crowd:
        tiny = {"mib": 0.1, "share": 1, "access": draw(st.sampled_from(["read", "mmap"]))}
        tables["reader"].append({"name": "crowd", "cpu_node": 0, "file": [tiny], **crowd})
    if draw(st.booleans()):
        stream = {"name": "stream", "mib_per_s": draw(st.sampled_from([5.0, 400.0]))}
        tables["stream"] = [stream | draw(tasks(nr_nodes, names))]
    if draw(st.booleans()):
        size = draw(st.sampled_from([64.0, 3000.0]))
        tables["atomic"] = [{"name": "net", "cpu_node": 0, "burst_kib": size, "every_ms": 50, "hold_ms": 20}]
    tables["swappiness"] = draw(st.sampled_from([0, 60, 200]))
    tables["event"] = [
        {
            "at_s": 0.01 * draw(st.integers(0, 60)),
            "kind": kind,
            "cgroup": "top",
            "mib": draw(st.sampled_from([4.0, 50.0])),
        }
        for kind in ("memory_high", "memory_max", "memory_reclaim")
        if draw(st.booleans())
    ]
    if draw(st.integers(0, 3)) == 0:
        tables["oomd"] = {"pressure_limit_ratio": 0.01, "duration_s": 0.0}
    tables["hotplug"] = [
        {
            "at_s": 0.01 * draw(st.integers(0, 60)),
            "kind": kind,
            "node": draw(st.integers(0, nr_nodes - 1)),
            "mib": draw(st.sampled_from([0.5, 30.0])),
        }
        for kind in ("online", "offline", "inflate", "deflate")
        if draw(st.integers(0, 3)) == 0
    ]
    if draw(st.booleans()):
        tables |= draw(ways_out(nr_nodes, tables["anon"]))
    if draw(st.booleans()):
        tables["hopeless"] = [{"node": draw(st.integers(0, nr_nodes - 1))}]
    return fitted(tables)


@st.composite
def ways_out(draw, nr_nodes: int, tasks: list[dict]) -> dict:
    """Swap, a lower tier or both, from the start or switched on later; every task says how hot it is."""
    for task in tasks:
        task["heat"] = [draw(heats()) for _ in range(draw(st.integers(1, 2)))]
    tables: dict = {"switch": []}
    if nr_nodes > 1 and draw(st.booleans()):
        tables["tier"] = {0: nr_nodes - 1}
        tables["demotion_enabled"] = draw(st.booleans())
        for kind in draw(st.sampled_from([(), ("demotion_on",), ("demotion_off", "demotion_on")])):
            tables["switch"].append({"at_s": 0.2 * (1 + len(tables["switch"])), "kind": kind})
    if draw(st.booleans()) or "tier" not in tables:
        tables["swap"] = {
            "mib": draw(st.sampled_from([0.5, 20.0, 500.0])),
            "on": draw(st.booleans()),
            "latency_us": draw(st.sampled_from([0.0, 80.0, 8000.0])),
            "bandwidth_mib_per_s": draw(st.sampled_from([20.0, 2000.0])),
            "iops_per_s": draw(st.sampled_from([100.0, 500_000.0])),
            "readahead_pages": draw(st.sampled_from([1, 8])),
            "page_cpu_us": draw(st.sampled_from([0.0, 3.0])),
            "pool_ratio": draw(st.sampled_from([0.0, 0.3, 1.0])),
        }
        if not tables["swap"]["on"]:
            tables["switch"].append({"at_s": 0.3, "kind": "swapon"})
    return tables


@st.composite
def heats(draw) -> dict:
    heat = {
        "share": draw(st.sampled_from([0.2, 1.0])),
        "touch_per_s": draw(st.sampled_from([0.0, 1.0, 300.0])),
        "active_ratio": draw(st.sampled_from([0.0, 0.5, 1.0])),
    }
    return heat | ({"on_s": 0.1, "off_s": 0.05} if draw(st.booleans()) else {})


def fitted(tables: dict) -> dict:
    """The same story where the kernel takes what would leave much free, and no max is broken at the start."""
    nr_nodes = len(tables["node"])
    used = np.zeros(nr_nodes)
    held = dict.fromkeys(["", "free", "top", "child", "crowd"], 0.0)
    for task in (*tables["anon"], *tables["reader"]):
        lists = [task.get("initial_mib", 0)]
        lists += [one.get(name, 0) for one in task.get("file", ()) for name in ("inactive_mib", "active_mib")]
        for pages in lists:
            used += pages
            held[task["cgroup"]] += np.sum(pages)
    held["top"] += held["child"]
    for group in tables["cgroup"]:
        if "memory_max_mib" in group:
            group["memory_max_mib"] += float(held[group["name"]])
    nodes = []
    switches, tier = tables.pop("switch", []), tables.pop("tier", {})
    tables = {**tables, "event": tables["event"] + switches}
    for nid, node in enumerate(tables["node"]):
        total = max(node["total_mib"], float(np.ceil(used[nid] + node["slab_mib"])) + 8)
        kernel = max(total - float(used[nid]) - node["slab_mib"] - 12, 0.0)
        lower = {"demotes_to": tier[nid]} if nid in tier else {}
        nodes.append({**node, "total_mib": total, "kernel_mib": kernel, "unusable_mib": 1.0, **lower})
    return {**tables, "node": nodes}
