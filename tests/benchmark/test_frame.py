"""What is said of a family from its rows: the oracle as a ceiling, and what it owes to foresight."""

import numpy as np
import pytest

from experiments.benchmark import tables
from experiments.benchmark.frame import SHOWN, FamilyCosts, of_rows
from experiments.ledger import Row
from experiments.stats import UNDEFINED_MEAN

SEEDS = range(8)
SPREAD = np.linspace(0, 0.7, len(SEEDS))


def rows(rule: str, costs_s: np.ndarray, **metrics: float) -> list[Row]:
    rest = dict.fromkeys(SHOWN, 0.0) | metrics
    return [
        Row("", "made/up", rule, seed, {"cost_s": float(cost), **rest})
        for seed, cost in zip(SEEDS, costs_s, strict=False)
    ]


def family(oracle_s: np.ndarray, unseeing_s: np.ndarray, **others_s: float) -> FamilyCosts:
    costs = {"always": 9 + SPREAD, "balanced": 8 + SPREAD, "gap": 5 + SPREAD}
    costs |= {name: cost + SPREAD for name, cost in others_s.items()}
    rules = {name: rows(name, one) for name, one in costs.items()}
    reference = {name: rules[name] for name in ("always", "balanced")}
    searched = rows("oracle", oracle_s, bound_s=2.5, is_exact=0.0)
    return of_rows(rules, reference, searched, rows("unseeing", unseeing_s))


def test_foresight_is_what_the_unseeing_search_leaves_of_what_the_oracle_saves():
    found = family(1 + SPREAD, 2 + SPREAD[:4])
    assert found.best_beside_oracle == "gap" and found.is_open
    assert found.foresight.mean == pytest.approx(0.25)
    assert tables.foresight(found) == "25 % [25,25]"


def test_without_a_gap_or_within_the_margin_nothing_is_said_of_foresight():
    for oracle_s in (5 + SPREAD, 4.9 + SPREAD):  # 2 % of the scale are .19 s
        found = family(oracle_s, np.zeros(0))
        assert not found.is_open and found.foresight == UNDEFINED_MEAN
        assert tables.foresight(found) == "no gap"


def test_a_gap_that_one_seed_makes_is_none():
    oracle_s = 5 + SPREAD
    oracle_s[0] = 1.0
    assert not family(oracle_s, np.zeros(0)).is_open


def test_a_gap_that_an_agent_closes_is_still_one_between_rules_and_oracle():
    found = family(1 + SPREAD, np.zeros(0), trained=1.0)
    assert found.best() == "trained"
    assert found.best_beside_oracle == "gap" and found.is_open


def test_the_oracle_is_no_dearer_than_anything_it_stands_beside():
    found = family(6 + SPREAD, 3 + SPREAD[:2])
    assert found.oracle_s == pytest.approx([3.0, 3.1, 5.2, 5.3, 5.4, 5.5, 5.6, 5.7])
    assert (found.bound_s <= found.oracle_s).all()


def test_no_bound_stands_above_what_was_found():
    found = family(1 + SPREAD, np.zeros(0))
    assert found.bound_s == pytest.approx(np.minimum(2.5, 1 + SPREAD))
