"""`reclaim weights`: fronts, shares and turns of rules whose costs are made up."""

import json

import numpy as np
import pytest

from experiments.ledger import Ledger, Row
from experiments.questions import weighed, weighing
from experiments.questions.weighing import Weighing
from experiments.run_folder import RunFolder

TERMS = ("refault_io", "stall")


def made_up(nr_seeds: int = 8) -> Weighing:
    """thrifty and quick trade one term for the other, twin is quick again, slow worse than quick in both."""
    noise = np.linspace(0.9, 1.1, nr_seeds)[:, None]
    rules = {"thrifty": (1.0, 3.0), "quick": (3.0, 1.0), "twin": (3.0, 1.0), "slow": (4.0, 2.0)}
    return Weighing("made up", TERMS, {rule: noise * np.array(cost) for rule, cost in rules.items()})


def test_the_front_is_those_no_rule_beats_in_everything():
    assert made_up().front.tolist() == [True, True, True, False]


def test_weightings_are_shared_out_among_the_winners():
    wins = made_up().wins
    assert wins[:, 0] == pytest.approx([0.5, 0.25, 0.25, 0.0], abs=0.02)
    assert wins[:, 0].sum() == pytest.approx(1.0)
    assert (wins[:, 1] <= wins[:, 0]).all() and (wins[:, 0] <= wins[:, 2]).all()


def test_seeds_that_disagree_widen_the_interval_of_a_share():
    random = np.random.default_rng(0)
    one, other = (np.stack([random.normal(2, 1, 8), random.normal(2, 1, 8)], axis=1) for _ in range(2))
    wins = Weighing("noise", TERMS, {"one": one, "other": other}).wins
    assert (wins[:, 2] - wins[:, 1] > 0.2).all()


def test_places_go_from_best_to_worst_and_twins_share_theirs():
    assert made_up().ranks.tolist() == [[1, 4], [1, 2], [1, 2], [3, 4]]


def test_turns_are_where_the_lines_cross():
    (to, start, rule), second = [(high, low, rule) for low, high, rule in made_up().turns(0)]
    assert (start, rule) == (0.0, "quick") and to == pytest.approx(0.5)
    assert second == (1.0, pytest.approx(0.5), "thrifty")


def test_the_weights_that_favour_a_rule_most_make_it_cheapest():
    found = made_up()
    assert found.favourite("thrifty") == pytest.approx([1.0, 0.0])
    assert found.favourite("quick") == pytest.approx([0.0, 1.0])
    assert found.favourite("slow") is None


def test_the_table_fits_and_the_json_is_whole():
    text = weighing.render(made_up())
    assert max(map(len, text.splitlines())) <= 80 and "?" not in text
    assert " slow" in text and "*thrifty" in text
    content = json.loads(json.dumps(weighing.as_json(made_up()), allow_nan=False))
    assert content["rules"]["slow"]["favourite_weights"] is None
    assert content["along"]["stall"][0] == {"from": 0.0, "to": pytest.approx(0.5), "rule": "thrifty"}


def test_where_no_term_tells_rules_apart_no_weight_matters():
    same = np.ones((4, 2))
    assert "no weight matters" in weighing.render(Weighing("inert", TERMS, {"a": same, "b": same}))


def run_with(folder, weights: str, rows: list[Row]) -> None:
    run = RunFolder.open(folder)
    run.write_manifest({"kind": "compare", "weights": weights})
    with Ledger(run.ledger) as ledger:
        ledger.add(rows, {})


def rows() -> list[Row]:
    """Two rules on two scenarios; the oracle, and a seed that only one rule has."""
    found = []
    for scenario in ("one", "two"):
        for rule in ("always", "never", "oracle"):
            for seed in range(3 + (rule == "never")):
                metrics = {cost: float(seed + len(rule)) for cost in weighed.COSTS}
                found.append(Row(f"{scenario}{rule}{seed}", scenario, rule, seed, metrics))
    return found


def test_rows_of_a_run_are_weighed_on_the_seeds_all_rules_have(tmp_path):
    run_with(tmp_path / "run", "default", rows())
    one, two = weighed.of_run(tmp_path / "run")
    assert (one.name, two.name, one.rules) == ("one", "two", ("always", "never"))
    assert one.lost_s["never"][:, 0].tolist() == [5.0, 6.0, 7.0]
    both = weighed.together([one, two])
    assert both.lost_s["always"].shape == (3, 5) and both.rules == ("always", "never")


def test_a_run_that_cannot_be_weighed_gets_one_line(tmp_path):
    run_with(tmp_path / "card", "card", rows())
    with pytest.raises(ValueError, match="found cost weights card, wanted"):
        weighed.of_run(tmp_path / "card")
    run_with(tmp_path / "empty", "default", [])
    with pytest.raises(ValueError, match="found no rows"):
        weighed.of_run(tmp_path / "empty")
    with pytest.raises(ValueError, match="found no run"):
        weighed.of_run(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
