"""Laws of the calibration: planted costs come back, what the runs cannot tell is named, files survive."""

from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest

from experiments.kernel_lab import calibrate, calibrate_misses, kernel_runs
from experiments.kernel_lab.cli import RECORDED
from experiments.kernel_lab.kernel_runs import KernelRun
from reclaim_env.scenario import Scenario, load

SCENARIOS = Path(calibrate.__file__).parent / "scenarios"
PLANTED_US = {
    "scan_us": 0.9,
    "scan_mapped_us": 2.0,
    "free_us": 4.0,
    "unmap_us": 1.5,
    "pass_us": 30.0,
    "pass_memcg_us": 1.7,
}


def made_up(scenario: Scenario, repeat: int, random: np.random.Generator, **changes: float) -> KernelRun:
    """Counters drawn at random, and the CPU time that the planted costs make of them."""
    scanned, refilled, stolen, passes = random.integers(1000, 100_000, 4).astype(float)
    mapped = random.uniform(0.1, 0.9) if scenario.stream else 1.0
    counters = {
        "pgscan_kswapd": scanned,
        "pgrefill": refilled,
        "pgsteal_kswapd": stolen,
        "node0/passes_kswapd": passes,
        "node1/passes_kswapd": 0.0,
        "cgroup/ingest/pgscan": 1 - mapped,
        "cgroup/shrinking/pgscan": 0.0,
        "cgroup/service/pgscan": mapped,
        "cgroup/container/pgscan": 0.0,
        "cgroup/small/pgscan": 0.0,
        "disk_reads": 1000.0,
        "disk_ms": 700.0,
        "kswapd_awake_s": 20.0,
    } | changes
    run = KernelRun(scenario, "always", "6.12", repeat, f"key{repeat}", None, counters)
    counters["kswapd_cpu_s"] = float(np.dot(calibrate._kswapd_row(run)[:-1], list(PLANTED_US.values())) / 1e6)
    return run


def runs_of(*names: str, each: int = 8, **changes: float) -> list[KernelRun]:
    random = np.random.default_rng(1)
    return [
        made_up(load(SCENARIOS / f"{name}.toml"), repeat, random, **changes)
        for name in names
        for repeat in range(each)
    ]


def test_planted_costs_are_recovered():
    found = calibrate.calibrate(runs_of("futile_revival_many", "futile_revival_few", "dead_kswapd_slow"))
    assert {name: found.costs_us[name] for name in PLANTED_US} == pytest.approx(PLANTED_US, rel=1e-6)
    assert found.r_squared == pytest.approx(1)
    assert found.latency_us == pytest.approx(700)
    assert "direct_entry_us" in found.not_identified


def test_the_price_of_a_call_is_what_its_pages_and_passes_leave():
    calls = {"allocstall": 10.0, "pgscan_direct": 100.0, "pgsteal_direct": 100.0}
    calls |= {"node0/passes_global_direct": 10.0, "node1/passes_global_direct": 0.0}
    stall_us = 10 * 50.0 + 100 * 0.9 + 100 * 4.0 + 10 * (30.0 + 1.7)
    names = "futile_revival_many", "futile_revival_few", "dead_kswapd_slow"
    found = calibrate.calibrate(runs_of(*names, each=8, **calls, stall_s=stall_us / 1e6))
    assert found.costs_us["direct_entry_us"] == pytest.approx(50, rel=1e-3)


def test_one_scenario_cannot_tell_a_pass_from_its_cgroups():
    found = calibrate.calibrate(runs_of("futile_revival_many", each=20))
    assert "pass_us" in found.not_identified["pass_memcg_us"]
    assert "pass_memcg_us" not in found.costs_us
    assert found.not_identified["scan_us"] == "nothing of it in any run"


def test_too_few_runs_are_refused_in_one_line():
    with pytest.raises(
        ValueError, match="--from: found 3 runs in which kswapd ran, wanted 12 or more"
    ) as error:
        calibrate.calibrate(runs_of("futile_revival_many", each=3))
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="found 0 runs"):
        calibrate.calibrate(runs_of("futile_revival_many", each=12, pgscan_kswapd=nan))


def test_a_calibration_is_read_as_it_was_written_and_changes_only_its_fields(tmp_path):
    runs = runs_of("futile_revival_many", "futile_revival_few", "dead_kswapd_slow")
    written = calibrate.calibrate(runs)
    written.write(tmp_path / "costs.json")
    found = calibrate.read(tmp_path / "costs.json")
    assert found == written
    scenario = load(SCENARIOS / "dead_kswapd_slow.toml")
    changed = found.apply(scenario)
    assert changed.cost.pass_memcg_us == pytest.approx(1.7)
    assert changed.cost.tlb_ms == scenario.cost.tlb_ms
    assert changed.node[0].kswapd_cpu_share_ratio == written.kswapd_cpu_share_ratio["dead_kswapd_slow"] < 1
    assert changed.device.latency_us == pytest.approx(700)
    assert changed.stream == scenario.stream and changed.name == scenario.name


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "reclaim-calibration-1"}'])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(ValueError, match="found something else, wanted a file of `reclaim calibrate`"):
        calibrate.read(tmp_path / "x.json")
    with pytest.raises(ValueError, match="wanted a file"):
        calibrate.read(tmp_path / "none.json")


def test_the_price_of_a_miss_is_the_one_whose_storms_are_the_kernels(monkeypatch):
    """A model whose refaults grow with the latency: the planted latency comes back."""
    calm, storm = (
        replace(run, metrics={**run.metrics, **dict.fromkeys(calibrate_misses.STORM_METRICS, pages)})
        for run, pages in zip(runs_of("futile_revival_many", each=2), (100.0, 90_000.0), strict=True)
    )

    def model(case, machine, rule, nr_seeds):
        pages = 90_000 * machine.device.latency_us / 2000.0
        return dict.fromkeys(calibrate_misses.STORM_METRICS, np.full(nr_seeds, pages))

    monkeypatch.setattr(calibrate_misses, "model_columns", model)
    monkeypatch.setattr(calibrate_misses, "compile_model", lambda scenario, progress: None)
    fitted = calibrate.calibrate(runs_of("futile_revival_many", "dead_kswapd_slow"))
    trials = []
    found = calibrate_misses.with_misses(fitted, [storm], lambda words, done: trials.append(done))
    assert found.latency_us == pytest.approx(2000, rel=0.1)
    assert 0 < sum(trials) <= calibrate_misses.NR_TRIALS + 1
    left = calibrate_misses.with_misses(fitted, [calm], lambda words, done: None)
    assert left.latency_us == fitted.latency_us and "latency_us" in left.not_identified


@pytest.mark.skipif(not (RECORDED / "calibration.json").exists(), reason="no calibration is recorded yet")
def test_the_recorded_calibration_was_fitted_on_recorded_first_repeats_and_leaves_others():
    found, runs = calibrate.read(RECORDED / "calibration.json"), kernel_runs.load(RECORDED)
    fitted = [run for run in runs if run.key in found.fitted_on]
    assert len(fitted) == len(found.fitted_on)
    assert {run.repeat for run in fitted} == {1}
    assert {run.rule for run in calibrate.others(found, runs)} >= {"always", "balanced"}


def test_what_was_fitted_is_never_compared():
    runs = runs_of("futile_revival_many", "futile_revival_few", "dead_kswapd_slow")
    runs = [replace(run, key=f"{run.scenario.name}{run.repeat}") for run in runs]
    fitted = calibrate.first_repeats(runs)
    assert {run.repeat for run in fitted} == {1} and len(fitted) == 3
    found = replace(calibrate.calibrate(runs), fitted_on=tuple(run.key for run in fitted))
    assert {run.repeat for run in calibrate.others(found, runs)} == set(range(8)) - {1}
    with pytest.raises(ValueError, match="found no run that it was not fitted on"):
        calibrate.others(found, fitted)
