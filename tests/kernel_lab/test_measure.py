import copy
import dataclasses
import math

import numpy as np
import pytest

from experiments import metrics as table
from experiments.contender import of_rule
from experiments.evaluate import evaluate
from experiments.identity import Setting
from experiments.kernel_lab import console, measure
from experiments.series import Series
from reclaim_env.model.constants import FREE_PATH, REASONS, RUN, SLEEP
from reclaim_env.model.layout import NR_LATENCY_BINS
from tests.kernel_lab.lab import recorded, scenario


@pytest.fixture(scope="module")
def log() -> console.Console:
    return console.parse(recorded())


@pytest.fixture(scope="module")
def found(log) -> dict[str, float]:
    return measure.metrics(log, scenario())


def changed(log: console.Console, change) -> console.Console:
    """The same log after change(its last sample)."""
    samples = copy.deepcopy(log.samples)
    change(samples[-1])
    return dataclasses.replace(log, samples=samples)


def test_every_name_is_one_of_the_simulator(found):
    short = scenario().model_copy(update={"duration_s": 0.1})
    simulated = evaluate(short, of_rule("always"), [0], Setting(kernel="6.12")).metrics
    assert set(found) <= set(simulated)
    assert {name for name in simulated if not name.startswith(("cost_", "pressure/"))} <= set(found)


def test_every_name_has_a_unit(found):
    assert all(table.describe(name).unit for name in found)


def test_the_kernels_numbers_are_where_they_belong(log, found):
    last = log.samples[-1]
    node = last["node"][0]
    assert found["pgscan_kswapd"] == sum(one["pgscan_kswapd"] for one in last["node"])
    assert found["node0/pgscan_kswapd"] == node["pgscan_kswapd"]
    assert found["node0/kswapd_cpu_s"] == node["kswapd_cpu_ns"] / 1e9
    assert found["node0/first_hopeless_s"] == node["first_hopeless_ns"] / 1e9
    assert found["hopeless_s"] == sum(one["hopeless_ns"] for one in last["node"]) / 1e9 > 0
    assert found["pageoutrun"] == sum(one["runs"] for one in last["node"])
    by_memcg = [one for one in last["reason"] if one["reason"] == "memcg_high"]
    assert found["revivals_memcg_high"] == sum(one["revivals"] for one in by_memcg) > 0
    assert found["workload/web/throughput_per_s"] == pytest.approx(
        next(one["ops"] for one in last["workload"] if one["name"] == "web") / last["t_s"]
    )


def test_what_no_kernel_counts_is_undefined_and_not_zero(found):
    for name in (
        "cost_s",
        "false_dead_s",
        "high_delay_s",
        "atomic_fail",
        "node0/allocstall",
        "refault_wait_s",
    ):
        assert math.isnan(found[name]), name


def test_hopeless_from_the_start_is_a_moment_and_never_is_none(log):
    def hopeless(sample):
        sample["node"][0]["first_hopeless_ns"], sample["node"][1]["first_hopeless_ns"] = 0, -1

    found = measure.metrics(changed(log, hopeless), scenario())
    assert found["node0/first_hopeless_s"] == 0
    assert math.isnan(found["node1/first_hopeless_s"])


def test_bystanders_are_those_without_a_limit_above_them(log):
    def refaults(sample):
        for node, count in zip(sample["node"], (500, 500), strict=True):
            node["workingset_refault_file"] = count
        sample["vmstat"]["workingset_refault_file"] = 1000
        for cgroup in sample["cgroup"]:
            cgroup["workingset_refault_file"] = 300  # only container has a memory.high

    found = measure.metrics(changed(log, refaults), scenario())
    assert found["refault_mib"] == 1000 / 256
    assert found["bystander_refault_mib"] == 700 / 256


def test_a_limit_counts_once_for_all_that_lives_below_it(log):
    parent = scenario().cgroup[0].model_copy(update={"name": "above", "count": 1})
    below = scenario().cgroup[0].model_copy(update={"parent": "above", "count": 1})
    nested = scenario().model_copy(update={"cgroup": (parent, below, *scenario().cgroup[1:])})

    def refaults(sample):
        sample["vmstat"]["workingset_refault_file"] = 1000
        sample["cgroup"] = [
            {"name": name, "workingset_refault_file": 400, "pgscan": 0, "pgsteal": 0}
            for name in ("above", "container")
        ]

    assert measure.metrics(changed(log, refaults), nested)["bystander_refault_mib"] == 600 / 256


def test_time_in_reclaim_is_a_limits_below_one_and_a_stall_elsewhere(log):
    def direct(sample):
        for workload in sample["workload"]:
            workload["direct_ns"] = 2e9 if workload["name"] in ("business", "container-files") else 1e9

    last = changed(log, direct)
    found = measure.metrics(last, scenario())
    others = len(last.samples[-1]["workload"]) - 2
    assert (found["limit_reclaim_s"], found["stall_s"]) == (4.0, others)
    assert math.isnan(found["workload/business/stall_s"])
    assert found["workload/web/stall_s"] == 1.0


def test_latencies_are_those_of_the_bins(log):
    bins = [0] * NR_LATENCY_BINS
    bins[20] = 10
    one = dataclasses.replace(log, latency_bins=log.latency_bins | {"web": bins})
    found = measure.metrics(one, scenario())
    assert found["workload/web/latency_p50_ms"] == pytest.approx(1e-3 * 2 ** (20.5 / 2))


def test_bins_beyond_the_models_last_one_are_added_to_it(log):
    bins = [0] * (NR_LATENCY_BINS + 6)
    bins[-1] = 10
    one = dataclasses.replace(log, latency_bins=log.latency_bins | {"web": bins})
    slowest_ms = 1e-3 * 2 ** ((NR_LATENCY_BINS - 0.5) / 2)
    assert measure.metrics(one, scenario())["workload/web/latency_p50_ms"] == pytest.approx(slowest_ms)


def test_a_kill_is_counted_for_its_workload(log):
    killed = dataclasses.replace(log, kills=({"name": "hog"}, {"name": "hog"}, {"name": "web"}))
    found = measure.metrics(killed, scenario())
    assert (found["workload/hog/oom_kills"], found["workload/web/oom_kills"]) == (2, 1)


def test_the_free_path_is_a_reason_of_its_own(log):
    def freed(sample):
        sample["node"][1] |= {"free_path_resets": 3, "free_path_revivals": 2}

    found = measure.metrics(changed(log, freed), scenario())
    assert (found["node1/resets_free_path"], found["node1/revivals_free_path"]) == (3, 2)
    assert math.isnan(found["progress_free_path"])


def test_the_series_grows_to_what_the_metrics_say(log, found):
    series = measure.series(log, scenario())
    assert series.pgscan_kswapd[-1].sum() == found["pgscan_kswapd"]
    assert series.kswapd_cpu_s[-1].sum() == pytest.approx(found["kswapd_cpu_s"])
    assert series.bystander_refault_pages[-1].sum() / 256 == found["bystander_refault_mib"]
    assert series.resets[-1, :, REASONS.index("memcg_high")].sum() == found["resets_memcg_high"]
    assert series.resets.shape == (len(log.samples), 2, len(REASONS))
    assert not series.resets[..., FREE_PATH].any()
    assert set(np.unique(series.kswapd_phase)) <= {RUN, SLEEP}
    assert Series.from_bytes(series.to_bytes()).nr_nodes == 2
