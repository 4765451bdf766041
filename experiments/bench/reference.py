"""How fast the page-exact reference is on one core: `python -m experiments.bench.reference`.

Two nodes of 128 Ki pages whose readers touch 50 thousand pages a second. asleep: everything fits, and kswapd
sleeps. spinning: not all fits, and all resident file pages together do not lift a node above its high
watermark: both kswapds run without end, and pages are read back for ever.
"""

import json
import sys
import time
from typing import Literal

from reclaim_env.reference.boot import boot, run
from reclaim_env.reference.records import Machine
from reclaim_env.scenario import Scenario, parse

Load = Literal["asleep", "spinning"]

NR_NODES, NODE_MIB = 2, 512.0
TOUCHES_PER_S, PAGES_PER_OP = 50_000.0, 16
RESIDENT_MIB = 16.0  # of a node's reader, three times: read, mapped, executable
FILE_MIB = {"asleep": RESIDENT_MIB, "spinning": 3 * RESIDENT_MIB}
HOG_MIB = {"asleep": 300.0, "spinning": 430.0}
SCALE_FACTOR = {"asleep": 10, "spinning": 1000}  # spinning: low is 77 MiB, high 128
WARM_UP_S, TIMED_S = 3.0, 10.0


def machine(load: Load) -> Scenario:
    return parse(
        {
            "name": load,
            "source": "made up, to be timed",
            "watermark_scale_factor": SCALE_FACTOR[load],
            "device": {"latency_us": 80, "bandwidth_mib_per_s": 3000, "iops_per_s": 400_000},
            "node": [{"total_mib": NODE_MIB}] * NR_NODES,
            "anon": [_hog(nid, load) for nid in range(NR_NODES)],
            "reader": [_reader(nid, load) for nid in range(NR_NODES)],
        }
    )


def _on(nid: int, mib: float) -> list[float]:
    return [mib if other == nid else 0.0 for other in range(NR_NODES)]


def _hog(nid: int, load: Load) -> dict:
    """Its pages of a moment, asked for when there are fewer than low left, keep waking kswapd."""
    bound = {"cpu_node": nid, "policy": "bind", "nodes": [nid], "churn_mib_per_s": 10}
    return {"name": f"hog{nid}", "initial_mib": _on(nid, HOG_MIB[load]), **bound}


def _reader(nid: int, load: Load) -> dict:
    half = _on(nid, RESIDENT_MIB / 2)
    pages = {"mib": FILE_MIB[load], "inactive_mib": half, "active_mib": half}
    return {
        "name": f"reader{nid}",
        "cpu_node": nid,
        "policy": "bind",
        "nodes": [nid],
        "threads": 8,
        "pages_per_op": PAGES_PER_OP,
        "ops_per_s": TOUCHES_PER_S / NR_NODES / PAGES_PER_OP,
        "file": [{**pages, "access": access} for access in ("read", "mmap", "exec")],
    }


def times_real_time(load: Load) -> tuple[float, Machine]:
    """Simulated seconds in a second of CPU time, and the machine as it is at the end."""
    m = boot(machine(load), "always", seed=1)
    run(m, WARM_UP_S)
    began_s = time.process_time()
    run(m, WARM_UP_S + TIMED_S)
    return TIMED_S / (time.process_time() - began_s), m


def main() -> None:
    found = {}
    for load in ("asleep", "spinning"):
        speed, m = times_real_time(load)
        busy = m.node["kswapd_cpu_s"].mean() / (WARM_UP_S + TIMED_S)
        found[load] = {"times_real_time": round(speed, 1), "kswapd_busy_ratio": round(float(busy), 3)}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
