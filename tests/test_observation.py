"""The observation: in its space, fresh, documented, alive, and worked by hand."""

import math

import numpy as np
import pytest

from reclaim_env.model.constants import GLOBAL_DIRECT, KSWAPD, MEMCG_HIGH, PROACTIVE
from reclaim_env.observation import (
    FEATURE,
    NODE_FEATURES,
    NODE_OBSERVATION,
    PRIVILEGED,
    observation_space,
    visible_features,
)
from reclaim_env.observe import observe_rows
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively, plain

INTERVAL_S = 0.1


class Bench:
    """One machine whose record is written by hand, observed over an interval."""

    def __init__(self):
        env = ReclaimVectorEnv(1, scenario=lively())
        env.reset(seed=0)
        self.record = env.records[0]
        self._records = env.records
        self._before = env.records["node"]["vmstat"][:, : env.num_nodes].copy()
        for node in self.record["node"][:2]:
            node["min_wmark_pages"], node["low_wmark_pages"], node["high_wmark_pages"] = 100, 200, 400
            node["free_pages"], node["unusable_pages"] = 350, 50
            node["kswapd_failures"], node["list_pages"] = 0, (600, 200)
        self.record["lruvec"]["list_pages"] = 0
        for nid in range(2):
            first = np.flatnonzero(self.record["lruvec"]["nid"] == nid)[0]
            self.record["lruvec"]["list_pages"][first] = (600, 200)

    def node(self, nid: int) -> np.void:
        return self.record["node"][nid]

    def observed(self, nid: int = 0) -> dict[str, float]:
        out = np.full((1, 2), np.nan, NODE_OBSERVATION)
        observe_rows(self._records, np.arange(1), self._before, INTERVAL_S, out)
        return {name: float(out[name][0, nid]) for name in FEATURE}


def rollout(steps: int = 40, seed: int = 0, **arguments) -> np.ndarray:
    """(steps, rows, nodes, features) under random actions."""
    env = ReclaimVectorEnv(6, episode_s=4, **{"scenario": lively(), "privileged": True, **arguments})
    env.reset(seed=seed)
    env.action_space.seed(seed)
    seen = [env.step(env.action_space.sample())[0] for _ in range(steps)]
    return np.stack(seen).reshape(steps, 6, env.num_nodes, -1)


def test_every_formula_is_filled_in_on_every_node():
    bench = Bench()
    assert not any(math.isnan(value) for nid in (0, 1) for value in bench.observed(nid).values())


@pytest.mark.parametrize("scenario", ["incident", "dead_kswapd", lively(), plain(1), plain(3), plain(8)])
def test_every_observation_lies_in_its_space(scenario):
    env = ReclaimVectorEnv(4, scenario=scenario, privileged=True, episode_s=2)
    observation, _ = env.reset(seed=3)
    for _ in range(45):
        assert observation in env.observation_space
        observation = env.step(env.action_space.sample())[0]


def test_an_observation_is_no_view_of_the_state():
    env = ReclaimVectorEnv(2, scenario=lively())
    first, _ = env.reset(seed=0)
    held = first.copy()
    second = env.step(np.ones((2, 2), np.int8))[0]
    assert np.array_equal(first, held)
    assert not np.shares_memory(first, second) and not np.shares_memory(second, env.records)
    second[:] = -100
    again = env.step(np.ones((2, 2), np.int8))[0]
    assert again.min() > -100


def test_no_feature_is_constant():
    """last_node differs between nodes only: no machine grows a node while it runs."""
    seen = rollout()
    for index, feature in enumerate(NODE_FEATURES):
        values = seen[..., index]
        if feature.name == "last_node":
            assert (values == [0.0, 1.0]).all()
        else:
            assert values.std(axis=(0, 1)).max() > 1e-3, feature.name


def test_features_are_named_with_a_unit_bounds_a_tag_and_their_meaning():
    assert len(FEATURE) == len(NODE_FEATURES)
    for feature in NODE_FEATURES:
        assert feature.unit and feature.doc and feature.low < feature.high
        assert np.isfinite([feature.low, feature.high]).all()
        assert feature.name.rpartition("_")[2] in ("ratio", "s", "node", "hopeless"), feature.name


def test_the_count_of_failures_is_hidden_before_the_tracepoint():
    names = {kernel: [f.name for f in visible_features(kernel)] for kernel in ("6.12", "6.18", "6.19", "7.0")}
    assert "kswapd_failures_ratio" in names["7.0"]
    assert all("kswapd_failures_ratio" not in names[kernel] for kernel in ("6.12", "6.18", "6.19"))
    assert all("cold_over_deficit_ratio" not in shown for shown in names.values())
    assert visible_features("6.12", privileged=True) == NODE_FEATURES
    assert {f.name for f in NODE_FEATURES if f.tag == PRIVILEGED} == {
        "kswapd_failures_ratio",
        "cold_over_deficit_ratio",
    }


def test_hidden_features_leave_the_others_as_they_are():
    every, fewer = rollout(privileged=True), rollout(privileged=False, kernel="7.0")
    assert np.array_equal(every[..., : fewer.shape[-1]], fewer)
    assert fewer.shape[-1] == len(visible_features("7.0"))


def test_the_space_is_node_major_and_finite():
    features = visible_features("7.0")
    space = observation_space(features, 3)
    assert space.shape == (3 * len(features),) and space.dtype == np.float32
    assert space.low.reshape(3, -1)[1].tolist() == [f.low for f in features]
    assert np.isfinite(space.low).all() and np.isfinite(space.high).all()


def test_sizes_by_hand():
    bench = Bench()
    seen = bench.observed()
    assert seen["free_over_low_ratio"] == pytest.approx((350 - 50 - 200) / 200)
    assert seen["file_over_gap_ratio"] == pytest.approx(800 / 300)
    assert seen["file_over_deficit_ratio"] == pytest.approx(800 / (400 - 300))
    assert seen["active_per_file_ratio"] == pytest.approx(200 / 800)
    bench.node(0)["free_pages"] = 450
    assert bench.observed()["file_over_deficit_ratio"] == 8.0
    bench.node(0)["list_pages"] = 0
    assert bench.observed()["active_per_file_ratio"] == 0.0


def test_protected_file_pages_do_not_count():
    bench = Bench()
    whole = bench.observed()["file_over_gap_ratio"]
    for memcg in bench.record["memcg"][: bench.record["nr_memcgs"]]:
        memcg["elow_pages"] = memcg["usage_pages"] / 2
    assert bench.observed()["file_over_gap_ratio"] == pytest.approx(whole / 2, rel=1e-3)


def test_kswapds_state_by_hand():
    bench = Bench()
    node = bench.node(0)
    node["kswapd_failures"] = 15
    assert bench.observed()["hopeless"] == 0.0
    assert bench.observed()["kswapd_failures_ratio"] == pytest.approx(15 / 16)
    node["kswapd_failures"], node["hopeless_since_s"], bench.record["time_s"] = 16, 1.0, 10.0
    seen = bench.observed()
    assert seen["hopeless"] == 1.0 and seen["hopeless_s"] == pytest.approx(1.0)
    node["vmstat"]["kswapd_cpu_s"] += 0.025
    node["vmstat"]["awake_s"] += 0.05
    seen = bench.observed()
    assert seen["kswapd_cpu_ratio"] == pytest.approx(0.25) and seen["awake_ratio"] == pytest.approx(0.5)


def test_reclaim_by_hand():
    bench = Bench()
    node = bench.node(0)
    vmstat = node["vmstat"]
    assert bench.observed()["direct_steal_per_scan_ratio"] == 0.0
    vmstat["pgscan_direct"] += 40
    vmstat["pgsteal_direct"] += 10
    vmstat["allocstall"] += 10
    vmstat["stall_s"] += 0.9
    vmstat["progress"][KSWAPD] += 1
    vmstat["progress"][GLOBAL_DIRECT] += 10
    vmstat["progress"][[MEMCG_HIGH, PROACTIVE]] += 5
    seen = bench.observed()
    assert seen["direct_steal_per_scan_ratio"] == pytest.approx(0.25)
    assert seen["allocstall_per_s"] == pytest.approx(math.log10(101))
    assert seen["stall_ratio"] == pytest.approx(1.0)
    assert seen["kswapd_progress_per_s"] == pytest.approx(math.log10(11))
    assert seen["direct_progress_per_s"] == pytest.approx(math.log10(101))
    assert seen["memcg_progress_per_s"] == pytest.approx(math.log10(101))


def test_refaults_per_steal_by_hand():
    bench = Bench()
    node = bench.node(0)
    assert bench.observed()["refault_per_steal_2s_ratio"] == -4.0
    node["refault_2s_per_s"], node["steal_2s_per_s"] = 5.0, 50.0
    assert bench.observed()["refault_per_steal_2s_ratio"] == pytest.approx(-1.0)
    node["steal_2s_per_s"] = 0.0
    assert bench.observed()["refault_per_steal_2s_ratio"] == pytest.approx(1.0)
    node["refault_20s_per_s"], node["steal_20s_per_s"], node["scan_20s_per_s"] = 2.0, 20.0, 80.0
    seen = bench.observed()
    assert seen["refault_per_steal_20s_ratio"] == pytest.approx(-1.0)
    assert seen["steal_per_scan_ratio"] == pytest.approx(0.25)


def test_the_price_of_a_refault_by_hand():
    bench = Bench()
    bench.record["device"]["latency_s"] = 1e-4
    assert bench.observed()["refault_price_s"] == pytest.approx(-4.0)
    bench.node(0)["vmstat"]["workingset_refault_file"] += 10
    bench.node(0)["vmstat"]["refault_wait_s"] += 0.1
    assert bench.observed()["refault_price_s"] == pytest.approx(-2.0)


def test_neighbours_by_hand():
    bench = Bench()
    bench.node(1)["kswapd_failures"] = 16
    bench.node(1)["free_pages"] = 650
    seen = bench.observed(0)
    assert seen["others_hopeless_ratio"] == 1.0 and seen["others_free_over_low_ratio"] == pytest.approx(2.0)
    assert bench.observed(1)["others_hopeless_ratio"] == 0.0
    bench.record["nr_nodes"] = 1
    alone = bench.observed(0)
    assert alone["others_hopeless_ratio"] == 0.0 and alone["others_free_over_low_ratio"] == -2.0


def test_rates_are_those_of_the_last_interval_alone():
    """The features of an interval do not depend on how often was looked before."""
    env = ReclaimVectorEnv(1, scenario=lively())
    env.reset(seed=0)
    for _ in range(10):
        env.step([[1, 1]])
    earlier = env.records["node"]["vmstat"][0, :2].copy()
    observation = env.step([[1, 1]])[0].reshape(2, -1)
    now = env.records["node"]["vmstat"][0, :2]
    column = [f.name for f in env.features].index("kswapd_cpu_ratio")
    expected = (now["kswapd_cpu_s"] - earlier["kswapd_cpu_s"]) / INTERVAL_S
    assert observation[:, column] == pytest.approx(np.clip(expected, 0, 1))
