"""Machines to time: any number of nodes, cgroups and file classes, quiet or with every kswapd spinning."""

from reclaim_env.scenario import Scenario, parse

NODE_MIB = 4096.0
FILE_MIB = 4.0  # hot sets of 1000 pages that fall silent now and then, as in the incident
FREE_WHEN_SPINNING_MIB = 500.0  # above low (450 MiB here), far below high


def machine(nr_nodes: int, nr_cgroups: int, nr_classes: int, spinning: bool) -> Scenario:
    """Every class has pages on every node; every cgroup reads, the first also reclaims at its memory.high."""
    resident_mib = FILE_MIB / nr_nodes
    free_mib = FREE_WHEN_SPINNING_MIB if spinning else NODE_MIB / 2
    hog_mib = NODE_MIB - free_mib - resident_mib * nr_classes - CONTAINER_MIB / nr_nodes
    everywhere = {"policy": "interleave", "nodes": list(range(nr_nodes))}
    return parse(
        {
            "name": "spinning" if spinning else "quiet",
            "source": "made up, to be timed",
            "watermark_scale_factor": 1000,
            "device": {"latency_us": 80, "bandwidth_mib_per_s": 4768, "iops_per_s": 800_000},
            "node": [{"total_mib": NODE_MIB}] * nr_nodes,
            "cgroup": [_cgroup(index) for index in range(nr_cgroups)],
            "anon": [
                _container(nr_nodes, everywhere),
                *(_hog(nid, nr_nodes, hog_mib) for nid in range(nr_nodes)),
            ],
            "reader": [_reader(index, nr_nodes, nr_cgroups, resident_mib) for index in range(nr_classes)],
        }
    )


CONTAINER_MIB = 64.0


def _cgroup(index: int) -> dict:
    limit = {"memory_high_mib": CONTAINER_MIB + 0.5} if index == 0 else {}
    return {"name": f"cgroup{index}", **limit}


def _container(nr_nodes: int, everywhere: dict) -> dict:
    """Charges memory all the time, so that its cgroup reclaims."""
    share = [CONTAINER_MIB / nr_nodes] * nr_nodes
    return {
        "name": "container",
        "cgroup": "cgroup0",
        "cpu_node": 0,
        "initial_mib": share,
        "churn_mib_per_s": 16,
        **everywhere,
    }


def _hog(nid: int, nr_nodes: int, mib: float) -> dict:
    """Fills a node and keeps it at its low watermark."""
    share = [mib if other == nid else 0.0 for other in range(nr_nodes)]
    wanted = [[0, mib], [2, mib + 100]]
    return {
        "name": f"hog{nid}",
        "cpu_node": nid,
        "policy": "bind",
        "nodes": [nid],
        "initial_mib": share,
        "schedule": wanted,
        "churn_mib_per_s": 50,
    }


def _reader(index: int, nr_nodes: int, nr_cgroups: int, resident_mib: float) -> dict:
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
                "on_s": 2,
                "off_s": 0.5,
                "inactive_mib": [resident_mib] * nr_nodes,
            }
        ],
    }
