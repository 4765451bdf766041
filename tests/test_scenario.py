"""Scenario files: what is accepted and what it means."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reclaim_env.scenario import Scenario, ScenarioError, bundled_ids, load, parse_text
from reclaim_env.scenario.fields import Table
from reclaim_env.units import mib_from_pages, pages_from_mib

CONTROLS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
GOOD = (Path(__file__).parent / "scenarios" / "good.toml").read_text()


@pytest.mark.parametrize("scenario_id", bundled_ids())
def test_bundled_scenarios_load_under_their_own_name(scenario_id):
    scenario = load(scenario_id)
    assert scenario.name == scenario_id
    assert scenario.source
    for assumed in scenario.assumed:
        for value in (assumed.low, assumed.high):
            assert scenario.with_value(assumed.field, value).value_at(assumed.field) == pytest.approx(value)


@pytest.mark.parametrize("path", CONTROLS, ids=lambda p: p.stem)
def test_control_scenarios_load(path):
    assert load(path).name == path.stem


def test_the_good_file_means_what_it_says():
    scenario = parse_text(GOOD)
    assert scenario.workload_names == ("hog", "pages", "log", "packets")
    assert scenario.cgroup_names == ("pod", "web")
    assert [scenario.members(name) for name in ("", "pod", "web")] == [1, 1, 3]
    assert scenario.managed_pages == (262_144, 131_072)
    assert scenario.free_pages == tuple(pages_from_mib(mib) for mib in (1024 - 500, 512 - 16 - 3 * 10))
    assert scenario.reader[0].file[0].active_mib == (0.0, 0.0)
    assert scenario.anon[0].breakpoints == ((0, 500), (5, 600))
    assert scenario.watermarks[0].min_pages == 13_106  # a twentieth of memory, 19660 pages, by size


def test_a_scenario_is_frozen_and_hashable():
    scenario = parse_text(GOOD)
    with pytest.raises(ValidationError):
        scenario.tick_ms = 20
    assert hash(scenario) == hash(parse_text(GOOD))
    assert scenario == parse_text(GOOD)
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario


def test_one_number_changed_leaves_the_others():
    scenario = parse_text(GOOD)
    changed_scenario = scenario.with_value("reader.pages.file.0.mib", 25)
    assert changed_scenario.reader[0].file[0].mib == 25
    assert changed_scenario.with_value("reader.pages.file.0.mib", 20) == scenario
    assert scenario.with_value("cgroup.web.count", 2.4).cgroup[1].count == 2
    assert scenario.with_value("device.latency_us", 90).device.latency_us == 90
    assert scenario.with_value("node.1.kernel_mib", 17).node[1].kernel_mib == 17
    assert scenario.with_value("node.*.unusable_mib", 5).value_at("node.0|1.unusable_mib") == 5
    with pytest.raises(ScenarioError, match=r"node\.0\.total_mib"):
        scenario.with_value("anon.hog.initial_mib.0", 5000)


@pytest.mark.parametrize(
    "path", ["", ".", "node", "node.9.total_mib", "name", "thp", "node.*.total_mib", "reader.x.y"]
)
def test_a_path_to_no_single_number_is_refused(path):
    with pytest.raises(ScenarioError, match="wanted the path of a number"):
        parse_text(GOOD).value_at(path)


def walk(table: type[Table]):
    for name, field in table.model_fields.items():
        yield table, name, field
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, Table):
                yield from walk(inner)


def test_every_field_is_described_and_every_number_has_a_unit():
    for table, name, field in walk(Scenario):
        assert field.description, (table, name)
        extra = field.json_schema_extra
        if field.annotation in (int, float, int | None, float | None):
            assert isinstance(extra, dict), (table, name)
            assert extra["unit"], (table, name)


@given(st.floats(0, 4e9))
def test_pages_and_mib_agree_within_half_a_page(mib):
    assert math.isclose(mib_from_pages(pages_from_mib(mib)), mib, abs_tol=1 / 512)
