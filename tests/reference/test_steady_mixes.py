"""Random mixes of read, mapped and executable files settle where the closed form says, in both simulators."""

import random
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from reclaim_env.boot import boot as boot_model
from reclaim_env.model.rstat import do_flush_stats
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.reference.boot import boot, run
from reclaim_env.reference.workingset import flush_statistics
from reclaim_env.scenario import Scenario
from tests.model.closed_form import steady_state

from .machines import PAGES_PER_MIB, scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

NR_MIXES, CAPACITY_PAGES = 30, 20_000
SETTLE_S, MEASURE_S, SAMPLE_S, TICK_S = 300, 300, 0.1, 0.01
ALLOWED = 0.02


class Mix(NamedTuple):
    """Of each file: pages, touches a page and second, and how they are made."""

    pages: list[int]
    rates: list[float]
    access: list[str]


class Sample(NamedTuple):
    """Pages on the lists and absent of each file now; pages examined on either list and freed so far."""

    inactive: float
    active: float
    scanned: float
    refilled: float
    freed: float
    absent: np.ndarray


def mix(seed: int) -> Mix:
    """A hot, a warm and a cold file that do not fit together."""
    dice = random.Random(seed)

    def between(low: float, high: float) -> float:
        return low * (high / low) ** dice.random()

    pages = [round(between(low, high)) for low, high in ((5e3, 1e4), (1.5e4, 3e4), (4e4, 8e4))]
    rates = [between(low, high) for low, high in ((0.8, 2.0), (0.05, 0.2), (0.005, 0.02))]
    kinds = ("read", "mmap", "exec")
    return Mix(pages, rates, [kinds[int(dice.random() * len(kinds))] for _ in pages])


def machine(one: Mix) -> Scenario:
    """A node whose kswapd has given up: direct reclaim at min holds the lists at one size."""
    touches = [pages * rate for pages, rate in zip(one.pages, one.rates, strict=True)]
    files = [
        {"mib": pages / PAGES_PER_MIB, "share": share, "access": access}
        for pages, share, access in zip(one.pages, touches, one.access, strict=True)
    ]
    reader = {"name": "r", "cpu_node": 0, "threads": 64, "op_cpu_us": 0.1, "ops_per_s": sum(touches)}
    return scenario(
        node=[{"total_mib": 256, "kernel_mib": 253 - CAPACITY_PAGES / PAGES_PER_MIB}],
        device={"latency_us": 1, "bandwidth_mib_per_s": 1e5, "iops_per_s": 1e8},
        reader=[{**reader, "file": files}],
        hopeless=[{"node": 0}],
    )


def sampled(lists: np.ndarray, counters: np.void, absent: np.ndarray) -> Sample:
    scanned, refilled, freed = (
        float(counters[name]) for name in ("pgscan_direct", "pgrefill", "pgsteal_file")
    )
    return Sample(float(lists[0]), float(lists[1]), scanned, refilled, freed, absent.copy())


def by_bins(one: Mix) -> Callable[[float], Sample]:
    records = boot_model(machine(one))
    start_episode(records[0])

    def sample(until_s: float) -> Sample:
        while records["time_s"][0] < until_s - TICK_S / 2:
            step_rows(records, np.int64(1))
            do_flush_stats(records[0])  # the closed form knows no statistics that lag behind
        node, absent = records["node"][0, 0], records["class_"]["absent_pages"][0, : len(one.pages)]
        return sampled(node["list_pages"], node["vmstat"], absent)

    return sample


def by_pages(one: Mix) -> Callable[[float], Sample]:
    m = boot(machine(one), "never")
    ticks = iter(range(1, 10**9))

    def sample(until_s: float) -> Sample:
        while m.system[0]["time_s"] < until_s - TICK_S / 2:
            run(m, next(ticks) * TICK_S)
            flush_statistics(m)
        return sampled(m.node[0]["list_pages"], m.node[0], m.class_["absent"])

    return sample


NARROWLY_MISSED = pytest.mark.xfail(reason="the coldest file's hits, 4 %, are 2.6 % too few", strict=True)
CASES = [
    pytest.param(seed, simulator, marks=NARROWLY_MISSED if (seed, simulator) == (18, by_bins) else ())
    for seed in range(NR_MIXES)
    for simulator in (by_bins, by_pages)
]


@pytest.mark.parametrize(("seed", "simulator"), CASES)
def test_lists_hits_and_evictions_are_those_of_the_closed_form(seed, simulator):
    one = mix(seed)
    sample = simulator(one)
    before = sample(SETTLE_S)
    nr_samples = round(MEASURE_S / SAMPLE_S)
    samples = [sample(SETTLE_S + (i + 1) * SAMPLE_S) for i in range(nr_samples)]
    last = samples[-1]
    inactive, active = (np.mean([getattr(s, name) for s in samples]) for name in ("inactive", "active"))
    scanned, refilled = last.scanned - before.scanned, last.refilled - before.refilled
    deactivating = (refilled / active) / (scanned / inactive)
    expected = steady_state(one.pages, one.rates, one.access, inactive + active, deactivating)
    hits = 1 - np.mean([s.absent for s in samples], axis=0) / one.pages
    evictions_per_s = (last.freed - before.freed) / MEASURE_S
    assert evictions_per_s == pytest.approx(expected.evictions_per_s, rel=ALLOWED), (one, deactivating)
    assert inactive == pytest.approx(expected.inactive_pages, rel=ALLOWED), (one, deactivating)
    assert hits == pytest.approx(expected.hit_ratio, rel=ALLOWED, abs=0.001), (one, deactivating)
