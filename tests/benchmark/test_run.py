"""Evaluations end to end: controls that are inert, runs that go on, references that know their parameters."""

import json
from dataclasses import replace

import numpy as np
import pytest

from experiments.benchmark import admission, run, tables
from experiments.benchmark.request import Case, Request, cases
from experiments.contender import contenders, of_rule
from experiments.evaluate import evaluate_each
from experiments.identity import Setting, row_key
from experiments.ledger import Ledger
from experiments.run_folder import RunFolder
from reclaim_env import families
from reclaim_env.reset_rules import KERNEL_RULES
from reclaim_env.scenario import load_all

CONTROLS = ("control/asleep", "control/fruitful")


def request(*asked: str, rules=("never",), nr_seeds=3, **rest) -> Request:
    found = cases(asked, ("test", "transfer"), ["fixed"])
    return Request(found, contenders(rules, ()), nr_seeds, Setting(), "a test", **rest)


@pytest.mark.parametrize("control", CONTROLS)
def test_an_inert_control_is_the_same_to_the_last_bit_under_every_rule(control):
    members = load_all([f"{control}#0..3"])
    first, *others = (evaluate_each(members, of_rule(rule), range(4), Setting()) for rule in KERNEL_RULES)
    assert first["cost_s"].min() > 0  # something happens
    for other in others:
        for name, values in first.items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_a_member_alone_costs_what_it_costs_among_others():
    members = load_all(["dead_kswapd/alone?split=test#5..7"])
    together = evaluate_each(members, of_rule("always"), [5, 6, 7], Setting())["cost_s"]
    alone = evaluate_each(members[1:2], of_rule("always"), [6], Setting())["cost_s"]
    assert together[1] == alone[0]
    assert len(set(together)) == 3


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = RunFolder.open(tmp_path_factory.mktemp("run") / "out", "evaluate")
    asked = request("dead_kswapd/alone", "control/asleep", nr_oracle_seeds=2, budget_episodes=8)
    return asked, folder, run.run(asked, folder)


def test_the_oracle_dominates_every_rule_on_every_seed(ran):
    _, _, frame = ran
    for found in frame.families.values():
        for costs in found.costs_s.values():
            assert (found.oracle_s <= costs[:2]).all()


def test_a_run_gone_on_with_computes_nothing_again(ran, monkeypatch):
    asked, folder, frame = ran

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(run.evaluation, "evaluate_each", refuse)
    monkeypatch.setattr(run, "oracle_metrics", refuse)
    again = run.run(asked, folder)
    assert json.dumps(again.as_json()) == json.dumps(frame.as_json())


def test_the_manifest_and_the_results_carry_the_hash(ran):
    _, folder, frame = ran
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert manifest["families_hash"] == frame.as_json()["families_hash"] == families.frozen.stored()
    assert manifest["status"] == "complete"


def test_the_table_is_80_columns_and_says_undefined_where_it_is(ran):
    _, _, frame = ran
    text = tables.render(frame)
    assert max(text.splitlines(), key=len)[80:] == ""
    assert "n/a" in text
    assert "nan" not in text


def test_the_json_is_finite_and_names_every_rule(ran):
    _, _, frame = ran
    content = json.loads(json.dumps(frame.as_json(), allow_nan=False))
    found = content["families"]["dead_kswapd/alone?split=test"]
    assert set(found["rules"]) == {"always", "balanced", "never"}
    assert found["rules"]["balanced"]["score"]["score"] in (None, 0.0)
    assert content["families"]["control/asleep?split=test"]["rules"]["always"]["score"]["score"] is None


def test_any_changed_parameter_changes_the_key_of_a_cached_reference():
    rule, setting = of_rule("always"), Setting()
    keys = {
        row_key(families.member(f"{stem}#7"), of_rule(name), one, seed)
        for stem, name, one, seed in (
            ("dead_kswapd/memcg", "always", setting, 7),
            *(
                (f"dead_kswapd/memcg?{key}={parameter.low:.17g}", "always", setting, 7)
                for key, parameter in families.families()["dead_kswapd"].parameters("memcg").items()
            ),
            ("dead_kswapd/memcg?prices=varied", "always", setting, 7),
            ("dead_kswapd/memcg?split=test", "always", setting, 7),
            ("dead_kswapd/memcg", "balanced", setting, 7),
            ("dead_kswapd/memcg", "always", replace(setting, kernel="6.12"), 7),
            ("dead_kswapd/memcg", "always", replace(setting, weights="card"), 7),
            ("dead_kswapd/memcg", "always", setting, 8),
        )
    }
    assert len(keys) == 7 + len(families.families()["dead_kswapd"].parameter)
    assert row_key(families.member("dead_kswapd/memcg#7"), rule, setting, 7) in keys


def test_a_control_has_no_authority_and_no_gap(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asked = request("control/fruitful", nr_seeds=4)
        found = admission.admit(asked, asked.cases[0], ledger, lambda words, steps: None)
    assert (found.authority_balanced, found.authority_always) == (0, 0)
    assert (found.gap_s, found.gap_lo, found.gap_hi) == (0, 0, 0)


def test_a_dead_kswapd_has_authority_along_balanced(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asked = request("dead_kswapd/alone", nr_seeds=4)
        found = admission.admit(asked, asked.cases[0], ledger, lambda words, steps: None)
        again = admission.admit(asked, asked.cases[0], ledger, lambda words, steps: None)
    assert found == again
    assert found.authority_balanced > 0.3
    assert found.best_rule == "always"


def test_steps_are_sampled_evenly():
    assert admission.sampled_steps(300) == [15 + 30 * i for i in range(10)]
    assert admission.sampled_steps(3) == [0, 1, 2]


def test_a_case_is_drawn_by_its_seed():
    assert Case("control/asleep").member(4) == families.member("control/asleep#4")
