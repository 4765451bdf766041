"""The best of several runs, told on episodes that are the same for all."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.policy_file import PolicySpec, dump_policy
from experiments import files
from experiments.contender import Contender, of_rule
from experiments.identity import Setting
from experiments.training import choice, lessons
from experiments.training.stored import stored_supervised_config
from experiments.training.train_config import config_of
from experiments.training.validation import Validation
from reclaim_env.observation import visible_features
from tests.toys import lively

MEMBERS = 3


def write_run(folder: Path, clear: bool, **asked) -> Path:
    """As a training run leaves it, with an agent that always clears, or never."""
    spec = PolicySpec(features=tuple(one.name for one in visible_features("7.0")), hidden=())
    bias = np.array([0, 1] if clear else [1, 0], np.float32)
    tensors = {"layer0.weight": np.zeros((2, len(spec.features)), np.float32), "layer0.bias": bias}
    files.write_bytes(folder / "agent.safetensors", dump_policy(spec, tensors))
    config = config_of({"scenarios": ("lively",), **asked}).model_dump(mode="json")
    files.write_text(folder / "manifest.json", json.dumps({"kind": "train", "config": config}))
    return folder


def costs_s(rule: str) -> float:
    lesson = lessons.Lesson("lively", (lively("lively"),))
    return Validation([lesson], Setting(), MEMBERS).measure(of_rule(rule))["lively"]["cost_s"]


@pytest.fixture
def _toys(monkeypatch):
    monkeypatch.setattr(lessons, "load_all", lambda names: [lively(name) for name in names])


@pytest.mark.usefixtures("_toys")
def test_the_run_that_costs_least_comes_first_and_lessons_it_loses_are_told(tmp_path):
    always, balanced, never = map(costs_s, ("always", "balanced", "never"))
    assert always > 1.1 * balanced and balanced > 1.1 * never
    runs = [write_run(tmp_path / "clears", True), write_run(tmp_path / "keeps", False, seed=1)]
    found = {one.name: one for one in choice.standings(runs, MEMBERS)}
    assert list(found) == ["keeps", "balanced", "clears"]
    assert found["keeps"].ratio == pytest.approx(never / always)
    assert found["balanced"].ratio == pytest.approx(balanced / always)
    assert found["clears"].ratio == 1.0 and found["clears"].worse == ("lively",)
    assert found["keeps"].worse == ()
    assert "| `clears` | 1.0000 | 1 | lively |" in choice.render(list(found.values()))


@pytest.mark.usefixtures("_toys")
def test_a_file_stands_beside_runs_under_its_own_name(tmp_path):
    run = write_run(tmp_path / "clears", True)
    (tmp_path / "keeps.safetensors").write_bytes(
        (write_run(tmp_path / "keeps", False) / "agent.safetensors").read_bytes()
    )
    found = choice.standings([tmp_path / "keeps.safetensors", run], MEMBERS)
    assert [one.name for one in found] == ["keeps", "balanced", "clears"]
    with pytest.raises(ValueError, match="found no run, wanted one"):
        choice.standings([tmp_path / "keeps.safetensors"], MEMBERS)


def test_a_run_of_another_algorithm_has_no_labels_to_be_fitted_again(tmp_path):
    run = write_run(tmp_path / "other", True)
    with pytest.raises(ValueError, match=r"other: found a run of ppo, wanted one of supervised"):
        stored_supervised_config(run)


def test_a_margin_is_allowed():
    rule = {"a": 0.5, "b": 0.5}
    assert choice._standing("mine", {"a": 0.515, "b": 0.525}, rule) == choice.Standing("mine", 0.52, ("b",))


def test_more_members_are_asked_than_a_run_looks_at():
    config = config_of({"validation": ("control/asleep?split=validation#0..3", "incident")})
    assert choice._validated(config, 16) == ("control/asleep?split=validation#0..15", "incident")


@pytest.mark.usefixtures("_toys")
@pytest.mark.parametrize("asked", [{"validation": ("other",)}, {"kernel": "6.18"}])
def test_runs_that_were_not_validated_alike_are_not_compared(tmp_path, asked):
    runs = [write_run(tmp_path / "one", True), write_run(tmp_path / "other", True, **asked)]
    with pytest.raises(SystemExit, match=r"other: found another validation, wanted that of .*one"):
        choice.main(list(map(str, runs)))


def test_every_contender_meets_the_same_episodes(monkeypatch):
    seen = []
    validation = Validation([lessons.Lesson("lively", (lively(),))], Setting(), MEMBERS)
    monkeypatch.setattr(
        "experiments.training.validation.episodes",
        lambda scenarios, seeds, contender, setting: (
            seen.append((contender.name, seeds)) or {"cost_s": np.ones(len(seeds))}
        ),
    )
    choice._ratios(validation, [of_rule("always"), of_rule("balanced"), Contender("mine", "")])
    assert [name for name, _ in seen] == ["always", "balanced", "mine"]
    assert len({tuple(seeds) for _, seeds in seen}) == 1 and len(set(seen[0][1])) == MEMBERS
