"""Small machines, each about one thing: access, cgroups, devices, protection, the situations of a reset."""

from typing import Any

from reclaim_env.scenario import Scenario, parse

ACCESS = ("read", "mmap", "exec")
MEMBERS = (8, 200)
DEVICES = {"quick": 3000.0, "saturated": 8.0}  # MiB/s
DURATION_S = 6.0

# 16 resets in the time of 16 runs, by others than kswapd: dead at once, undecided, never dead
RESETS_IN_SIXTEEN_RUNS = (0.1, 1.0, 10.0)
RUN_S = 1.5e-3  # of the run over HOT_MIB: 12 passes, and a lap of mapped pages
HOT_MIB, NR_HOT = 16.0, 8


def readers_and_streams() -> list[Scenario]:
    made = [_readers(access, 1, device) for device in DEVICES for access in ACCESS]
    made += [_readers(access, members, "quick") for members in MEMBERS for access in ACCESS]
    made += [_stream(rate) for rate in (10.0, 200.0)]
    return made + [_protected(kind, mib) for kind, mib in (("low", 10.0), ("low", 25.0), ("min", 25.0))]


def stories() -> list[Scenario]:
    """Where a rule matters: to be run under more than one."""
    return [
        *(_revived(product) for product in RESETS_IN_SIXTEEN_RUNS),
        _dead_beside_stream(),
        _exit(),
        _fallback(),
        _boosted(),
        _slab(),
    ]


def small_machine(
    name: str, bandwidth_mib_per_s: float = 3000.0, kernel_mib: float = 216.0, **tables: Any
) -> Scenario:
    """One node of 256 MiB, unless tables say otherwise, of which all but 40 are the kernel's."""
    device = {"latency_us": 80, "bandwidth_mib_per_s": bandwidth_mib_per_s, "iops_per_s": 400_000}
    basics = {
        "name": name,
        "source": "made to be compared",
        "duration_s": DURATION_S,
        "thp": False,
        "min_free_kib": 2048,
        "node": [{"total_mib": 256, "kernel_mib": kernel_mib}],
        "device": device,
    }
    return parse({**basics, **tables})


def a_reader(access: str, members: int) -> dict[str, Any]:
    """Eight of ten touches go to 16 MiB, the others to 60; 34 are resident at the start."""
    hot = {"mib": 16 / members, "share": 8, "access": access, "active_mib": [8 / members]}
    cold = {"mib": 60 / members, "share": 2, "access": access, "inactive_mib": [26 / members]}
    pace = {"op_cpu_us": 5, "ops_per_s": 20_000 / members, "threads": 4}
    return {"name": "reader", "cgroup": "box", "cpu_node": 0, "file": [hot, cold], **pace}


def _readers(access: str, members: int, device: str) -> Scenario:
    return small_machine(
        f"{access}-{members}-{device}",
        DEVICES[device],
        cgroup=[{"name": "box", "count": members}],
        reader=[a_reader(access, members)],
    )


def a_stream(mib_per_s: float, **fields: Any) -> dict[str, Any]:
    return {"name": "stream", "cpu_node": 0, "mib_per_s": mib_per_s, **fields}


def _stream(mib_per_s: float) -> Scenario:
    """A stream of new pages beside a mapped working set."""
    return small_machine(
        f"stream-{mib_per_s:g}",
        cgroup=[{"name": "box"}],
        reader=[a_reader("mmap", 1)],
        stream=[a_stream(mib_per_s)],
    )


def _protected(kind: str, mib: float) -> Scenario:
    """A cgroup under memory.low or memory.min beside a stream."""
    box = {"name": "box", f"memory_{kind}_mib": mib}
    return small_machine(
        f"{kind}-{mib:g}", cgroup=[box], reader=[a_reader("read", 1)], stream=[a_stream(20.0)]
    )


def _hot_files() -> list[dict[str, Any]]:
    """Mapped files touched 3000 times a page and second, and now and then silent together with nobody."""
    one = {"mib": HOT_MIB / NR_HOT, "access": "mmap", "on_s": 2.0, "off_s": 0.5}
    return [{**one, "inactive_mib": [HOT_MIB / NR_HOT]} for _ in range(NR_HOT)]


def _revived(product: float) -> Scenario:
    """Story (a): kswapd cannot balance the node; a container at memory.high resets `product` times in 16.

    Free and file pages together stay below high (25 MiB), free pages above min.
    """
    calls_per_s = product / (16 * RUN_S)
    hot = {
        "name": "hot",
        "cpu_node": 0,
        "op_cpu_us": 100,
        "pages_per_op": 4096,
        "ops_per_s": 3000,
        "threads": 4,
    }
    hog = {"name": "hog", "cpu_node": 0, "initial_mib": [16.0], "churn_mib_per_s": 1}
    return small_machine(
        f"revived-{product:g}".replace(".", "_"),
        kernel_mib=208.0,
        watermark_scale_factor=450,
        cgroup=[{"name": "box", "memory_high_mib": 8.0}],
        anon=[hog, {"name": "busy", "cgroup": "box", "cpu_node": 0, "initial_mib": [6.0]}],
        reader=[{**hot, "file": _hot_files()}],
        stream=[a_stream(calls_per_s * 64 / 256, cgroup="box", inactive_mib=[2.0])],
    )


def _dead_beside_stream() -> Scenario:
    """Story (b): kswapd has given up, and a stream of cold pages comes."""
    return small_machine(
        "dead-beside-stream",
        reader=[{**a_reader("mmap", 1), "cgroup": ""}],
        stream=[a_stream(60.0, start_s=1.0)],
        hopeless=[{"node": 0}],
    )


def _exit() -> Scenario:
    """Story (c): a job that made the node hopeless ends, and comes back."""
    size = [[0, 30], [1, 30], [1.2, 4], [3, 4], [4, 30], [6, 30]]
    job = {"name": "job", "cpu_node": 0, "initial_mib": [30.0], "schedule": size, "threads": 2}
    hot = {**a_reader("exec", 1), "cgroup": ""}
    files = [{**hot["file"][0], "mib": 8.0, "active_mib": [4.0]}, {"mib": 40.0, "share": 1}]
    return small_machine("exit", anon=[job], reader=[{**hot, "file": files}], hopeless=[{"node": 0}])


def _fallback() -> Scenario:
    """Story (g): tasks that may go elsewhere hide a full node from its kswapd; one that is bound does not."""
    nodes = [{"total_mib": 256, "kernel_mib": mib} for mib in (216.0, 190.0)]
    bound = {"name": "bound", "cpu_node": 0, "policy": "bind", "nodes": [0], "mib_per_s": 30}
    return small_machine(
        "fallback",
        min_free_kib=4096,
        node=nodes,
        anon=[{"name": "free", "cpu_node": 0, "schedule": [[0, 0], [4, 40]], "threads": 2}],
        reader=[
            {"name": "reader", "cpu_node": 1, "ops_per_s": 10_000, "file": [{"mib": 40.0, "access": "mmap"}]}
        ],
        stream=[bound],
        hopeless=[{"node": 0}],
    )


def _boosted() -> Scenario:
    """Story (b'): boosts wake a kswapd that finds all caches below their low; then cold pages come."""
    box = {"name": "box", "memory_low_mib": 40.0}
    return small_machine(
        "boosted",
        node=[{"total_mib": 256, "kernel_mib": 166.0, "boosts_per_s": 10}],
        cgroup=[box],
        reader=[a_reader("read", 1)],
        stream=[a_stream(40.0, start_s=2.5)],
    )


def _slab() -> Scenario:
    """Names and inodes that grow beside a working set that fits: every run finds something to free."""
    return small_machine(
        "slab",
        node=[{"total_mib": 256, "kernel_mib": 212.0, "slab_mib": 4.0, "slab_mib_per_s": 4.0}],
        cgroup=[{"name": "box"}],
        reader=[a_reader("mmap", 1)],
        stream=[a_stream(20.0)],
    )
