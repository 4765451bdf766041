"""Small machines whose memory can leave, or itself comes and goes: swap, a lower tier, hotplug."""

from typing import Any

from reclaim_env.scenario import Scenario

from .made import a_reader, a_stream, small_machine

# By the device: latency (us), bandwidth (MiB/s), reads a second, CPU time of a page (us), what a page keeps
DEVICES = {
    "zram": (0.1, 8000.0, 2e6, 3.0, 0.33),
    "nvme": (80.0, 2000.0, 4e5, 0.0, 0.0),
    "disk": (8000.0, 150.0, 150.0, 0.0, 0.0),
}
HEATS = ((1.0, 50.0), (0.5, 0.5), (0.0, 0.001))  # the part that begins active, touches a page and second


def swapping() -> list[Scenario]:
    """A process that outgrows its node by a third, beside a file; hot, warm and cold memory alike."""
    return [
        *(_swapping(f"swap-{device}", device, 60) for device in DEVICES),
        *(_swapping(f"swappiness-{swappiness}", "nvme", swappiness) for swappiness in (0, 150)),
        _swapping_in_cgroups(),
        *(_tiers(f"tier-{free:g}", free) for free in (60.0, 12.0)),
    ]


def anon_stories() -> list[Scenario]:
    """Where a rule matters: to be run under more than one."""
    return [_full("swap-full", 38.0), _full("swap-full-edge", 36.0), _swapon(), _tier_late(), _hotplug()]


def _swap(device: str, mib: float, **fields: Any) -> dict[str, Any]:
    names = ("latency_us", "bandwidth_mib_per_s", "iops_per_s", "page_cpu_us", "pool_ratio")
    return {"mib": mib, **dict(zip(names, DEVICES[device], strict=True)), **fields}


def _heats() -> list[dict[str, Any]]:
    return [{"touch_per_s": touches, "active_ratio": active} for active, touches in HEATS]


def _swapping(name: str, device: str, swappiness: int) -> Scenario:
    size = [[0, 24], [2, 44], [6, 44]]
    hog = {"name": "hog", "cpu_node": 0, "initial_mib": [24.0], "schedule": size, "threads": 4}
    reader = a_reader("mmap", 1)
    files = [{**file, "mib": file["mib"] / 4} for file in reader["file"]]
    files[0]["active_mib"], files[1]["inactive_mib"] = [2.0], [4.0]
    return small_machine(
        name,
        kernel_mib=212.0,
        swap=_swap(device, 60.0),
        swappiness=swappiness,
        cgroup=[{"name": "box"}],
        anon=[{**hog, "churn_mib_per_s": 2, "heat": _heats()}],
        reader=[{**reader, "file": files}],
    )


def _swapping_in_cgroups() -> Scenario:
    """Processes above memory.high, of which one may swap and one may not, beside a stream."""
    size = [[0, 6], [3, 16], [6, 16]]
    task = {"cpu_node": 0, "initial_mib": [6.0], "schedule": size, "threads": 2, "heat": _heats()}
    return small_machine(
        "swap-at-high",
        kernel_mib=190.0,
        swap=_swap("nvme", 60.0),
        cgroup=[
            {"name": "free", "memory_high_mib": 10.0},
            {"name": "held", "memory_high_mib": 14.0, "memory_swap_max_mib": 1.0},
        ],
        anon=[{**task, "name": name, "cgroup": name} for name in ("free", "held")],
        stream=[a_stream(10.0, cgroup="free")],
    )


def _full(name: str, hog_mib: float) -> Scenario:
    """Story (d): compressed swap fills up; red-hot file pages are left, and a container at memory.high.

    With 38 MiB of hog free memory ends above min, and below high even if every file page is dropped; with 36
    that would just do.
    """
    size = [[0, 24], [2, hog_mib], [6, hog_mib]]
    hog = {"name": "hog", "cpu_node": 0, "initial_mib": [24.0], "schedule": size}
    hot = {
        "name": "hot",
        "cpu_node": 0,
        "op_cpu_us": 100,
        "pages_per_op": 1024,
        "ops_per_s": 3000,
        "threads": 4,
    }
    group = {"mib": 1.0, "access": "mmap", "on_s": 1.0, "off_s": 0.25, "inactive_mib": [1.0]}
    busy = {"name": "busy", "cgroup": "box", "cpu_node": 0, "initial_mib": [6.0], "heat": _heats()[:1]}
    return small_machine(
        name,
        kernel_mib=208.0,
        watermark_scale_factor=150,
        swap=_swap("zram", 8.0),
        cgroup=[{"name": "box", "memory_high_mib": 8.0, "memory_swap_max_mib": 0.0}],
        anon=[
            {**hog, "threads": 4, "churn_mib_per_s": 5, "oom_score_adj": -1000, "heat": _heats()[:2]},
            busy,
        ],
        reader=[{**hot, "file": [group] * 4}],
        stream=[a_stream(20.0, cgroup="box", inactive_mib=[1.9])],
    )


def _swapon() -> Scenario:
    """Story (d): kswapd has given up; swap comes, and a second process for which cold pages have to leave."""
    old = {"name": "old", "cpu_node": 0, "initial_mib": [36.0], "churn_mib_per_s": 2, "heat": _heats()}
    size = [[0, 0], [1.5, 0], [5.5, 16], [6, 16]]
    new = {"name": "new", "cpu_node": 0, "schedule": size, "threads": 2, "heat": [{"touch_per_s": 10}]}
    return small_machine(
        "swapon-late",
        kernel_mib=212.0,
        swap=_swap("nvme", 60.0, on=False),
        event=[{"at_s": 1.5, "kind": "swapon"}],
        anon=[{**old, "threads": 4, "oom_score_adj": -1000}, new],
        reader=[
            {
                "name": "web",
                "cpu_node": 0,
                "ops_per_s": 20_000,
                "file": [{"mib": 2, "access": "mmap", "inactive_mib": [2]}],
            }
        ],
        hopeless=[{"node": 0}],
    )


def _two_nodes(name: str, first: dict[str, Any], second: dict[str, Any], **tables: Any) -> Scenario:
    return small_machine(name, min_free_kib=4096, node=[first, second], **tables)


def _node(free_mib: float, **fields: Any) -> dict[str, Any]:
    """With so much beside the kernel."""
    return {"total_mib": 256, "kernel_mib": 256 - free_mib, **fields}


def _tiers(name: str, lower_mib: float) -> Scenario:
    """A process and files bound to a node that demotes to one with room for much, or for little."""
    size = [[0, 24], [3, 48], [6, 48]]
    bound = {"cpu_node": 0, "policy": "bind", "nodes": [0]}
    hog = {"name": "hog", "initial_mib": [24.0, 0.0], "schedule": size, "threads": 2, **bound}
    hot = {"mib": 4.0, "share": 8, "access": "mmap", "active_mib": [4.0, 0.0]}
    cold = {"mib": 16.0, "share": 2, "access": "read", "inactive_mib": [6.0, 0.0]}
    pace = {"op_cpu_us": 5, "ops_per_s": 5000, "threads": 4}
    return _two_nodes(
        name,
        _node(44.0, demotes_to=1),
        _node(lower_mib),
        anon=[{**hog, "churn_mib_per_s": 2, "oom_score_adj": -1000, "heat": _heats()}],
        reader=[{"name": "reader", "file": [hot, cold], **pace, **bound}],
    )


def _tier_late() -> Scenario:
    """Story (f): kswapd gave up while demotion was off; it is switched on, and a bound service grows."""
    bound = {"cpu_node": 0, "policy": "bind", "nodes": [0]}
    hog = {"name": "hog", "cpu_node": 0, "initial_mib": [34.0, 0.0], "threads": 4, "heat": _heats()[::2]}
    size = [[0, 4], [2, 4], [6, 24]]
    service = {"name": "service", "initial_mib": [4.0, 0.0], "schedule": size, "threads": 2, **bound}
    return _two_nodes(
        "tier-late",
        _node(43.0, demotes_to=1),
        _node(80.0),
        demotion_enabled=False,
        event=[{"at_s": 1.5, "kind": "demotion_on"}],
        hopeless=[{"node": 0}],
        anon=[hog, {**service, "churn_mib_per_s": 2, "heat": _heats()[:1]}],
    )


def _hotplug() -> Scenario:
    """Story (e): a block comes to a node that is full and hopeless, and is filled; a balloon elsewhere."""
    bound = {"cpu_node": 1, "policy": "bind", "nodes": [1]}
    group = {"mib": 1.0, "access": "mmap", "on_s": 1.0, "off_s": 0.25, "inactive_mib": [0.0, 1.0]}
    hot = {"name": "hot", "op_cpu_us": 100, "pages_per_op": 1024, "ops_per_s": 3000, "threads": 4, **bound}
    hog = {"name": "hog", "initial_mib": [0.0, 30.0], "schedule": [[0, 30], [0.5, 33]], "threads": 2, **bound}
    archive = {"name": "archive", "cpu_node": 0, "mib_per_s": 10, "inactive_mib": [50.0, 0.0]}
    return _two_nodes(
        "hotplug-late",
        _node(60.0),
        _node(40.0),
        watermark_scale_factor=150,
        hotplug=[
            {"at_s": 1.5, "kind": "online", "node": 1, "mib": 64.0},
            {"at_s": 4.0, "kind": "inflate", "node": 0, "mib": 24.0},
        ],
        anon=[{**hog, "oom_score_adj": -1000}],
        reader=[{**hot, "file": [group] * 4}],
        stream=[a_stream(60.0, start_s=1.6, name="ingest", **bound), archive],
    )
