"""Laws of running recorded scenarios in the model: the model's own episodes, taken for boots, are matched."""

import json
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli import app
from experiments.kernel_lab import compare_model, kernel_runs
from experiments.kernel_lab.compare_model import Case, asked, cases, on_measured_machine
from experiments.kernel_lab.kernel_runs import KernelRun
from reclaim_env.scenario import Scenario, load

SCENARIOS = Path(compare_model.__file__).parent / "scenarios"
SHORT = load(SCENARIOS / "dead_kswapd_slow.toml").with_value("duration_s", 1.0)
RULES = ("always", "balanced")


def boots_of_the_model(scenario: Scenario, rule: str, repeats: int = 2) -> list[KernelRun]:
    found = compare_model._episodes(scenario, rule, "6.12", repeats)
    measured = compare_model.measure(found, scenario.cgroup_names, scenario.workload_names, {})
    measured |= compare_model._sizes_at_end(found)
    return [
        KernelRun(
            scenario, rule, "6.12", i, f"{rule}{i}", None, {name: float(v[i]) for name, v in measured.items()}
        )
        for i in range(repeats)
    ]


@pytest.fixture(scope="module")
def boots() -> list[KernelRun]:
    return [run for rule in RULES for run in boots_of_the_model(SHORT, rule)]


def test_boots_that_are_the_models_own_are_agreed_with(boots):
    found = compare_model.compare(cases(boots), lambda words, done: None)
    assert found.sign_agreement == 1.0
    hopeless = {pair.metric: pair for pair in found.pairs}["hopeless_s"]
    assert hopeless.agree is True and hopeless.kernel is not None and hopeless.kernel < 0
    ratios = {(ratio.rule, ratio.metric): ratio.ratio for ratio in found.ratios}
    assert ratios["balanced", "hopeless_s"] == pytest.approx(1.0)
    assert ratios["always", "pgscan_kswapd"] == pytest.approx(1.0, rel=0.2)


def test_a_node_without_a_story_is_not_compared(boots):
    names = cases(boots)[0].names
    assert "node0/hopeless_at_end" in names and not any(name.startswith("node1/") for name in names)


def test_the_model_starts_with_the_free_memory_that_was_measured(boots):
    measured = {
        "node0/managed_pages": 196_000.0,
        "node0/free_pages_at_start": 1800.0,
        "node1/managed_pages": 197_000.0,
        "node1/free_pages_at_start": 160_000.0,
    }
    runs = [replace(run, metrics={**run.metrics, **measured}) for run in boots]
    machine = on_measured_machine(cases(runs)[0])
    assert machine.managed_pages == (196_000, 197_000)
    assert machine.free_pages == (1800, 160_000)
    assert machine.anon == SHORT.anon and machine.reader == SHORT.reader


def test_refaults_are_told_by_operation_of_the_reader_that_is_alone_in_its_cgroup():
    metrics = {"cgroup/service/refault_mib": 2.0, "workload/hot/throughput_per_s": 64.0}
    found = asked(metrics, SHORT)
    assert found["workload/hot/refaults_per_op"] == 512 / 64
    assert str(found["workload/ingest/refaults_per_op"]) == str(nan)


def test_failed_boots_are_left_out_and_presets_kept_apart(boots):
    failed = replace(boots[0], why_failed="panic", metrics={})
    other = replace(boots[0], kernel="6.18")
    found = {case.label: case for case in cases([*boots, failed, other])}
    assert list(found) == ["dead_kswapd_slow", "dead_kswapd_slow (6.18)"]
    assert len(found["dead_kswapd_slow"].runs["always"]) == 2


def test_two_scenarios_of_one_name_are_refused(boots):
    other = replace(boots[0], scenario=SHORT.with_value("watermark_scale_factor", 120))
    with pytest.raises(ValueError, match="dead_kswapd_slow: found two scenarios of this name") as error:
        cases([*boots, other])
    assert "\n" not in str(error.value)


def test_the_command_prints_one_strict_json_object(boots, monkeypatch):
    monkeypatch.setattr(kernel_runs, "load", lambda folder: boots)
    done = CliRunner().invoke(app, ["validate", "kernel", "--json"])
    assert done.exit_code == 0, done.output

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(done.stdout, parse_constant=refuse)
    assert set(found) == {"pairs", "sign_agreement", "ratios"}


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="found no such folder"):
        kernel_runs.load(tmp_path / "none")


def test_a_case_is_labelled_by_its_preset():
    assert Case(SHORT, "6.12", {}).label == "dead_kswapd_slow"
    assert Case(SHORT, "6.18", {}).label == "dead_kswapd_slow (6.18)"
