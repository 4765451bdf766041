"""A search ends with a setting, whatever becomes of its trials."""

import multiprocessing
import os
import time

import pytest

pytest.importorskip("optuna")

from experiments.training import tune
from experiments.training.tune_config import read_tune_config

CONFIG = """
algo = "ppo"
validation = ["incident"]
[search.learning_rate]
low = 1e-4
high = 1e-2
log = true
[search.epochs]
choices = [1, 4]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tune.toml"
    path.write_text(CONFIG)
    return read_tune_config(path)


def scripted(monkeypatch, behaviour):
    """Trials in a forked process that do as behaviour(asked, send) says, instead of training."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(tune.multiprocessing, "get_context", lambda kind: context)

    def trial(asked, folder, scores):
        behaviour(asked, scores.send)

    monkeypatch.setattr(tune, "_train", trial)


def run(config, folder, trials, silent_s=20.0):
    return tune.run(config, folder, trials, 3, silent_s, lambda words, steps: None)


def by_learning_rate(asked, send):
    send(asked["learning_rate"])
    send(None)


def test_the_best_is_the_setting_with_the_least_cost_and_going_on_adds_trials(config, tmp_path, monkeypatch):
    scripted(monkeypatch, by_learning_rate)
    first = run(config, tmp_path / "study", 4)
    assert first.trials == {"complete": 4} and first.cost_ratio == first.settings["learning_rate"]
    assert set(first.settings) == {"learning_rate", "epochs"}
    more = run(config, tmp_path / "study", 8)
    assert sum(more.trials.values()) == 8 and more.cost_ratio <= first.cost_ratio
    again = run(config, tmp_path / "other", 4)
    assert again == first
    assert f"learning_rate = {first.settings['learning_rate']!r}" in tune.render(first)


def test_a_trial_that_dies_or_falls_silent_has_failed_and_the_search_goes_on(config, tmp_path, monkeypatch):
    numbers = iter(range(100))

    def behaviour(asked, send):
        kind = number % 3
        if kind == 0:
            os._exit(9)
        if kind == 1:
            send(1.0)
            time.sleep(60)
        by_learning_rate(asked, send)

    scripted(monkeypatch, behaviour)
    original, number = tune._one, 0

    def one(*arguments):
        nonlocal number
        number = next(numbers)
        original(*arguments)

    monkeypatch.setattr(tune, "_one", one)
    began = time.monotonic()
    best = run(config, tmp_path / "study", 3, silent_s=1.0)
    assert best.trials == {"complete": 1, "fail": 2}
    assert time.monotonic() - began < 30
    assert not multiprocessing.active_children()


def test_a_trial_that_falls_behind_is_ended(config, tmp_path, monkeypatch):
    def behaviour(asked, send):
        if len(list((tmp_path / "study").iterdir())) and counted() >= tune.STARTUP_TRIALS:
            for _ in range(200):
                send(5.0)
                time.sleep(0.05)
        send(1.0)
        send(1.0)
        send(None)

    def counted():
        return sum(trial.state.is_finished() for trial in tune._study(tmp_path / "study", 0).trials)

    scripted(monkeypatch, behaviour)
    assert run(config, tmp_path / "study", tune.STARTUP_TRIALS + 1).trials == {
        "complete": tune.STARTUP_TRIALS,
        "pruned": 1,
    }


def test_trials_of_a_killed_search_are_written_off(config, tmp_path, monkeypatch):
    study = tune._study(tmp_path / "study", 0)
    study.ask()  # and nobody told its end
    scripted(monkeypatch, by_learning_rate)
    assert run(config, tmp_path / "study", 2).trials == {"complete": 1, "fail": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('algo = "ppo"\nvalidation = ["incident"]', "search: found nothing"),
        (CONFIG.replace("search.epochs", "search.epoch"), "search: found epoch, wanted fields of ppo"),
        (CONFIG.replace("low = 1e-4\n", ""), "search.learning_rate: wanted low below high"),
        (CONFIG.replace("low = 1e-4", "low = 0.0"), "search.learning_rate: wanted low above 0"),
        (CONFIG.replace('validation = ["incident"]', ""), "validation: found nothing"),
        (CONFIG.replace("ppo", "sac"), "algo: found sac"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, text, message):
    path = tmp_path / "tune.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_tune_config(path)
    assert "\n" not in str(error.value) and "tune.toml" in str(error.value)


def test_a_folder_without_a_study_is_not_gone_on_with(tmp_path):
    with pytest.raises(ValueError, match="found no study"):
        tune.open_folder(None, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="--out"):
        tune.open_folder(tmp_path, None)
