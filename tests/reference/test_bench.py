"""The timed machines do what they are said to do, and as fast as a comparison with the model needs."""

import pytest

from experiments.bench.reference import machine, times_real_time
from reclaim_env.reference.boot import boot, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("load", "busy_ratio"), [("asleep", 0.0), ("spinning", 1.0)])
def test_kswapd_sleeps_through_one_load_and_runs_all_through_the_other(load, busy_ratio):
    m = boot(machine(load), "always", seed=1)
    run(m, 1.0)
    before_s = m.node["kswapd_cpu_s"].copy()
    run(m, 2.0)
    assert m.node["kswapd_cpu_s"] - before_s == pytest.approx(busy_ratio, abs=0.02)


@pytest.mark.parametrize(("load", "wanted"), [("asleep", 20.0), ("spinning", 2.0)])
def test_the_reference_is_faster_than_the_machine_it_simulates(load, wanted):
    speed, _ = times_real_time(load)
    assert speed >= wanted
