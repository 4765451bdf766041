"""Rows of bins computed at once: the bits are those of a loop over the bins."""

import numpy as np
import pytest

from reclaim_env.model.constants import NR_BINS
from reclaim_env.model.kernel import kernel
from reclaim_env.model.lanes import is_empty, load, spread, store


@kernel
def in_lanes(left, right, number, out):
    a, b = load(left), load(right)
    store(out[0], a + b)
    store(out[1], a - b)
    store(out[2], a * b)
    store(out[3], spread(number) - a * spread(number))
    return is_empty(a)


def bin_by_bin(left, right, number, out):
    for b in range(NR_BINS):
        out[0, b] = left[b] + right[b]
        out[1, b] = left[b] - right[b]
        out[2, b] = left[b] * right[b]
        out[3, b] = number - left[b] * number
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
    found, wanted = np.full((2, 4, NR_BINS), np.nan)
    assert apply(left, right, 0.1, found) == bin_by_bin(left, right, 0.1, wanted)
    assert found.tobytes() == wanted.tobytes()


def test_a_loaded_row_is_a_copy():
    row = np.arange(float(NR_BINS))
    value = load(row)
    row[3] = 99.0
    assert value[3] == 3.0
