"""`reclaim falsify`: regrets, the walk through the ranges, and what is left of a scenario in the end."""

import tomllib
from pathlib import Path

import pytest

from experiments.identity import Setting
from experiments.ledger import Ledger
from experiments.questions import falsify
from experiments.questions.falsify import Falsifier, Regret
from experiments.questions.shrink import reductions, shrunk, size, tables_of
from reclaim_env import families
from reclaim_env.reset_rules import RULES
from reclaim_env.scenario import Scenario, load, parse
from tests.command import reclaim
from tests.toys import lively


def streams(scenario: Scenario) -> float:
    return sum(one.mib_per_s for one in scenario.stream)


def test_only_what_shows_it_is_left():
    small = shrunk(load("dead_kswapd"), lambda scenario: streams(scenario) > 90)
    assert parse(tables_of(small)) == small
    assert streams(small) > 90 and len(small.node) == 1
    assert (small.anon, small.reader, small.cgroup, small.hopeless) == ((), (), (), ())
    assert small.duration_s == 5


def test_what_is_left_cannot_be_made_smaller():
    small = shrunk(lively(), lambda scenario: bool(scenario.atomic) and len(scenario.node) == 2)
    for _, tables in reductions(tables_of(small)):
        try:
            smaller = parse(tables)
        except ValueError:
            continue
        shows = bool(smaller.atomic) and len(smaller.node) == 2
        assert not shows or size(tables_of(smaller)) >= size(tables_of(small))


def test_a_node_taken_away_takes_its_tasks_and_renumbers_the_rest():
    tables = dict(reductions(tables_of(lively())))["node and its tasks", 0]
    smaller = parse(tables)
    assert len(smaller.node) == 1 and [table.node for table in smaller.hopeless] == [0]
    assert smaller.workload_names == ("bursts", "bystander", "backup", "network")
    assert {workload.cpu_node for workload in smaller.workloads} == {0}
    assert smaller.anon[0].initial_mib == (8.0,)


def test_a_regret_is_what_the_rule_costs_more_than_the_best_plan():
    falsifier = Falsifier(RULES["always"], Setting(), nowhere(), lambda words, done: None)
    quick, full = (falsifier._regret(lively(), 1, budget) for budget in (falsify.QUICK, 20.0))
    assert quick.rule_s == full.rule_s and quick.s_per_min > 1
    assert full.oracle_s <= quick.oracle_s < quick.rule_s


@pytest.fixture
def by_stream(monkeypatch):
    """A rule that loses a second a minute for each MiB/s streamed, and nothing elsewhere."""

    def regret(self, scenario, seed, budget):
        return Regret(scenario.name, 1 + streams(scenario), 1.0)

    monkeypatch.setattr(Falsifier, "_regret", regret)


def nowhere() -> Ledger:
    return Ledger(Path(":memory:"))


def test_an_interrupted_search_goes_on_where_it_was_and_ends_alike(by_stream, monkeypatch):
    asked, whole, broken = falsify.members(["dead_kswapd/alone"], 6), nowhere(), nowhere()
    without = Falsifier(RULES["gap"], Setting(), whole, lambda words, done: None).run(asked)
    measured, by_hand = [], Falsifier._regret

    def interrupted(self, scenario, seed, budget):
        measured.append((scenario, seed, budget))
        if len(measured) == 40:
            raise KeyboardInterrupt
        return by_hand(self, scenario, seed, budget)

    monkeypatch.setattr(Falsifier, "_regret", interrupted)
    monkeypatch.setattr(falsify, "usable_cpus", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        Falsifier(RULES["gap"], Setting(), broken, lambda words, done: None).run(asked)
    assert broken.nr_rows() >= 38
    said = []
    again = Falsifier(RULES["gap"], Setting(), broken, lambda words, done: said.append(words)).run(asked)
    assert falsify.as_json(again) == falsify.as_json(without)
    assert len(measured) <= whole.nr_rows() + 2
    assert said[0] == "searching" and any(words.startswith("shrinking: ") for words in said)


def test_the_worst_member_is_driven_on_and_made_small(by_stream, tmp_path):
    asked = falsify.members(["dead_kswapd/alone"], 6)
    found = Falsifier(RULES["gap"], Setting(), nowhere(), lambda words, done: None).run(asked)
    drawn = [streams(families.member(name)) for name in asked]
    assert found.worst[0].s_per_min == pytest.approx(max(drawn))
    assert found.regret_s_per_min.mean is not None
    assert found.regret_s_per_min.mean >= 0.5 * max(drawn)
    assert found.scenario.reader == () and len(found.scenario.node) == 1
    path = tmp_path / "worst.toml"
    falsify.write(path, found, "reclaim falsify --rule gap")
    assert tables_of(load(path)).keys() == {*tables_of(found.scenario), "description", "source"}
    assert "reclaim falsify --rule gap" in tomllib.loads(path.read_text())["source"]
    assert "gap: seconds a minute" in falsify.render(found)


def test_members_are_those_asked_for():
    two = falsify.members(["warm_cache"], 2)
    assert {str(name) for name in two} >= {"warm_cache/stream#0", "warm_cache/stream#1"}
    assert all(name.family == "warm_cache" for name in two)
    with pytest.raises(ValueError, match="found warm_cash, wanted one of"):
        falsify.members(["warm_cash"], 2)


def test_what_cannot_be_asked_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = reclaim("falsify", "--rule", "gap", "--out", ".", folder=tmp_path)
    assert done.returncode == 2 and "found files of something else" in done.stderr
    assert reclaim("falsify", "--rule", "gapp", folder=tmp_path).stderr.startswith(
        "reclaim: rule: found 'gapp'"
    )
