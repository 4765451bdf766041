"""A row of bins as one value: sums and products of all its bins at once, in a vector register.

LLVM cannot do so by itself, as one row might overlap another for all it knows. Every bin is computed as it
would be alone, so the bits are those of a loop over the bins. As plain Python a row is a small numpy array.
"""

# pyright: reportCallIssue=false
# (The first argument of an intrinsic is numba's to give.)

import operator

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model

from reclaim_env.model.constants import NR_BINS

_DOUBLES = ir.VectorType(ir.DoubleType(), NR_BINS)
_INDEX = ir.IntType(32)
_WORD_BYTES = 8
# 1, 2, 4: then every bin has met every other.
_DOUBLING = tuple(2**n for n in range(NR_BINS.bit_length() - 1))

# So many are expected of a page that it is as good as certain that it is touched.
SURE_TOUCHES = 40.0


class Lanes(types.Type):
    """The type of such a value in compiled code."""

    def __init__(self):
        super().__init__(name="Lanes")


_LANES = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _DOUBLES)


def load(row):
    """The value of a row of bins."""
    return row.copy()


def store(row, lanes):
    """Makes a row of bins equal to a value."""
    row[:] = lanes


def spread(number):
    """A value that is the same number in every bin."""
    return np.full(NR_BINS, number)


def at_head(number):
    """A value that is the number in the first bin, and nothing in all others.

    A row is to be written as it is read, whole: a processor must wait for a part of it to reach memory.
    """
    return number * np.eye(1, NR_BINS)[0]


def is_empty(lanes):
    """Is there nothing in any bin?"""
    return not lanes.any()


def greater(left, right):
    """Of each bin the greater of two numbers."""
    return np.where(left > right, left, right)


def lesser(left, right):
    """Of each bin the lesser of two numbers."""
    return np.where(left < right, left, right)


def where_positive(test, these, others):
    """Of each bin the first value where the tested one is above 0, else the other."""
    return np.where(test > 0.0, these, others)


def total(lanes):
    """All bins together, summed as a tree of halves."""
    halves = lanes[: NR_BINS // 2] + lanes[NR_BINS // 2 :]
    while halves.size > 1:
        halves = halves[: halves.size // 2] + halves[halves.size // 2 :]
    return float(halves[0])


def _moved(lanes, bins):
    """A value moved by some bins towards the tail (or, negative, the head); nothing comes after it."""
    moved = np.zeros(NR_BINS)
    for b in range(max(bins, 0), NR_BINS + min(bins, 0)):
        moved[b] = lanes[b - bins]
    return moved


def sum_ahead(lanes):
    """Of each bin what all bins nearer to the head hold."""
    reached = lanes
    for bins in _DOUBLING:
        reached = reached + _moved(reached, bins)
    return _moved(reached, 1)


def sum_behind(lanes):
    """Of each bin what all bins nearer to the tail hold."""
    reached = lanes
    for bins in _DOUBLING:
        reached = reached + _moved(reached, -bins)
    return _moved(reached, -1)


def touched_ratio(touches):
    """1 - exp(-touches) of each bin, for 0 to SURE_TOUCHES of them, to 1e-13.

    The series of exp() for a 256th of them, squared eight times: the same bits wherever it is computed, which
    no two mathematical libraries promise.
    """
    r = touches * spread(1.0 / 256.0)
    r2 = r * r
    low = spread(1.0) - r + r2 * (spread(1.0 / 2.0) - r * spread(1.0 / 6.0))
    high = spread(1.0 / 24.0) - r * spread(1.0 / 120.0) + r2 * spread(1.0 / 720.0)
    untouched = low + r2 * r2 * high
    for _ in range(8):
        untouched = untouched * untouched
    return spread(1.0) - untouched


def _pointer(context, builder, row_type, row):
    data = context.make_array(row_type)(context, builder, row).data
    return builder.bitcast(data, _DOUBLES.as_pointer())


@intrinsic
def _load(typing_context, row):
    def generate(context, builder, signature, args):
        return builder.load(_pointer(context, builder, signature.args[0], args[0]), align=_WORD_BYTES)

    return _LANES(row), generate


@intrinsic
def _store(typing_context, row, lanes):
    def generate(context, builder, signature, args):
        builder.store(args[1], _pointer(context, builder, signature.args[0], args[0]), align=_WORD_BYTES)
        return context.get_dummy_value()

    return types.void(row, lanes), generate


@intrinsic
def _spread(typing_context, number):
    def generate(context, builder, signature, args):
        lanes = ir.Constant(_DOUBLES, ir.Undefined)
        for b in range(NR_BINS):
            lanes = builder.insert_element(lanes, args[0], ir.Constant(_INDEX, b))
        return lanes

    return _LANES(types.float64), generate


@intrinsic
def _at_head(typing_context, number):
    def generate(context, builder, signature, args):
        nothing = ir.Constant(_DOUBLES, [0.0] * NR_BINS)
        return builder.insert_element(nothing, args[0], ir.Constant(_INDEX, 0))

    return _LANES(types.float64), generate


@intrinsic
def _is_empty(typing_context, lanes):
    def generate(context, builder, signature, args):
        nothing = ir.Constant(_DOUBLES, [0.0] * NR_BINS)
        filled = builder.fcmp_unordered("!=", args[0], nothing)
        bits = builder.bitcast(filled, ir.IntType(NR_BINS))
        return builder.icmp_unsigned("==", bits, ir.Constant(bits.type, 0))

    return types.boolean(lanes), generate


def _shuffled(builder, first, second, bins):
    """The bins of two values, one behind the other, that a third one is made of."""
    mask = ir.Constant(ir.VectorType(_INDEX, len(bins)), list(bins))
    return builder.shuffle_vector(first, second, mask)


def _generate_moved(builder, lanes, bins):
    """_moved(): beyond the border lie bins of nothing."""
    nothing = ir.Constant(_DOUBLES, [0.0] * NR_BINS)
    if bins > 0:
        return _shuffled(builder, nothing, lanes, range(NR_BINS - bins, 2 * NR_BINS - bins))
    return _shuffled(builder, lanes, nothing, range(-bins, NR_BINS - bins))


def _summed(direction):
    """sum_ahead() towards the tail (1), sum_behind() towards the head (-1)."""

    @intrinsic
    def sum_up(typing_context, lanes):
        def generate(context, builder, signature, args):
            reached = args[0]
            for bins in _DOUBLING:
                reached = builder.fadd(reached, _generate_moved(builder, reached, direction * bins))
            return _generate_moved(builder, reached, direction)

        return _LANES(lanes), generate

    return sum_up


@intrinsic
def _total(typing_context, lanes):
    def generate(context, builder, signature, args):
        halves, size = args[0], NR_BINS
        while size > 1:
            size //= 2
            low, high = (_shuffled(builder, halves, halves, range(b, b + size)) for b in (0, size))
            halves = builder.fadd(low, high)
        return builder.extract_element(halves, ir.Constant(_INDEX, 0))

    return types.float64(lanes), generate


@intrinsic
def _where_positive(typing_context, test, these, others):
    def generate(context, builder, signature, args):
        nothing = ir.Constant(_DOUBLES, [0.0] * NR_BINS)
        return builder.select(builder.fcmp_ordered(">", args[0], nothing), args[1], args[2])

    return _LANES(test, these, others), generate


def _chosen(comparison):
    """Of each bin the one of two numbers that compares so with the other."""

    @intrinsic
    def choose(typing_context, left, right):
        def generate(context, builder, signature, args):
            return builder.select(builder.fcmp_ordered(comparison, *args), *args)

        return _LANES(left, right), generate

    return choose


def _bin_by_bin(instruction):
    """An arithmetic instruction on two values."""

    @intrinsic
    def apply(typing_context, left, right):
        def generate(context, builder, signature, args):
            return getattr(builder, instruction)(*args)

        return _LANES(left, right), generate

    def of_lanes(left, right):
        if isinstance(left, Lanes) and isinstance(right, Lanes):
            return lambda left, right: apply(left, right)

    return of_lanes


overload(load)(lambda row: lambda row: _load(row))
overload(store)(lambda row, lanes: lambda row, lanes: _store(row, lanes))
overload(spread)(lambda number: lambda number: _spread(number))
overload(at_head)(lambda number: lambda number: _at_head(number))
overload(is_empty)(lambda lanes: lambda lanes: _is_empty(lanes))
_greater, _lesser = _chosen(">"), _chosen("<")
_sum_ahead, _sum_behind = _summed(1), _summed(-1)
overload(greater)(lambda left, right: lambda left, right: _greater(left, right))
overload(lesser)(lambda left, right: lambda left, right: _lesser(left, right))
overload(where_positive)(
    lambda test, these, others: lambda test, these, others: _where_positive(test, these, others)
)
overload(total)(lambda lanes: lambda lanes: _total(lanes))
overload(sum_ahead)(lambda lanes: lambda lanes: _sum_ahead(lanes))
overload(sum_behind)(lambda lanes: lambda lanes: _sum_behind(lanes))
overload(touched_ratio)(lambda touches: touched_ratio)
overload(operator.add)(_bin_by_bin("fadd"))
overload(operator.sub)(_bin_by_bin("fsub"))
overload(operator.mul)(_bin_by_bin("fmul"))
overload(operator.truediv)(_bin_by_bin("fdiv"))
