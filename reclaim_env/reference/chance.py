"""The machine's stream of randomness: splitmix64, seeded by the episode."""

import math

import numpy as np

from .compiled import compiled


@compiled
def uniform(m):
    """In (0, 1)."""
    state = m.system[0].random + np.uint64(0x9E3779B97F4A7C15)
    m.system[0].random = state
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) + 0.5) / 9007199254740992.0


@compiled
def below(m, n):
    """A whole number in 0..n-1."""
    return min(int(uniform(m) * n), n - 1)


@compiled
def tries_until(m, p):
    """Failures before the first success of probability p."""
    if p >= 1.0:
        return 0.0
    return math.floor(math.log(uniform(m)) / math.log1p(-p))
