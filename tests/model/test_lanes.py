"""Rows of bins computed at once: the bits are those of a loop over the bins."""

import numpy as np
import pytest

from reclaim_env.model.constants import NR_BINS
from reclaim_env.model.kernel import kernel
from reclaim_env.model.lanes import (
    SURE_TOUCHES,
    at_head,
    greater,
    is_empty,
    lesser,
    load,
    spread,
    store,
    sum_ahead,
    sum_behind,
    total,
    touched_ratio,
    where_positive,
)


@kernel
def in_lanes(left, right, number, out):
    a, b = load(left), load(right)
    store(out[0], a + b)
    store(out[1], a - b)
    store(out[2], a * b)
    store(out[3], spread(number) - a * spread(number))
    store(out[4], greater(a, b))
    store(out[5], lesser(a, b))
    store(out[6], where_positive(a, b, spread(number)))
    store(out[7], a / b)
    store(out[8], at_head(number))
    return is_empty(a)


def bin_by_bin(left, right, number, out):
    for b in range(NR_BINS):
        out[0, b] = left[b] + right[b]
        out[1, b] = left[b] - right[b]
        out[2, b] = left[b] * right[b]
        out[3, b] = number - left[b] * number
        out[4, b] = max(left[b], right[b])
        out[5, b] = min(left[b], right[b])
        out[6, b] = right[b] if left[b] > 0.0 else number
        out[7, b] = left[b] / right[b]
        out[8, b] = number if b == 0 else 0.0
    return all(value == 0.0 for value in left)


def rows():
    some = np.random.default_rng(5).lognormal(0.0, 9.0, (2, NR_BINS))
    one_full = np.eye(NR_BINS)[5] * 1e-300
    return [
        (some[0], -some[1]),
        (np.zeros(NR_BINS), some[0]),
        (-np.zeros(NR_BINS), some[1]),
        (one_full, some[0]),
    ]


@pytest.mark.parametrize(("left", "right"), rows())
@pytest.mark.parametrize("apply", [in_lanes, in_lanes.py_func], ids=["compiled", "plain"])
def test_a_row_at_once_has_the_bits_of_its_bins_one_by_one(apply, left, right):
    found, wanted = np.full((2, 9, NR_BINS), np.nan)
    assert apply(left, right, 0.1, found) == bin_by_bin(left, right, 0.1, wanted)
    assert found.tobytes() == wanted.tobytes()


def test_a_loaded_row_is_a_copy():
    row = np.arange(float(NR_BINS))
    value = load(row)
    row[3] = 99.0
    assert value[3] == 3.0


@kernel
def sums(row, out):
    store(out[0], sum_ahead(load(row)))
    store(out[1], sum_behind(load(row)))
    return total(load(row))


@pytest.mark.parametrize("apply", [sums, sums.py_func], ids=["compiled", "plain"])
def test_sums_over_bins_are_exact_for_whole_pages(apply):
    row = np.array([5.0, 0.0, 3.0, 1000.0, 2.0, 0.0, 7.0, 11.0])
    out = np.full((2, NR_BINS), np.nan)
    assert apply(row, out) == row.sum()
    assert out[0].tolist() == [row[:b].sum() for b in range(NR_BINS)]
    assert out[1].tolist() == [row[b + 1 :].sum() for b in range(NR_BINS)]


@kernel
def touched(row, out):
    store(out, touched_ratio(load(row)))


def test_the_touched_ratio_is_the_exponential_one_and_the_same_bits_compiled_or_not():
    rng = np.random.default_rng(7)
    for row in rng.uniform(0.0, SURE_TOUCHES, (500, NR_BINS)) * 10.0 ** -rng.integers(0, 9, (500, NR_BINS)):
        compiled, plain = np.full((2, NR_BINS), np.nan)
        touched(row, compiled)
        touched.py_func(row, plain)
        assert compiled.tobytes() == plain.tobytes()
        np.testing.assert_allclose(compiled, -np.expm1(-row), rtol=0, atol=1e-13)
    touched(np.array([0.0, SURE_TOUCHES] * 4), compiled)
    assert compiled.tolist() == [0.0, 1.0] * 4
