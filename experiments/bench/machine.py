"""Machines to time: any number of nodes, cgroups and file classes, under three loads.

ordinary: a stream brings every node to its low watermark again and again and kswapd does its daily work; a
container goes over its memory.high four times a second. thrashing: kswapd sleeps, and the container's files
do not fit below its memory.high, so that it reclaims and reads them back for ever. spinning: every kswapd
runs without end over lists it has emptied, and hot files are read back as fast as the device can: the worst.
"""

from typing import Literal

from reclaim_env.scenario import Scenario, parse

Load = Literal["ordinary", "thrashing", "spinning"]

NODE_MIB = 4096.0
FILE_MIB = 4.0  # hot sets of 1000 pages, as in the incident
CONTAINER_MIB = 64.0
BURST_MIB = 2.0
STREAM_MIB = 200.0  # already read of the stream, on every node
# Left free: near the high watermark, which a stream's pages can reach; or above a low one (450 MiB) whose
# high one is far beyond what spinning kswapds can free.
FREE_MIB: dict[Load, float] = {"ordinary": 150.0, "thrashing": NODE_MIB / 2, "spinning": 500.0}
SCALE_FACTOR: dict[Load, int] = {"ordinary": 100, "thrashing": 1000, "spinning": 1000}


def machine(nr_nodes: int, nr_cgroups: int, nr_classes: int, load: Load) -> Scenario:
    """Every class has pages on every node; every cgroup reads, the first also reclaims at its memory.high."""
    resident_mib = FILE_MIB / nr_nodes
    nr_streams = 1 if load == "ordinary" else 0
    files_mib = resident_mib * (nr_classes - nr_streams) + STREAM_MIB * nr_streams
    hog_mib = NODE_MIB - FREE_MIB[load] - files_mib - CONTAINER_MIB / nr_nodes
    everywhere = {"policy": "interleave", "nodes": list(range(nr_nodes))}
    readers = range(nr_classes - nr_streams)
    container_files_mib = FILE_MIB * sum(index % nr_cgroups == 0 for index in readers)
    return parse(
        {
            "name": load,
            "source": "made up, to be timed",
            "watermark_scale_factor": SCALE_FACTOR[load],
            "device": {"latency_us": 80, "bandwidth_mib_per_s": 4768, "iops_per_s": 800_000},
            "node": [{"total_mib": NODE_MIB}] * nr_nodes,
            "cgroup": [_cgroup(index, load, container_files_mib) for index in range(nr_cgroups)],
            "anon": [
                _container(nr_nodes, everywhere, load),
                *(_hog(nid, nr_nodes, hog_mib, load) for nid in range(nr_nodes)),
            ],
            "reader": [_reader(index, nr_nodes, nr_cgroups, resident_mib, load) for index in readers],
            "stream": [_stream(nr_nodes, nr_cgroups, everywhere)] * nr_streams,
        }
    )


def _cgroup(index: int, load: Load, files_mib: float) -> dict:
    room_mib = files_mib + BURST_MIB / 2 if load == "ordinary" else 0.5
    limit = {"memory_high_mib": CONTAINER_MIB + room_mib} if index == 0 else {}
    return {"name": f"cgroup{index}", **limit}


def _container(nr_nodes: int, everywhere: dict, load: Load) -> dict:
    """Charges memory, so that its cgroup reclaims: now and then, or all the time."""
    share = [CONTAINER_MIB / nr_nodes] * nr_nodes
    bursts = {"burst_mib": BURST_MIB, "burst_every_ms": 250, "burst_hold_ms": 100}
    return {
        "name": "container",
        "cgroup": "cgroup0",
        "cpu_node": 0,
        "initial_mib": share,
        **(bursts if load == "ordinary" else {"churn_mib_per_s": 16}),
        **everywhere,
    }


def _hog(nid: int, nr_nodes: int, mib: float, load: Load) -> dict:
    """Fills a node and keeps it at its low watermark; where a stream does that, it only fills it."""
    share = [mib if other == nid else 0.0 for other in range(nr_nodes)]
    wanted = [[0, mib], [2, mib + 100]]
    return {
        "name": f"hog{nid}",
        "cpu_node": nid,
        "policy": "bind",
        "nodes": [nid],
        "initial_mib": share,
        **({} if load == "ordinary" else {"schedule": wanted, "churn_mib_per_s": 50}),
    }


def _reader(index: int, nr_nodes: int, nr_cgroups: int, resident_mib: float, load: Load) -> dict:
    """Silent now and then, but not beside a kswapd that is to spin: over empty lists it soon gives up."""
    silences = {} if load == "spinning" else {"on_s": 2, "off_s": 0.5}
    return {
        "name": f"reader{index}",
        "cgroup": f"cgroup{index % nr_cgroups}",
        "cpu_node": index % nr_nodes,
        "policy": "interleave",
        "nodes": list(range(nr_nodes)),
        "threads": 8,
        "pages_per_op": 64,
        "op_cpu_us": 20,
        "think_ms": 8,
        "file": [
            {
                "mib": FILE_MIB,
                "access": ("read", "mmap", "exec")[index % 3],
                **silences,
                "inactive_mib": [resident_mib] * nr_nodes,
            }
        ],
    }


def _stream(nr_nodes: int, nr_cgroups: int, everywhere: dict) -> dict:
    return {
        "name": "stream",
        "cgroup": f"cgroup{nr_cgroups - 1}",
        "cpu_node": 0,
        "mib_per_s": 100.0 * nr_nodes,
        "inactive_mib": [STREAM_MIB] * nr_nodes,
        **everywhere,
    }
