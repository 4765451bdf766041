"""Verdicts that cannot flatter: false ones are as rare as said, planted ones are found, anchors are exact."""

import numpy as np
import pytest
from scipy import stats as reference

from experiments.stats import UNDEFINED_MEAN, Difference
from experiments.verdicts import (
    BETTER,
    EQUIVALENT,
    NO_EVIDENCE,
    WORSE,
    Score,
    exact_paired_test,
    holm,
    iqm,
    mean_over_families,
    score,
    share,
    smallest_effect,
    verdicts,
)

NR_SEEDS = 64


def episodes(random: np.random.Generator, nr: int) -> np.ndarray:
    """(nr, seeds) costs as skewed as episodes are: most cheap, some many times dearer."""
    return random.lognormal(1.0, 1.2, size=(nr, NR_SEEDS))


@pytest.mark.slow
def test_a_rule_against_itself_on_other_seeds_differs_in_two_to_eight_percent():
    random = np.random.default_rng(1)
    a, b = episodes(random, 1000), episodes(random, 1000)
    false = [verdicts({"f": (x, y)}, {"f": None})["f"].word != NO_EVIDENCE for x, y in zip(a, b, strict=True)]
    assert 0.02 <= np.mean(false) <= 0.08


def test_a_rule_against_itself_differs_in_two_to_eight_percent_by_the_exact_test():
    random = np.random.default_rng(2)
    p = [exact_paired_test(x, y) for x, y in zip(episodes(random, 300), episodes(random, 300), strict=True)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08


def test_a_planted_effect_is_found():
    """Six tenths of a standard deviation of the paired differences, in 64 seeds."""
    random = np.random.default_rng(3)
    noise = random.normal(size=(200, NR_SEEDS))
    base = episodes(random, 200)
    words = [
        verdicts({"f": (x + n - 0.6, x)}, {"f": None})["f"].word for x, n in zip(base, noise, strict=True)
    ]
    assert words.count(BETTER) >= 190
    assert WORSE not in words


def test_the_smallest_effect_is_found_with_the_power_it_claims():
    random = np.random.default_rng(4)
    found = []
    for _ in range(400):
        b = random.normal(size=NR_SEEDS)
        noise = random.normal(size=NR_SEEDS)
        effect = smallest_effect(noise, np.zeros(NR_SEEDS))
        assert effect is not None
        found.append(reference.ttest_rel(b + noise + effect, b).pvalue < 0.05)
    assert 0.72 <= np.mean(found) <= 0.88


def test_the_exact_test_counts_signs():
    assert exact_paired_test(np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4)) == 2 / 16
    assert exact_paired_test(np.ones(8), np.ones(8)) == 1.0


def test_holm_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_holm_takes_back_a_verdict_that_one_family_alone_would_give():
    random = np.random.default_rng(5)
    a, noise = random.normal(size=(2, NR_SEEDS))
    b = a + 0.33 + (noise - noise.mean()) / noise.std()  # p about 0.01
    alone = verdicts({"f": (a, b)}, {"f": None})["f"]
    others = {f"g{i}": (random.normal(size=NR_SEEDS), random.normal(size=NR_SEEDS)) for i in range(20)}
    among = verdicts({"f": (a, b)} | others, {})["f"]
    assert alone.word == BETTER
    assert among.word == NO_EVIDENCE
    assert alone.difference == among.difference


@pytest.mark.parametrize(("margin_scale", "word"), [(100.0, EQUIVALENT), (1.0, WORSE), (None, WORSE)])
def test_equivalent_is_said_within_a_margin_only(margin_scale, word):
    random = np.random.default_rng(6)
    b = episodes(random, 1)[0]
    a = b + random.normal(1.0, 0.1, size=NR_SEEDS)
    assert verdicts({"f": (a, b)}, {"f": margin_scale})["f"].word == word


def test_rules_that_are_one_are_equivalent():
    a = episodes(np.random.default_rng(7), 1)[0]
    assert verdicts({"f": (a, a.copy())}, {"f": 1.0})["f"].word == EQUIVALENT


def test_one_seed_gives_no_verdict():
    found = verdicts({"f": (np.ones(1), np.zeros(1))}, {"f": 10.0})["f"]
    assert found.word == NO_EVIDENCE
    assert found.difference == Difference(1.0, None, None, 0.0)
    assert found.smallest is None


def test_the_anchors_score_exactly_0_and_100():
    random = np.random.default_rng(8)
    for _ in range(50):
        oracle = episodes(random, 1)[0]
        always, balanced = oracle + random.exponential(3, NR_SEEDS), oracle + random.exponential(5, NR_SEEDS)
        worse = max(always, balanced, key=np.mean)
        assert score(worse, (always, balanced), oracle).score == 0.0
        assert score(oracle, (always, balanced), oracle).score == 100.0
        other = min(always, balanced, key=np.mean)
        assert 0 < (score(other, (always, balanced), oracle).score or 0) < 100


def test_the_score_is_undefined_where_the_gap_may_be_none():
    cost = episodes(np.random.default_rng(9), 1)[0]
    assert score(cost, (cost, cost), cost).score is None
    noisy = cost.copy()
    noisy[0] -= 1.0  # one seed in 64
    assert score(cost, (cost, cost), noisy).score is None


def test_a_share_is_of_means_and_undefined_where_the_whole_may_be_none():
    whole = np.array([1.0, 2.0, 3.0, 4.0])
    found = share(whole / 4, whole)
    assert (found.mean, found.lo, found.hi) == (0.25, 0.25, 0.25)
    assert share(whole / 4, whole - 2.5) == UNDEFINED_MEAN


def test_the_interval_of_a_score_holds_the_truth_nineteen_times_in_twenty():
    random = np.random.default_rng(10)
    held = []
    for _ in range(200):
        oracle = random.exponential(2, NR_SEEDS)
        worse = oracle + random.exponential(4, NR_SEEDS)
        rule = oracle + random.exponential(1, NR_SEEDS)
        found = score(rule, (worse, worse), oracle)
        assert found.lo is not None and found.hi is not None
        held.append(found.lo <= 75 <= found.hi)
    assert 0.9 <= np.mean(held) <= 0.99


def test_families_weigh_alike_however_many_seeds_they_have():
    found = mean_over_families({"a": np.zeros(10), "b": np.full(30, 2.0)})
    assert (found.mean, found.lo, found.hi) == (1.0, 1.0, 1.0)
    assert mean_over_families({}).mean is None


def test_strata_are_resampled_each_alone():
    """Pooled, the distance between families would widen the interval."""
    random = np.random.default_rng(11)
    near, far = random.normal(0, 1, 64), random.normal(100, 1, 64)
    found = mean_over_families({"near": near, "far": far})
    assert found.lo is not None and found.hi is not None
    assert found.hi - found.lo < 1


def test_the_middle_half_ignores_the_odd_episode():
    assert iqm(np.array([1.0, 2.0, 3.0, 1000.0])) == 2.5


def test_a_score_is_printed_whole_or_not_at_all():
    assert str(Score(99.6, -4.4, 250.2)) == "100 [-4,250]"
    assert str(Score(None, None, None)) == "n/a"
