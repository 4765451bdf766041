"""On a made-up world in which cost is known at every value."""

import pytest
from rich.cells import cell_len

from experiments import sensitivity
from experiments.identity import Setting
from experiments.sensitivity import Point, as_json, grid, render, sweep
from experiments.stats import Difference
from reclaim_env.scenario import Scenario, parse_text

TOML = """
name = "swept"
source = "made up"
[device]
latency_us = {latency_us}
bandwidth_mib_per_s = 1000
iops_per_s = 1000
[[node]]
total_mib = 1024
[[assumed]]
field = "device.latency_us"
low = 10
high = 1000
why = "made up"
[[assumed]]
field = "watermark_scale_factor"
low = 10
high = 20
why = "made up"
"""


def made_up_world(scenario: Scenario, value: float, setting: Setting, nr_seeds: int) -> Point:
    """Balanced is cheaper below 300 us; kswapd's CPU falls 10 times from 30 us on."""
    latency_us = scenario.device.latency_us
    old = {"cost_s": 300.0, "kswapd_cpu_s": latency_us, "bystander_refault_mib": 0.0, "allocstall": 0.0}
    new = {"cost_s": latency_us, "kswapd_cpu_s": 3.0, "bystander_refault_mib": 0.0, "allocstall": 0.0}
    gap = latency_us - 300.0
    return Point(value, old, new, Difference(gap, gap, gap, 0.5))


@pytest.fixture
def sweeps(monkeypatch):
    monkeypatch.setattr(sensitivity, "compute", made_up_world)
    scenario = parse_text(TOML.format(latency_us=100))
    return scenario, sweep(scenario, Setting(), 2, 5, lambda words, done: None)


def test_a_flip_is_found_to_ten_percent(sweeps):
    latency = sweeps[1][0]
    ((low, high),) = latency.flips["balanced is cheaper"]
    assert low < 300 <= high <= 1.1 * low
    assert latency.holds["balanced is cheaper"] == (10, low)
    ((low, high),) = latency.flips["kswapd CPU falls 10 times"]
    assert low < 30 <= high <= 1.1 * low
    assert latency.holds["kswapd CPU falls 10 times"] == (high, 1000)


def test_a_flip_in_a_range_narrow_for_its_value_is_found_to_ten_percent_of_the_range(monkeypatch):
    monkeypatch.setattr(sensitivity, "compute", made_up_world)
    narrow = TOML.format(latency_us=295).replace("low = 10\nhigh = 1000", "low = 290\nhigh = 310")
    latency = sweep(parse_text(narrow), Setting(), 2, 2, lambda words, done: None)[0]
    ((low, high),) = latency.flips["balanced is cheaper"]
    assert low < 300 <= high <= low + 2


def test_a_claim_that_does_not_hold_at_the_file_is_not_made(sweeps):
    assert set(sweeps[1][0].holds) == {"balanced is cheaper", "kswapd CPU falls 10 times"}


def test_a_whole_number_stays_whole(sweeps):
    assert all(value == int(value) for value in sweeps[1][1].points)
    assert sweeps[1][1].flips == {"balanced is cheaper": [], "kswapd CPU falls 10 times": []}


def test_the_words_fit_and_say_where(sweeps):
    text = render(*sweeps, nr_seeds=2)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "device.latency_us: 100, swept 10 to 1000" in text
    assert "throughout: balanced is cheaper" in text


def test_the_json_has_every_assumed_number(sweeps):
    document = as_json(*sweeps)
    assert list(document["assumed"]) == ["device.latency_us", "watermark_scale_factor"]
    assert len(document["assumed"]["device.latency_us"]["points"]) >= 6


def test_the_grid_is_geometric_where_it_can_be():
    assert grid(1, 100, 3, whole=False) == [1, 10, 100]
    assert grid(0, 10, 3, whole=False) == [0, 5, 10]
    assert grid(1, 3, 5, whole=True) == [1, 1, 2, 2, 3]


def test_the_grid_ends_where_the_range_ends():
    low, high = 121051.731, 121283.739
    found = grid(low, high, 5, whole=False)
    assert (found[0], found[-1]) == (low, high)
    assert len(set(found)) == 5
