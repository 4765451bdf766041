import numpy as np
import pytest

from experiments.bench.machine import machine
from experiments.bench.parts import ballooning, boosting, demoting, ordinary, swapping, with_slab, with_swap
from experiments.bench.run import BATCHES, SHAPES, WARM_UP_STEPS, bytes_per_env, render, step_us, under_way
from reclaim_env.model.constants import RUN
from reclaim_env.model.layout import ENV


@pytest.mark.parametrize(("nodes", "cgroups"), [*SHAPES, (2, 4)])
def test_a_spinning_kswapd_runs_on_and_one_beside_a_thrashing_container_sleeps(nodes, cgroups):
    for load in ("spinning", "thrashing"):
        records = under_way(machine(nodes, cgroups, cgroups, load))
        at_work = records["node"]["kswapd_phase"][:, :nodes] == RUN
        assert at_work.mean() > 0.7 if load == "spinning" else not at_work.any()


@pytest.mark.parametrize(("nodes", "cgroups"), [*SHAPES, (2, 4)])
def test_on_the_ordinary_machine_every_kswapd_reclaims_and_the_container_meets_its_limit(nodes, cgroups):
    records = under_way(machine(nodes, cgroups, cgroups, "ordinary"))
    vmstat = records["node"]["vmstat"][:, :nodes]
    assert (vmstat["pgsteal_kswapd"] > 1000).all()
    assert (vmstat["kswapd_fruitless_runs"] == 0).all()
    assert records["memcg"]["events_high"][:, 0].mean() > 3


def test_the_timed_machine_has_the_shape_it_is_said_to_have():
    records = under_way(machine(2, 4, 6, "ordinary"))
    assert (records["nr_nodes"] == 2).all()
    assert (records["nr_classes"] == 6).all()
    assert set(np.round(records["time_s"], 6)) == {WARM_UP_STEPS / 10}
    assert len(machine(2, 4, 6, "ordinary").cgroup) == 4


def test_the_machines_with_one_more_part_use_it():
    vmstat = {make: under_way(make())["node"]["vmstat"][:, :2] for make in (with_swap, swapping, demoting)}
    assert (vmstat[swapping]["pswpout"] > 10_000).all()
    assert vmstat[with_swap]["pswpout"].mean() < 0.1 * vmstat[swapping]["pswpout"].mean()
    assert vmstat[demoting]["pgdemote_kswapd"][:, 0].mean() > 1000


def test_with_swap_the_container_meets_its_limit_as_often_as_without():
    without, among = (
        under_way(make())["memcg"]["events_high"][:, 0].mean() for make in (ordinary, with_swap)
    )
    assert 0.8 * without < among < 1.25 * without


def test_the_parts_whose_cost_is_told_are_at_work():
    vmstat = under_way(boosting())["node"]["vmstat"][:, :2]
    assert (vmstat["boosts"] > 0).all()
    vmstat = under_way(with_slab())["node"]["vmstat"][:, :2]
    assert (vmstat["slabs_scanned"] > 0).all()
    records = under_way(ballooning())
    assert (records["node"]["balloon_pages"][:, 0] > 0).all() and (
        records["hotplug"]["left_pages"][:, 0] > 0
    ).all()


def test_a_step_takes_time_and_too_many_envs_take_none():
    one = machine(1, 2, 2, "ordinary")
    assert (step_us(one, 1) or 0) > 0
    assert step_us(one, 10**9) is None


def test_bytes_are_at_least_those_of_the_state():
    assert ENV.itemsize < bytes_per_env(machine(1, 2, 2, "ordinary")) < 2 * ENV.itemsize


def test_the_table_of_timings_reads_without_what_did_not_fit():
    row = dict.fromkeys(map(str, BATCHES), 1.5) | {"16384": None}
    found = {
        "us_per_env_step": row,
        "us_per_env_step_thrashing": row,
        "us_per_env_step_spinning": row,
        "us_per_env_step_parts": {"ordinary": 40.0, "swapping 200 MiB/s": 90.0},
        "threads": {"1": 2.0, "2": 1.0},
        "cold_start_s": 60.0,
        "warm_start_s": 1.0,
        "bytes_per_env": 150_000,
        "hour_s": {"always": 6.0, "balanced": 2.0},
        "linear": [{"nodes": 1, "cgroups": 2, "us": 3.0, "us_per_node_and_cgroup": 1.5}],
    }
    assert "n/a" in render(found)
    assert max(map(len, render(found).splitlines())) <= 80
