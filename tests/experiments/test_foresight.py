"""`reclaim foresight`: shares of made-up costs, and both searches on a toy."""

import json

import numpy as np
import pytest

from experiments.contender import of_rule
from experiments.identity import Setting
from experiments.ledger import Ledger
from experiments.questions import foresight
from experiments.questions.foresight import Foresight
from tests.toys import lively

EPISODES = np.array([0.0, 0.1, 0.2, 0.3])


def made_up(rule: float, unseeing: float, oracle: float) -> Foresight:
    return Foresight("made up", "gap", EPISODES + rule, EPISODES + unseeing, EPISODES + oracle)


def test_the_share_is_what_the_other_search_leaves_of_the_gap():
    assert made_up(5, 2, 1).share == pytest.approx(0.25)
    assert made_up(5, 1, 1).share == pytest.approx(0.0)
    assert made_up(5, 6, 1).share == pytest.approx(1.25)


def test_without_a_gap_there_is_no_share():
    assert made_up(1, 1, 1).share is None
    unsure = Foresight("made up", "gap", np.array([1.0, 1.0, 1.0, 1.5]), np.ones(4), np.ones(4))
    assert unsure.share is None


def test_the_table_fits_and_the_json_is_whole():
    found = [made_up(5, 2, 1), made_up(1, 1, 1)]
    text = foresight.render(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "25 %" in text and "no gap" in text
    assert json.loads(json.dumps(foresight.as_json(found)))["made up"]["foresight_share"] is None


def test_both_searches_play_the_same_episodes_and_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(foresight, "load_all", lambda names: [lively()])
    rules = [of_rule("never"), of_rule("always")]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        once, again = (
            foresight.measure(["toy"], rules, 2, Setting(), 20, ledger, lambda words, done: None)[0]
            for _ in range(2)
        )
        assert ledger.nr_rows() == 2 * 2 + 2
    assert (once.oracle_s == again.oracle_s).all() and (once.unseeing_s == again.unseeing_s).all()
    assert (once.oracle_s <= once.unseeing_s).all() and (once.oracle_s <= once.rule_s).all()
    assert once.best_rule == "never"
