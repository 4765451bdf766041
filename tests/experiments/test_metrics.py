import numpy as np
import pytest

from experiments.metrics import describe, latency_s, measure
from reclaim_env.model.constants import GLOBAL_DIRECT, REASONS
from reclaim_env.model.layout import NR_LATENCY_BINS, VMSTAT, alloc
from tests.experiments.frame import ended

NAMED_IN_THE_ISSUE = {
    *("pgscan_kswapd", "pgscan_direct", "pgsteal_kswapd", "pgsteal_direct", "allocstall", "kswapd_cpu_s"),
    *("stall_s", "cost_s", "refault_mib", "bystander_refault_mib", "hopeless_s", "oom_kills"),
    *("efficiency_kswapd", "efficiency_direct", "refault_mib_per_s"),
}


def measured(records: np.ndarray) -> dict[str, np.ndarray]:
    return measure(records, ("a", "b"), ("job",), {"stall": np.ones(len(records))})


def test_every_metric_of_the_issue_is_there():
    assert set(measured(ended("always", 2))) >= NAMED_IN_THE_ISSUE


def test_every_counter_of_the_model_is_reported():
    used = set(measured(ended("always", 1)))
    renamed = {
        "oom_kill": "oom_kills",
        "oomd_kill": "oomd_kills",
        "awake_s": "kswapd_awake_s",
        "bystander_refault_pages": "bystander_refault_mib",
    }
    for name in VMSTAT.names or ():
        assert renamed.get(name, name) in used or f"{name}_{REASONS[0]}" in used, name


def test_the_machine_is_the_sum_of_its_nodes_and_its_ratio_that_of_the_sums():
    records = alloc(1)
    records["nr_nodes"], records["time_s"] = 2, 10.0
    vmstat = records["node"]["vmstat"]
    vmstat["pgscan_kswapd"][0, :2], vmstat["pgsteal_kswapd"][0, :2] = (100, 300), (100, 0)
    vmstat["workingset_refault_file"][0, :2] = (256, 512)
    found = measured(records)
    assert found["pgscan_kswapd"] == 400
    assert found["efficiency_kswapd"] == 0.25
    assert [float(found[f"node{nid}/efficiency_kswapd"][0]) for nid in (0, 1)] == [1.0, 0.0]
    assert (found["refault_mib"], found["refault_mib_per_s"]) == (3.0, 0.3)


def test_where_nothing_was_scanned_efficiency_is_undefined_and_not_zero():
    records = alloc(1)
    records["nr_nodes"] = 1
    assert np.isnan(measured(records)["efficiency_direct"]).all()


def test_resets_are_told_apart_by_reason():
    records = alloc(1)
    records["nr_nodes"] = 2
    records["node"]["vmstat"]["resets"][0, 1, GLOBAL_DIRECT] = 7
    found = measured(records)
    assert found["resets"] == found["resets_global_direct"] == found["node1/resets_global_direct"] == 7
    assert found["resets_kswapd"] == found["node0/resets"] == 0


def test_a_moment_that_never_came_is_undefined():
    records = alloc(1)
    records["nr_nodes"] = 1
    records["node"]["first_hopeless_s"], records["node"]["first_fruitless_s"] = -1, 0.0
    found = measured(records)
    assert np.isnan(found["node0/first_hopeless_s"]).all()
    assert found["node0/first_fruitless_s"] == 0


@pytest.mark.parametrize("bin_", [0, 20, NR_LATENCY_BINS - 1])
def test_the_median_of_one_bin_is_its_middle_on_the_logarithm(bin_):
    histogram = np.zeros(NR_LATENCY_BINS)
    histogram[bin_] = 10
    assert latency_s(histogram, 0.5) == pytest.approx(1e-6 * 2 ** ((bin_ + 0.5) / 2))


def test_percentiles_of_a_known_sample_are_within_a_fraction_of_a_bin():
    sample = np.random.default_rng(7).lognormal(-7, 1, 200_000)
    bins = np.clip(np.floor(2 * np.log2(sample / 1e-6)), 0, NR_LATENCY_BINS - 1).astype(int)
    histogram = np.bincount(bins, minlength=NR_LATENCY_BINS).astype(float)
    for quantile in (0.5, 0.99):
        assert latency_s(histogram, quantile) == pytest.approx(np.quantile(sample, quantile), rel=0.05)


def test_no_operation_has_no_latency():
    assert np.isnan(latency_s(np.zeros((3, NR_LATENCY_BINS)), 0.99)).all()


def test_every_measured_name_has_a_unit():
    for name in measured(ended("balanced", 1)):
        assert describe(name).unit
