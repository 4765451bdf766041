"""Counter-based randomness: the published vectors, the distributions, and what a draw depends on."""

import numpy as np
import pytest
from scipy import stats

from tests.model.machines import plain

# kat_vectors of Random123 1.09 for philox4x32-10: counter, key, result.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), VECTORS)
def test_philox_gives_the_published_words(model, counter, key, words):
    whole_key = np.uint64(key[0]) | np.uint64(key[1]) << np.uint64(32)
    assert tuple(int(word) for word in model.rng.philox(whole_key, *(np.uint64(c) for c in counter))) == words


def some_draws(model, env) -> tuple[float, ...]:
    return (*model.rng.uniforms(env, 3, 5), model.rng.timeless_uniform(env, 3, 5, 7))


def test_a_draw_depends_on_seed_and_episode_and_on_the_clock_unless_timeless(model):
    drawn = some_draws(model, plain())
    assert some_draws(model, plain()) == drawn
    for field, timeless in (("seed", False), ("episode", False), ("tick", True), ("slice", True)):
        env = plain()
        env[field] = 2
        other = some_draws(model, env)
        assert all(a != b for a, b in zip(drawn[:3], other[:3], strict=True)), field
        assert (drawn[3] == other[3]) == timeless, field


def test_draws_of_different_names_differ(model):
    env = plain()
    uniforms = model.rng.uniforms
    drawn = [uniforms(env, stream, index) for stream in range(9) for index in range(200)]
    timeless = [
        model.rng.timeless_uniform(env, s, i, d) for s in range(3) for i in range(20) for d in range(20)
    ]
    assert len({u for triple in drawn for u in triple}) > 0.999 * 3 * len(drawn)
    assert len(set(timeless)) > 0.999 * len(timeless)


def test_uniforms_are_uniform_inside_the_open_interval(model):
    env = plain(seed=1)
    drawn = np.array([model.rng.uniforms(env, 2, index) for index in range(4000)])
    assert drawn.min() > 0 and drawn.max() < 1
    for column in drawn.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.06


def test_the_extreme_words_stay_inside_the_open_interval(model):
    for word in (0, 2**32 - 1):
        assert 0 < (np.uint64(word) + 0.5) * model.rng._TWO32 < 1


def test_normal_quantile_is_the_inverse_of_the_normal_distribution(model):
    for u in (1e-9, 1e-4, 0.02424, 0.02426, 0.3, 0.5, 0.7, 0.97574, 0.97576, 0.9999):
        assert model.rng.normal_quantile(u) == pytest.approx(stats.norm.ppf(u), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.3), (10, 0.05), (10, 0.95), (40, 0.25), (40, 0.6), (100000, 1e-4)]
)
def test_binomial_below_16_events_is_the_exact_quantile(model, n, p):
    # Away from the steps, where rounding decides.
    for u in np.linspace(0.0013, 0.9987, 401):
        if (
            abs(stats.binom.cdf(np.arange(n + 1)[:60] if p < 0.5 else np.arange(n + 1), n, p) - u).min()
            < 1e-9
        ):
            continue
        exact = stats.binom.ppf(u, n, p)
        assert model.rng.binomial(u, n, p) == exact, u


@pytest.mark.parametrize(("n", "p"), [(200, 0.2), (1000, 0.5), (1000, 0.9), (2_000_000, 0.37)])
def test_binomial_of_many_events_has_the_mean_and_spread_of_the_distribution(model, n, p):
    drawn = np.array([model.rng.binomial(u, n, p) for u in (np.arange(2000) + 0.5) / 2000])
    assert drawn.mean() == pytest.approx(n * p, abs=0.02 * np.sqrt(n * p * (1 - p)))
    assert drawn.std() == pytest.approx(np.sqrt(n * p * (1 - p)), rel=0.01)
    assert np.all((drawn >= 0) & (drawn <= n))


def test_binomial_of_nothing_or_of_certainty_is_certain(model):
    for u in (1e-9, 0.5, 1 - 1e-9):
        for n, p, k in ((0, 0.5, 0), (7, 0.0, 0), (7, -0.1, 0), (7, 1.0, 7), (7, 1.5, 7)):
            assert model.rng.binomial(u, n, p) == k


def test_round_stochastic_keeps_the_mean_and_whole_numbers(model):
    grid = (np.arange(1000) + 0.5) / 1000
    assert np.mean([model.rng.round_stochastic(3.3, u) for u in grid]) == pytest.approx(3.3, abs=1e-3)
    assert {model.rng.round_stochastic(4.0, u) for u in grid} == {4}
