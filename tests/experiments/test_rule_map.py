"""`reclaim map`: winners, margins and boundaries, on costs made up and on a toy."""

import json

import numpy as np
import pytest

from experiments.contender import of_rule
from experiments.identity import Setting
from experiments.ledger import Ledger
from experiments.questions import map_picture, rule_map
from experiments.questions.axes import Axis, Base
from experiments.questions.costs import stored_costs_s
from experiments.questions.rule_map import Cell, Question
from reclaim_env.scenario.file import ScenarioError
from tests.command import reclaim
from tests.toys import lively

X = Axis("x", "", 0.1, 10.0, is_log=True, is_whole=False)
Y = Axis("y", "what it is", 0.0, 2.0, is_log=False, is_whole=False)


class MadeUp(Base):
    """Machines that are told apart by their description; y above 1.5 cannot be."""

    def scenario(self, values):
        if values.get("y", 0) > 1.5:
            raise ScenarioError("made up", "y", "too much", "less")
        return lively().model_copy(update={"description": json.dumps(values)})


def made_up_costs(ledger, scenarios, contender, seeds, setting, advance):
    """never costs x, balanced 1.1 + y, global_direct the same; every second seed an eighth more."""
    found = np.zeros((len(scenarios), len(seeds), 5))
    for index, scenario in enumerate(scenarios):
        values = json.loads(scenario.description)
        cost = values["x"] if contender.name == "never" else 1.1 + values["y"]
        found[index, :, 0] = cost * (1 + 0.125 * (np.arange(len(seeds)) % 2))
    return found


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    monkeypatch.setattr(rule_map, "stored_costs_s", made_up_costs)
    rules = tuple(of_rule(name) for name in ("never", "balanced", "global_direct"))
    question = Question(MadeUp("made up"), X, Y, 5, rules, 4, Setting())
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        return rule_map.draw(question, ledger, lambda words, steps: None)


def test_the_boundary_is_where_the_winner_changes(drawn):
    assert [crossing.y for crossing in drawn.crossings] == [0.0, 0.5, 1.0, 1.5]
    for crossing in drawn.crossings:
        assert crossing.x_low <= 1.1 + crossing.y <= crossing.x_high <= 1.16 * crossing.x_low
        assert (crossing.below, crossing.above) == ("never", "balanced")


def test_winners_margins_and_machines_that_cannot_be(drawn):
    low, high = drawn.rows[0][0], drawn.rows[0][-1]
    assert low.winners == ("never",) and high.winners == ("balanced", "global_direct")
    assert low.margin.diff == pytest.approx(1.0 * 1.0625) and low.is_clear
    assert all(cell.winners == () and cell.margin is None for cell in drawn.rows[-1])
    assert json.dumps(rule_map.as_json(drawn), allow_nan=False)


def test_the_picture_has_a_letter_for_each_set_of_winners_and_fits_a_terminal(drawn):
    text = rule_map.render(drawn)
    assert max(map(len, text.splitlines())) <= 80
    rows = [line.split() for line in text.splitlines() if line.startswith("       0 ")]
    assert rows[0] == ["0", "A", "A", "A", "B", "B"]
    assert "A  never" in text and "B  balanced, global_direct" in text
    assert "never up to" in text and "balanced from" in text


def test_the_image_is_drawn_alike_twice_and_shows_where_no_machine_is(drawn):
    image = map_picture.picture(drawn)
    assert image.startswith(b"\x89PNG") and image == map_picture.picture(drawn)
    colours = dict.fromkeys(rule_map.letters(drawn), "#000000")
    shades = map_picture._shades(drawn, colours)
    assert (shades[-1] == 1.0).all() and (shades[0, :, :3] == 0.0).all()
    edges = map_picture._edges(X, drawn.rows[0], "x")
    assert all(low < cell.x < high for low, cell, high in zip(edges, drawn.rows[0], edges[1:], strict=False))


def test_a_margin_whose_interval_holds_zero_is_not_clear():
    seeds = np.array([1.0, 2.0, 3.0, 4.0])
    cell = Cell(0, 0, {"a": seeds, "b": seeds + np.array([0.5, -0.4, 0.4, -0.3])})
    assert cell.winners == ("a",) and not cell.is_clear
    assert Cell(0, 0, {"a": seeds, "b": seeds + 0.5}).is_clear
    assert Cell(0, 0, {"a": seeds, "b": seeds}).margin is None


def test_axes_know_the_ranges_of_families_and_of_assumed_numbers():
    axis = Base("trap_or_trove/alone").axis("cold_ratio")
    assert (axis.low, axis.high, axis.is_log) == (0.2, 3.0, True)
    assert axis.values(3) == [0.2, pytest.approx(0.774597, rel=1e-5), 3.0]
    assumed = Base("dead_kswapd").axis("reader.hot.threads")
    assert assumed.is_whole and assumed.values(40)[:3] == [1.0, 2.0, 3.0]
    given = Base("dead_kswapd").axis("duration_s=10..40")
    assert (given.low, given.high) == (10, 40)


@pytest.mark.parametrize(
    ("base", "words", "said"),
    [
        ("trap_or_trove/alone", "cold", "wanted one of"),
        ("dead_kswapd", "duration_s", "duration_s=LOW..HIGH"),
        ("dead_kswapd", "duration_s=3", "NAME=LOW..HIGH"),
        ("dead_kswapd", "duration_s=9..3", "NAME=LOW..HIGH"),
        ("dead_kswapd", "duration_s=1..inf", "NAME=LOW..HIGH"),
        ("dead_kswapd", "nowhere=1..2", "nowhere"),
    ],
)
def test_an_axis_that_is_none_gets_one_line(base, words, said):
    with pytest.raises(ValueError, match="found") as error:
        Base(base).axis(words)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_map_wants_two_numbers():
    with pytest.raises(ValueError, match="axis: found 'x' twice, wanted two numbers"):
        Question(MadeUp("made up"), X, X, 5, (), 4, Setting())


def test_costs_are_those_of_the_rules_own_episodes_and_are_kept(tmp_path):
    scenarios = [lively("one"), lively("two").with_value("anon.hog.churn_mib_per_s", 60)]
    steps = []
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, again = (
            stored_costs_s(ledger, scenarios, of_rule("always"), [3, 4], Setting(), steps.append)
            for _ in range(2)
        )
        assert ledger.nr_rows() == 4
    assert (first == again).all() and first.shape == (2, 2, 5)
    assert sum(steps) == 2 * 2 * 2 * 40 and len(steps) == 40 + 2
    from experiments.evaluate import evaluate

    whole = evaluate(scenarios[1], of_rule("always"), [3, 4], Setting()).metrics
    assert first[1].sum(axis=1) == pytest.approx(whole["cost_s"], rel=1e-12)
    assert (first[0] != first[1]).any()


def test_the_command_prints_json_keeps_its_rows_and_goes_on(tmp_path):
    words = ("map", "cold_ratio=0.5..2", "gap_mib=20..40", "--points", "2", "--seeds", "2", "--rule", "never")
    first = reclaim(*words, "--json", "--out", "run", folder=tmp_path)
    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    assert len(found["cells"]) == 4 and found["axes"]["y"]["name"] == "gap_mib"
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "manifest.json",
        "ledger.sqlite",
        "map.txt",
        "map.png",
    }
    assert reclaim(*words, "--json", "--out", "run", folder=tmp_path).stdout == first.stdout
