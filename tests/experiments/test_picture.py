"""The picture of an episode under several rules."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from experiments import cli, picture
from tests.experiments.frame import episode


def pixels(*rules: str) -> np.ndarray:
    return imread(io.BytesIO(picture.picture("toy", {rule: episode(rule) for rule in rules})), format="png")


def test_a_picture_is_the_same_every_time_and_differs_by_rule():
    drawn = pixels("always", "balanced")
    assert drawn.shape[:2] == (460, 900)
    assert (drawn == pixels("always", "balanced")).all()
    assert (drawn != pixels("always", "always")).any()


def test_given_up_is_red_only_where_a_rule_gave_up():
    def red(rule: str) -> int:
        colour = pixels(rule)[..., :3]
        return int(((colour[..., 0] > 0.9) & (colour[..., 1] < 0.93) & (colour[..., 2] < 0.92)).sum())

    assert red("balanced") > red("always") + 10_000


def test_nothing_is_overwritten(tmp_path, monkeypatch, capsys):
    out = tmp_path / "mine.png"
    out.write_text("mine")
    monkeypatch.setattr("sys.argv", ["reclaim", "picture", "--out", str(out)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2 and out.read_text() == "mine"
    assert "found a file of that name, wanted a new file" in capsys.readouterr().err
