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
_WORD_BYTES = 8


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


def is_empty(lanes):
    """Is there nothing in any bin?"""
    return not lanes.any()


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
            lanes = builder.insert_element(lanes, args[0], ir.Constant(ir.IntType(32), b))
        return lanes

    return _LANES(types.float64), generate


@intrinsic
def _is_empty(typing_context, lanes):
    def generate(context, builder, signature, args):
        nothing = ir.Constant(_DOUBLES, [0.0] * NR_BINS)
        filled = builder.fcmp_unordered("!=", args[0], nothing)
        bits = builder.bitcast(filled, ir.IntType(NR_BINS))
        return builder.icmp_unsigned("==", bits, ir.Constant(bits.type, 0))

    return types.boolean(lanes), generate


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
overload(is_empty)(lambda lanes: lambda lanes: _is_empty(lanes))
overload(operator.add)(_bin_by_bin("fadd"))
overload(operator.sub)(_bin_by_bin("fsub"))
overload(operator.mul)(_bin_by_bin("fmul"))
