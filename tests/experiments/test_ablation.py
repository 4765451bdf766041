"""Policies fitted again to a run's labels, with less to see."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from experiments.training import ablation, lessons, train
from reclaim_env.observation import visible_features
from tests.toys import lively


@pytest.fixture(scope="module")
def refit(tmp_path_factory) -> ablation.Refit:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "load_all", lambda names: [lively(name) for name in names])
        asked = {"algo": "supervised", "rows": 2, "hidden": (8,), "labels_per_episode": 4, "hold_steps": 10}
        asked |= {"scenarios": ("lively",), "steps": 32, "epochs": 20}
        folder: Path = train.run(asked, tmp_path_factory.mktemp("run") / "run", None, "test")
        return ablation.Refit(folder)


def test_the_groups_are_all_that_an_agent_sees_each_once():
    grouped = [name for names in ablation.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(feature.name for feature in visible_features("7.0"))


def test_the_whole_is_the_runs_own_agent(refit):
    policy = refit.policy(refit.labels)
    assert policy.spec == refit.spec.model_copy(update={"sha256": policy.spec.sha256})
    for name, tensor in refit.agent.tensors.items():
        assert np.array_equal(policy.tensors[name], tensor)


def test_what_is_hidden_changes_nothing_and_what_is_not_does(refit):
    policy = refit.policy(refit.labels, ("hopeless",))
    states = refit.labels.features
    hidden, shown = states.copy(), states.copy()
    hidden[:, policy.spec.features.index("hopeless")] += 1.0
    shown[:, policy.spec.features.index("file_over_gap_ratio")] += 1.0
    assert np.array_equal(policy.logits(hidden), policy.logits(states))
    assert not np.allclose(policy.logits(shown), policy.logits(states))


def test_every_variant_is_validated(refit, monkeypatch):
    seen = []
    monkeypatch.setattr(
        ablation.Refit, "cost_ratio", lambda self, *asked: seen.append(asked) or float(len(seen))
    )
    found = dict(ablation.variants(refit))
    assert list(found.values()) == list(range(1, len(ablation.GROUPS) + 5))
    mixed, random = (labels for (labels,) in seen[-2:])
    assert not np.array_equal(mixed.features, refit.labels.features) and mixed.costs is refit.labels.costs
    assert np.array_equal(np.sort(random.costs), np.sort(refit.labels.costs))
    assert not np.array_equal(random.costs, refit.labels.costs)
