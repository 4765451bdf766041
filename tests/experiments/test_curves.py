"""Learning curves of runs, and the time that one takes."""

import io

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from matplotlib.image import imread

from experiments import files
from experiments.reporting.tensorboard import FILE_NAME, encoded
from experiments.training import curves, time_to_beat, train
from experiments.training.learner_tags import COST_RATIO
from reclaim_env import families


def test_curves_are_the_points_of_a_runs_tensorboard_files(tmp_path):
    told = {"supervised": [(100, 0.75), (200, 0.5)], "rule_gap": [(0, 0.625), (200, 0.625)]}
    for name, points in told.items():
        events = [(step, {COST_RATIO: ratio}) for step, ratio in points]
        files.write_bytes(tmp_path / "tensorboard" / name / FILE_NAME, encoded(events))
    assert curves.curves(tmp_path) == told


def test_every_runs_curve_and_every_rules_line_is_drawn():
    def ink(*levels: float, **rules: float) -> float:
        lines = {f"rule_{name}": [(0, level), (200, level)] for name, level in rules.items()}
        runs = {f"run{i}": {"ppo": [(0, 0.9), (200, level)], **lines} for i, level in enumerate(levels)}
        drawn = imread(io.BytesIO(curves.picture(runs)), format="png")
        assert drawn.shape[:2] == (400, 700)
        return float((1 - drawn[..., :3]).sum())

    assert ink(0.4) + 100 < ink(0.4, 0.5) < ink(0.4, 0.5, gap=0.6) - 100


def test_lines_too_close_to_be_told_apart_share_a_label():
    told = curves.labels({"rule_a": 0.5, "rule_b": 0.3125, "oracle": 0.25, "rule_c": 0.51})
    assert told == [(0.25, "oracle"), (0.3125, "b"), (pytest.approx(0.505), "a, c")]


def test_a_picture_is_not_written_over(tmp_path):
    out = tmp_path / "mine.png"
    out.write_text("mine")
    with pytest.raises(SystemExit, match="found a file of that name, wanted a new file"):
        curves.main([str(out), str(tmp_path)])
    assert out.read_text() == "mine"
    with pytest.raises(SystemExit, match="found 1 arguments, wanted PNG and one RUN"):
        curves.main([str(out)])


def test_a_rule_is_beaten_at_the_first_validation_that_costs_less():
    text = time_to_beat.render([(3.0, 0.5), (9.0, 0.375), (20.0, 0.25)], 0.5)
    assert "beaten after 9.0 s" in text
    assert "not beaten" in time_to_beat.render([(3.0, 0.5)], 0.5)


def test_validations_are_timed_as_they_come(tmp_path, monkeypatch):
    def run(asked, folder, command, on_validation):
        for ratio in (0.75, 0.5):
            clock[0] += 7.0
            on_validation({COST_RATIO: ratio})
        path = folder / "tensorboard" / "rule_balanced" / FILE_NAME
        files.write_bytes(path, encoded([(0, {COST_RATIO: 0.625})]))

    clock = [100.0]
    monkeypatch.setattr(train, "run", run)
    monkeypatch.setattr(time_to_beat.time, "monotonic", lambda: clock[0])
    assert time_to_beat.timed({}, tmp_path) == ([(7.0, 0.75), (14.0, 0.5)], 0.625)


@pytest.mark.parametrize("config", ["mixture", "supervised"])
def test_the_config_is_sound_and_holds_none_of_the_evaluation(config):
    fields = time_to_beat.read_config(time_to_beat.CONFIG.with_name(f"{config}.toml"))
    asked = train.config_of(fields)
    assert np.all(["split=train" in name for name in asked.scenarios])
    assert np.all(["split=validation" in name for name in asked.validation])


def test_the_shipped_agents_config_holds_every_family_that_may_be_trained_on():
    fields = time_to_beat.read_config(time_to_beat.CONFIG.with_name("supervised.toml"))
    asked = [families.parse(name.partition("#")[0]) for name in train.config_of(fields).scenarios]
    wanted = {
        (name, prices)
        for name in families.ids()
        if "train" in families.families()[name.partition("/")[0]].splits(name.partition("/")[2])
        for prices in (False, True)
    }
    assert {(name.id, name.prices_vary) for name in asked} == wanted and len(wanted) == 56
