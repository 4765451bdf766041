"""Whole runs of the reference: what is conserved, what a seed fixes, and the closed form."""

import numpy as np
import pytest

from reclaim_env.reference.boot import boot, run
from reclaim_env.reference.workingset import flush_statistics
from tests.model.closed_form import steady_state

from .machines import PAGES_PER_MIB, audit, scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the event loop compiles for minutes, once

PAGES, RATES_PER_S, CAPACITY_PAGES = (8000, 20_000, 60_000), (2.0, 0.1, 0.01), 20_000


def crowded():
    """Two nodes, limits, a hog, readers of every kind, a stream, bursts, writes to limits."""
    files = [{"mib": 20, "access": one, "inactive_mib": [4, 0]} for one in ("read", "mmap", "exec")]
    return scenario(
        node=[{"total_mib": 256, "kernel_mib": 150}, {"total_mib": 256, "kernel_mib": 200}],
        cgroup=[
            {"name": "top", "memory_max_mib": 60},
            {"name": "box", "parent": "top", "count": 3, "memory_high_mib": 12},
        ],
        anon=[
            {"name": "hog", "cpu_node": 0, "initial_mib": [30, 0], "schedule": [[0, 30], [1, 70], [2, 40]]},
            {"name": "own", "cgroup": "box", "cpu_node": 0, "initial_mib": [4, 0], "churn_mib_per_s": 5},
        ],
        reader=[
            {"name": "web", "cpu_node": 0, "ops_per_s": 5000, "file": files},
            {"name": "in", "cgroup": "box", "cpu_node": 1, "think_ms": 1, "file": [{"mib": 10}]},
        ],
        stream=[{"name": "log", "cpu_node": 0, "mib_per_s": 40}],
        atomic=[{"name": "net", "cpu_node": 0, "burst_kib": 400, "every_ms": 50, "hold_ms": 20}],
        event=[{"at_s": 1.5, "kind": "memory_high", "cgroup": "top", "mib": 30}],
    )


def test_pages_and_charges_are_conserved_in_a_crowded_machine():
    m = boot(crowded(), "always", 3)
    for until_s in np.arange(0.25, 3.01, 0.25):
        run(m, float(until_s))
        audit(m)
    assert m.node["pgsteal_file"].sum() > 1000


def test_a_seed_fixes_everything():
    totals = []
    for seed in (1, 1, 2):
        m = boot(crowded(), "balanced", seed)
        run(m, 1.0)
        totals.append((m.node.tobytes(), m.page.tobytes()))
    assert totals[0] == totals[1] != totals[2]


def test_memory_high_keeps_a_task_when_its_read_is_done_not_when_it_begins():
    """A task looks after its limit on its way back to user mode."""
    reader = {"name": "r", "cgroup": "box", "cpu_node": 0, "threads": 1, "file": [{"mib": 4}]}
    m = boot(
        scenario(
            cgroup=[{"name": "box", "memory_high_mib": 0.125}],
            device={"latency_us": 10_000, "bandwidth_mib_per_s": 3000, "iops_per_s": 400_000},
            reader=[reader],
        )
    )
    box = m.memcg[1]
    over_since, kept_since = [], []
    for until_s in np.arange(0.001, 0.1, 0.001):
        run(m, float(until_s))
        over_since += [until_s] if box["usage_pages"] > box["high_pages"] else []
        kept_since += [until_s] if box["events_high"] > 0 else []
    assert kept_since[0] - over_since[0] == pytest.approx(0.010, abs=0.0015)


@pytest.mark.parametrize("access", [("read", "mmap", "read"), ("exec", "mmap", "read")], ids="-".join)
def test_lists_and_evictions_are_those_of_the_closed_form(access):
    """A node whose kswapd has given up: direct reclaim at min holds the lists at one size.

    Lists of about equal length: a descent that stops after its first round has taken 32 pages of each, where
    the closed form takes them in proportion.
    """
    touches = [pages * rate for pages, rate in zip(PAGES, RATES_PER_S, strict=True)]
    files = [
        {"mib": pages / PAGES_PER_MIB, "share": share, "access": kind}
        for pages, share, kind in zip(PAGES, touches, access, strict=True)
    ]
    reader = {"name": "r", "cpu_node": 0, "threads": 64, "op_cpu_us": 0.1, "ops_per_s": sum(touches)}
    m = boot(
        scenario(
            node=[{"total_mib": 256, "kernel_mib": 253 - CAPACITY_PAGES / PAGES_PER_MIB}],
            device={"latency_us": 1, "bandwidth_mib_per_s": 1e5, "iops_per_s": 1e8},
            reader=[{**reader, "file": files}],
            hopeless=[{"node": 0}],
        ),
        "never",
    )
    hits, inactive, samples = np.zeros(3), 0.0, 0
    for tick in range(1, 60_001):
        run(m, tick / 100)
        flush_statistics(m)  # the closed form knows no statistics that lag behind
        if tick == 30_000:
            before = int(m.node[0]["pgsteal_file"])
        if tick > 30_000 and tick % 10 == 0:
            hits += 1 - m.class_["absent"] / PAGES
            inactive += float(m.node[0]["list_pages"][0])
            samples += 1
    expected = steady_state(PAGES, RATES_PER_S, access, m.node[0]["list_pages"].sum())
    assert (m.node[0]["pgsteal_file"] - before) / 300 == pytest.approx(expected.evictions_per_s, rel=0.02)
    assert inactive / samples == pytest.approx(expected.inactive_pages, rel=0.02)
    assert hits / samples == pytest.approx(expected.hit_ratio, rel=0.02, abs=0.001)
