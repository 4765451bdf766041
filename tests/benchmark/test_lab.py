"""Agents in the kernel lab's scenarios, at both prices."""

import numpy as np
import pytest

from agents import pretrained
from experiments.benchmark import lab
from experiments.kernel_lab import calibrate


def test_an_agent_stands_beside_its_paired_difference_to_balanced():
    spread = np.linspace(0, 100, 16)
    found = {"always": 9 + spread, "balanced": 5 + spread, "trained": 3 + spread}
    assert lab.row(found) == ["59.0", "55.0", "53.0", "-2.00"]


def test_every_scenario_is_played_with_given_and_with_calibrated_costs(monkeypatch):
    played = []

    def costs_s(scenario, asked):
        played.append(scenario)
        return {one.name: np.ones(16) for one in asked}

    monkeypatch.setattr(lab, "costs_s", costs_s)
    page = lab.render(pretrained.files())
    scan_us = calibrate.read(lab.CALIBRATION).costs_us["scan_us"]
    for given, fitted in zip(played[::2], played[1::2], strict=True):
        assert given.name == fitted.name
        assert given.cost.scan_us != scan_us == pytest.approx(fitted.cost.scan_us)
    assert len(page.splitlines()) == 4 + len(played)
