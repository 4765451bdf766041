"""In the steady state the binned lists keep what the closed form says they keep."""

import numpy as np
import pytest

from reclaim_env.boot import boot
from reclaim_env.model.rstat import do_flush_stats
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.scenario import parse
from reclaim_env.units import PAGES_PER_MIB

from .closed_form import steady_state

PAGES = (8000, 20_000, 60_000)
RATES_PER_S = (2.0, 0.1, 0.01)
CAPACITY_PAGES = 20_000
SETTLE_TICKS, MEASURE_TICKS, TICK_S = 30_000, 30_000, 0.01


def machine(access):
    """One node whose kswapd has given up: direct reclaim at min holds the lists at one size."""
    touches = [pages * rate for pages, rate in zip(PAGES, RATES_PER_S, strict=True)]
    files = [
        {"mib": pages / PAGES_PER_MIB, "share": share, "access": kind}
        for pages, share, kind in zip(PAGES, touches, access, strict=True)
    ]
    reader = {
        "name": "r",
        "cpu_node": 0,
        "threads": 64,
        "op_cpu_us": 0.1,
        "ops_per_s": sum(touches),
        "file": files,
    }
    scenario = parse(
        {
            "name": "steady",
            "source": "a test",
            "device": {"latency_us": 1, "bandwidth_mib_per_s": 1e5, "iops_per_s": 1e8},
            "node": [{"total_mib": 256, "kernel_mib": 253 - CAPACITY_PAGES / PAGES_PER_MIB}],
            "reader": [reader],
            "hopeless": [{"node": 0}],
        }
    )
    records = boot(scenario)
    start_episode(records[0])
    return records


def step_freshly(records, nr_ticks):
    """The closed form knows no statistics that lag behind."""
    for _ in range(nr_ticks):
        step_rows(records, 1)
        do_flush_stats(records[0])


@pytest.mark.parametrize(
    "access",
    [("read", "read", "read"), ("read", "mmap", "read"), ("exec", "mmap", "read")],
    ids=lambda access: "-".join(access),
)
def test_lists_hit_ratios_and_evictions_are_those_of_the_closed_form(access):
    records = machine(access)
    step_freshly(records, SETTLE_TICKS)
    node = records["node"][0, 0]
    before = node["vmstat"]["pgsteal_file"].copy()
    hits = np.zeros(len(PAGES))
    for _ in range(50):
        step_freshly(records, MEASURE_TICKS // 50)
        hits += 1 - records["class_"]["absent_pages"][0, : len(PAGES)] / PAGES
    evictions_per_s = (node["vmstat"]["pgsteal_file"] - before) / (MEASURE_TICKS * TICK_S)
    expected = steady_state(PAGES, RATES_PER_S, access, node["list_pages"].sum())
    assert evictions_per_s == pytest.approx(expected.evictions_per_s, rel=0.03)
    assert node["list_pages"][0] == pytest.approx(expected.inactive_pages, rel=0.03)
    assert hits / 50 == pytest.approx(expected.hit_ratio, rel=0.03, abs=0.001)
