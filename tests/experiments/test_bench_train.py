import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from experiments.bench import train
from experiments.bench.machine import machine
from experiments.bench.train import FreeEnv
from experiments.training import learner
from experiments.training.lessons import Lesson
from experiments.training.train_config import PpoConfig


def test_the_free_env_has_the_shapes_of_the_real_one_and_costs_nothing():
    lesson = Lesson("one", (machine(2, 2, 2, "ordinary"),))
    env = learner.make_env(PpoConfig(rows=3), [lesson], {"one": 1.0})
    free = FreeEnv(env)
    assert free.reset().shape == np.asarray(env.reset()).shape
    for _ in range(3):
        found, real = free.step(np.zeros(6, int)), env.step(np.zeros(6, int))
        assert found[0].shape == np.asarray(real[0]).shape and found[0].dtype == np.asarray(real[0]).dtype
        assert found[1].shape == real[1].shape and not found[1].any() and not found[2].any()


def test_decisions_are_counted_for_each_node(monkeypatch):
    """A clock that stands at 0 and then at 2 s: the rate is half of the decisions asked for."""
    config = PpoConfig(rows=2, rollout_steps=4, batch_size=8, epochs=1, hidden=(4,))
    monkeypatch.setattr(train, "CONFIG", config)
    monkeypatch.setattr(train, "machine", lambda *shape: machine(2, 2, 2, "ordinary"))
    monkeypatch.setattr(train.time, "perf_counter", iter(np.arange(0.0, 1000.0, 2.0)).__next__)
    found = train.run(lambda words, parts: None)
    assert found["node_decisions_per_s"] == found["free_env_node_decisions_per_s"] == 2 * 4 * 4 / 2
    assert found["ratio"] == 1.0
    assert "ratio" in train.render(found)
