import numpy as np
import pytest

from experiments.results import BOOTS, SEEDS
from experiments.stats import (
    Difference,
    Mean,
    differences,
    means,
    mirrored,
    student_means,
    unpaired_differences,
)


def bounds(found: Mean | Difference) -> tuple[float, float]:
    assert found.lo is not None
    assert found.hi is not None
    return found.lo, found.hi


def test_a_rule_against_itself_differs_by_exactly_nothing():
    values = np.random.default_rng(1).lognormal(size=(32, 5))
    assert differences(values, values) == [Difference(0.0, 0.0, 0.0, 0.5)] * 5


@pytest.mark.parametrize("nr_seeds", [8, 32])
@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_equal_rules_are_told_apart_in_two_to_eight_percent(nr_seeds, draw):
    random = np.random.default_rng(2)
    a, b = getattr(random, draw)(size=(2, nr_seeds, 1500))
    verdicts = [lo > 0 or hi < 0 for lo, hi in map(bounds, differences(a, b))]
    assert 0.02 <= np.mean(verdicts) <= 0.08


@pytest.mark.parametrize("nr_seeds", [2, 3, 4])
def test_an_interval_of_a_handful_of_seeds_holds_the_true_mean_as_often_as_it_says(nr_seeds):
    found = means(np.random.default_rng(5).normal(loc=3.0, size=(nr_seeds, 4000)))
    assert np.mean([lo <= 3.0 <= hi for lo, hi in map(bounds, found)]) == pytest.approx(0.95, abs=0.012)


def test_a_planted_effect_is_found_with_its_sign():
    random = np.random.default_rng(3)
    shared = random.normal(scale=5.0, size=(32, 400))  # what pairing takes out
    a, b = shared + random.normal(size=shared.shape) - 1.0, shared + random.normal(size=shared.shape)
    gaps = differences(a, b)
    assert np.mean([bounds(gap)[1] < 0 for gap in gaps]) >= 0.95
    assert np.mean([gap.p_improve or 0.0 for gap in gaps]) == pytest.approx(0.76, abs=0.02)  # P(N(-1, 2) < 0)


def test_ties_count_half():
    a, b = np.array([[1.0], [2.0], [3.0], [9.0]]), np.array([[1.0], [5.0], [5.0], [5.0]])
    assert differences(a, b)[0].p_improve == (0.5 + 2) / 4


def test_one_undefined_seed_leaves_mean_and_difference_undefined():
    a = np.array([[1.0, 4.0], [np.nan, 6.0]])
    assert means(a)[0] == Mean(None, None, None)
    assert differences(a, np.ones((2, 2)))[0] == Difference(None, None, None, None)
    assert means(a)[1].mean == 5.0


def test_one_seed_has_a_mean_and_no_interval():
    assert means(np.array([[7.0]])) == [Mean(7.0, None, None)]


def test_a_number_that_never_varies_has_an_interval_without_width():
    assert means(np.full((32, 1), 0.1)) == [Mean(0.1, 0.1, 0.1)]


def test_intervals_are_the_same_every_time_and_hold_the_mean():
    values = np.random.default_rng(4).exponential(size=(16, 3))
    assert means(values) == means(values.copy())
    for found in means(values):
        lo, hi = bounds(found)
        assert lo < (found.mean or 0.0) < hi


def test_exchanging_the_rules_mirrors_the_difference():
    a, b = np.random.default_rng(5).normal(size=(2, 16, 4))
    for there, back in zip(differences(a, b), differences(b, a), strict=True):
        assert mirrored(there).as_json() == pytest.approx(back.as_json())


@pytest.mark.parametrize("nr_runs", [(5, 5), (3, 8)])
@pytest.mark.parametrize("spread", [(1.0, 1.0), (1.0, 10.0)])
def test_equal_unpaired_rules_are_told_apart_in_two_to_seven_percent(nr_runs, spread):
    random = np.random.default_rng(6)
    a, b = (random.normal(scale=s, size=(n, 3000)) for n, s in zip(nr_runs, spread, strict=True))
    verdicts = [lo > 0 or hi < 0 for lo, hi in map(bounds, unpaired_differences(a, b))]
    assert 0.02 <= np.mean(verdicts) <= 0.07


def test_the_unpaired_interval_is_welchs():
    from scipy.stats import ttest_ind

    random = np.random.default_rng(8)
    a, b = random.normal(size=(3, 1)), random.normal(scale=4.0, size=(8, 1))
    wanted = ttest_ind(a[:, 0], b[:, 0], equal_var=False).confidence_interval(0.95)
    assert bounds(unpaired_differences(a, b)[0]) == pytest.approx((wanted.low, wanted.high))


def test_runs_that_nothing_pairs_may_be_shuffled():
    a, b = np.random.default_rng(7).normal(size=(2, 5, 4))
    found = unpaired_differences(a, b)
    assert [gap.as_json() for gap in unpaired_differences(a[::-1], b)] == [
        pytest.approx(gap.as_json()) for gap in found
    ]
    assert found != differences(a, b)


def test_of_unpaired_runs_every_pair_is_asked_which_is_lower():
    a, b = np.array([[1.0], [4.0]]), np.array([[2.0], [3.0], [4.0]])
    found = unpaired_differences(a, b)[0]
    assert found.p_improve == (3 + 0.5) / 6
    assert found.diff == -0.5


def test_one_undefined_run_or_a_lone_one_leaves_no_verdict():
    a, b = np.array([[1.0], [np.nan]]), np.array([[1.0], [2.0]])
    assert unpaired_differences(a, b) == [Difference(None, None, None, None)]
    assert unpaired_differences(a[:1], b)[0].lo is None
    assert unpaired_differences(np.ones((3, 1)), np.zeros((3, 1))) == [Difference(1.0, 1.0, 1.0, 0.0)]


def test_students_interval_is_the_textbooks_and_wider_than_the_values_of_two_runs():
    (found,) = student_means(np.array([[1.0], [3.0]]))
    assert found.mean == 2.0
    assert (found.lo, found.hi) == pytest.approx((2 - 12.7062, 2 + 12.7062), rel=1e-5)
    (alone,) = student_means(np.array([[1.0]]))
    assert (alone.mean, alone.lo, alone.hi) == (1.0, None, None)
    (undefined,) = student_means(np.array([[1.0], [np.nan]]))
    assert undefined.mean is undefined.lo is None


def test_boots_have_students_interval_and_seeds_the_bootstraps():
    values = np.array([[1.0], [2.0], [6.0], [7.0], [9.0]])
    assert BOOTS.means(values) == student_means(values)
    assert SEEDS.means(values) == means(values)
    assert student_means(values) != means(values)
