"""Randomness as a function: Philox4x32-10 (Salmon et al., SC 2011) keyed by the row's own seed.

A draw is named by (episode, tick, slice, stream, index). It does not depend on how many draws were
made before it, so a row is the same alone or in a batch, and two rules meet the same demand.
"""

import math

import numpy as np

from reclaim_env.model.kernel import inlined, kernel

# Streams: who draws. Demand is drawn only from the first three and from BOOSTS.
MISSES, SWITCHES, PHASES, ACTIVATION, SCAN, FATE, ROUNDING, COIN, ARRIVALS, FLUSHES, BOOSTS, SWAP_INS = range(
    12
)

_TWO32 = 1.0 / 4294967296.0

# No uniform lies nearer to 1 than 2^-33: what is less likely never happens.
_NEVER = 1e-10


@inlined
def philox(key, c0, c1, c2, c3):
    """One Philox4x32-10 block: four 32-bit words (as uint64) of a 64-bit key and a 128-bit counter."""
    mask = np.uint64(0xFFFFFFFF)
    thirty_two = np.uint64(32)
    k0 = key & mask
    k1 = key >> thirty_two
    c0, c1, c2, c3 = c0 & mask, c1 & mask, c2 & mask, c3 & mask
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c0
        p1 = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> thirty_two) ^ c1 ^ k0, p1 & mask, (p0 >> thirty_two) ^ c3 ^ k1, p0 & mask
        k0 = (k0 + np.uint64(0x9E3779B9)) & mask
        k1 = (k1 + np.uint64(0xBB67AE85)) & mask
    return c0, c1, c2, c3


@kernel
def uniforms(env, stream, index):
    """Three uniforms in (0, 1) for draw `index` of `stream` in this slice of this row."""
    c1 = np.uint64(env.slice) | (np.uint64(stream) << np.uint64(24))
    a, b, c, _ = philox(env.seed, np.uint64(env.tick), c1, np.uint64(index), np.uint64(env.episode))
    half = 0.5
    return (a + half) * _TWO32, (b + half) * _TWO32, (c + half) * _TWO32


@kernel
def timeless_uniform(env, stream, index, draw):
    """A uniform that depends on the row and on (stream, index, draw), not on the clock."""
    c1 = np.uint64(stream) << np.uint64(24)
    a, _, _, _ = philox(
        env.seed ^ np.uint64(0x5DEECE66D), np.uint64(draw), c1, np.uint64(index), np.uint64(env.episode)
    )
    return (a + 0.5) * _TWO32


@inlined
def round_stochastic(x, u):
    """Whole number whose mean is x."""
    return int(math.floor(x + u))


@inlined
def normal_quantile(u):
    """Inverse normal distribution (Acklam's rational approximation, relative error 1e-9)."""
    if u < 0.02425:
        q = math.sqrt(-2.0 * math.log(u))
        return _tail(q)
    if u > 1.0 - 0.02425:
        q = math.sqrt(-2.0 * math.log(1.0 - u))
        return -_tail(q)
    q = u - 0.5
    r = q * q
    num = (
        (((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.3577518672690) * r
        - 30.66479806614716
    ) * r + 2.506628277459239
    den = (
        (((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
        - 13.28068155288572
    ) * r + 1.0
    return num * q / den


@kernel
def _tail(q):
    num = (
        (((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734)
        * q
        + 4.374664141464968
    ) * q + 2.938163982698783
    den = (
        ((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416
    ) * q + 1.0
    return num / den


@inlined
def binomial(u, n, p):
    """Quantile u of Binomial(n, p): whole, in 0..n; by inversion below 16 events, by the normal above."""
    if n * p < _NEVER:
        return 0
    if n * (1.0 - p) < _NEVER:
        return n
    if p > 0.5:
        return n - binomial_small(1.0 - u, n, 1.0 - p)
    return binomial_small(u, n, p)


@inlined
def is_certain(n, p):
    """Does binomial() need no draw?"""
    return n * p < _NEVER or n * (1.0 - p) < _NEVER


@inlined
def none_of(n, p):
    """(1 - p)^n, by squaring."""
    power = 1.0 - p
    product = 1.0
    while n > 0:
        product *= power if n & 1 else 1.0
        power *= power
        n >>= 1
    return product


@kernel
def binomial_small(u, n, p):
    """binomial() for p <= 1/2."""
    mean = n * p
    if mean > 16.0:
        x = mean + math.sqrt(mean * (1.0 - p)) * normal_quantile(u)
        return min(max(int(math.floor(x + 0.5)), 0), n)
    mass = none_of(n, p)
    odds = p / (1.0 - p)
    k = 0
    while u > mass and k < n:
        u -= mass
        mass *= odds * (n - k) / (k + 1)
        k += 1
        if k > 128:
            break
    return k
