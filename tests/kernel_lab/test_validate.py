"""Laws of the comparison: who agrees, what is undecided, what stays undefined."""

import json

import numpy as np

from experiments.kernel_lab import validation_table
from experiments.kernel_lab.validate import Sides, validate

NAN = float("nan")


def columns(**values):
    return {name: np.array(column, float) for name, column in values.items()}


ALWAYS = columns(pgscan_kswapd=[900, 1000, 1100], allocstall=[1, 2, 3], hopeless_s=[0, 0, 0])
BALANCED = columns(pgscan_kswapd=[90, 100, 110], allocstall=[2, 3, 1], hopeless_s=[26, 26.5, 27])


def compared(model_of_always, model_of_balanced):
    rules = {"always": Sides(ALWAYS, model_of_always), "balanced": Sides(BALANCED, model_of_balanced)}
    return validate({"toy": rules})


def by_metric(found):
    return {pair.metric: pair for pair in found.pairs}


def test_a_model_that_is_the_kernel_agrees_everywhere():
    found = compared(ALWAYS, BALANCED)
    assert found.sign_agreement == 1.0
    assert {ratio.ratio for ratio in found.ratios} == {1.0, None}


def test_a_mirrored_model_agrees_nowhere():
    assert compared(BALANCED, ALWAYS).sign_agreement == 0.0


def test_a_model_that_shows_no_difference_does_not_agree():
    assert compared(ALWAYS, ALWAYS).sign_agreement == 0.0


def test_where_the_kernels_interval_includes_zero_nobody_is_right():
    pairs = by_metric(compared(ALWAYS, BALANCED))
    assert pairs["allocstall"].agree is None
    assert pairs["pgscan_kswapd"].agree is True and pairs["pgscan_kswapd"].kernel == 900
    assert pairs["hopeless_s"].agree is True and pairs["hopeless_s"].kernel == -26.5


def test_one_repeat_has_no_interval_and_decides_nothing():
    rules = {"a": columns(x=[1.0]), "b": columns(x=[9.0])}
    found = validate({"toy": {name: Sides(column, column) for name, column in rules.items()}})
    assert found.sign_agreement is None and found.pairs[0].agree is None
    assert (found.ratios[0].lo, found.ratios[0].hi) == (None, None)


def test_undefined_stays_undefined_and_the_json_is_strict():
    kernel, model = columns(first_hopeless_s=[1.0, NAN]), columns(first_hopeless_s=[1.0, 2.0])
    found = validate({"toy": {"a": Sides(kernel, model), "b": Sides(model, kernel)}})
    (pair,) = found.pairs
    assert (pair.kernel, pair.model, pair.agree) == (None, None, None)
    assert [ratio.ratio for ratio in found.ratios] == [None, None]
    printed = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert printed["sign_agreement"] is None
    assert list(printed["pairs"][0]) == ["scenario", "a", "b", "metric", "kernel", "model", "agree"]
    assert list(printed["ratios"][0]) == [
        "scenario", "rule", "metric", "kernel", "lo", "hi", "model", "ratio",
    ]  # fmt: skip


def test_a_sign_the_kernel_shows_and_the_model_cannot_tell_is_no_agreement():
    kernel, model = columns(x=[1.0, 1.1]), columns(x=[NAN, 1.0])
    found = validate({"toy": {"a": Sides(kernel, model), "b": Sides(columns(x=[3.0, 3.1]), model)}})
    assert found.sign_agreement == 0.0


def test_a_small_difference_counts_where_the_kernels_interval_excludes_zero():
    name = "workload/web/throughput_per_s"
    rules = {"a": [99.0, 99.01], "b": [99.1, 99.11]}
    blind = {name: np.array([50.0, 50.0])}
    found = validate({"toy": {rule: Sides({name: np.array(of)}, blind) for rule, of in rules.items()}})
    assert [pair.agree for pair in found.pairs] == [False]


def test_every_pair_of_rules_is_compared_once():
    sides = {name: Sides(ALWAYS, ALWAYS) for name in ("a", "b", "c", "d")}
    found = {(pair.a, pair.b) for pair in validate({"toy": sides}).pairs}
    assert found == {("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")}


def test_the_table_fits_80_columns_and_says_what_is_missing():
    wide = {f"workload/container-files-{'x' * 20}/refaults_per_op": np.array([1e-7, 3e9, 5.0])}
    rules = {
        "always": Sides(ALWAYS | wide, BALANCED | wide),
        "global_direct": Sides(BALANCED | wide, ALWAYS | wide),
    }
    text = validation_table.render(validate({"toy (6.18)": rules}), nr_failed=3, calibration="defaults")
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "left out: 3" in text and "6.12" in text and "emulated" in text
    assert "pgscan_kswapd, always - global_direct: kernel 900, model -900" in text
