import json
import math

from tests.experiments.frame import RULES, made_up


def test_the_object_has_this_shape_and_nothing_besides():
    document = json.loads(json.dumps(made_up(nr_seeds=3).as_json(), allow_nan=False))
    assert list(document) == ["scenarios"]
    scenario = document["scenarios"]["made_up"]
    assert sorted(scenario) == ["paired", "rules"]
    assert sorted(scenario["rules"]) == sorted(RULES)
    assert sorted(scenario["paired"]) == sorted(f"{a}_vs_{b}" for a in RULES for b in RULES if a != b)
    for metrics in scenario["rules"].values():
        assert all(sorted(cell) == ["hi", "lo", "mean"] for cell in metrics.values())
    for metrics in scenario["paired"].values():
        assert all(sorted(cell) == ["diff", "hi", "lo", "p_improve"] for cell in metrics.values())


def test_undefined_is_null():
    scenario = made_up(nr_seeds=3).as_json()["scenarios"]["made_up"]
    assert scenario["rules"]["always"]["efficiency_direct"] == {"mean": None, "lo": None, "hi": None}
    assert set(scenario["paired"]["always_vs_never"]["efficiency_direct"].values()) == {None}


def test_a_difference_is_that_of_the_means():
    scenario = made_up(nr_seeds=5).as_json()["scenarios"]["made_up"]
    means = {rule: scenario["rules"][rule]["cost_s"]["mean"] for rule in ("always", "balanced")}
    gap = scenario["paired"]["balanced_vs_always"]["cost_s"]
    assert math.isclose(gap["diff"], means["balanced"] - means["always"])
    assert gap["lo"] <= gap["diff"] <= gap["hi"]
    assert gap["p_improve"] == 1.0
