"""Steady state of the two lists under Poisson accesses, in closed form: what the model is held against.

Per class: n pages, each touched `rate` times a second. Unknown are the residence limits of the inactive
and the active list and the look-back of the shadows; one visit of a page to absence is the unit.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

NR_ROUNDS = 300


class Steady(NamedTuple):
    """Of all classes, and per class."""

    inactive_pages: float
    active_pages: float
    evictions_per_s: float
    hit_ratio: np.ndarray


def read_visits(rate, inactive_s, active_s, recent):
    """(inactive time, active time, tail examinations, activations) per absence of a read() page."""
    untouched = np.exp(-rate * inactive_s)
    hit = 1 - untouched
    hit_active = -np.expm1(-rate * active_s)
    not_twice = untouched * (1 + rate * inactive_s)
    unreferenced_active = hit / (untouched * hit_active + not_twice * (1 - hit_active))
    referenced = 1 + hit_active * unreferenced_active
    unreferenced = (1 - hit_active) * unreferenced_active
    inactive = referenced * hit / rate + unreferenced * (2 / rate - untouched * (2 / rate + inactive_s))
    activations = unreferenced_active + recent
    examined = referenced * untouched + unreferenced * not_twice
    return inactive, activations * active_s, examined, activations


def mapped_visits(rate, inactive_s, active_s, recent):
    """The same for a page mapped once, not executable: kept when first found young, then activated."""
    untouched = np.exp(-rate * inactive_s)
    young = 1 - untouched
    referenced = (1 - recent + young * recent) / untouched
    visits = (1 - recent) + recent + referenced
    activated = young * referenced
    return visits * inactive_s, (activated + recent) * active_s, visits, activated + recent


def exec_visits(rate, inactive_s, active_s, recent):
    """The same for an executable page: activated when found young, rotated while it is."""
    untouched = np.exp(-rate * inactive_s)
    untouched_active = np.exp(-rate * active_s)
    activated = ((1 - recent) + (1 - untouched) * recent) / untouched
    rounds = activated / untouched_active + recent * (1 + 1 / untouched_active)
    visits = (1 - recent) + recent + activated
    return visits * inactive_s, rounds * active_s, visits, rounds


VISITS = {"read": read_visits, "mmap": mapped_visits, "exec": exec_visits}


def steady_state(pages, rates, access, capacity, deactivating=1.0) -> Steady:
    """The fixed point for classes of `pages` touched `rates` times a second, under one capacity.

    deactivating: pages of the active list examined for one of the inactive list, each by its length; 1 where
    both lists are always scanned in proportion.
    """
    pages, rates = np.asarray(pages, float), np.asarray(rates, float)

    def classes(inactive_s, active_s, shadow_s):
        recent = -np.expm1(-rates * shadow_s)
        table = np.array(
            [VISITS[kind](rates[i], inactive_s, active_s, recent[i]) for i, kind in enumerate(access)]
        ).T
        cycle_s = table[0] + table[1] + 1 / rates
        return table / cycle_s, 1 / cycle_s

    def surplus(inactive_s, ratio, shadow_s):
        table, _ = classes(inactive_s, ratio * inactive_s, shadow_s)
        return pages @ (table[0] + table[1]) - capacity

    inactive_s = active_s = shadow_s = 3 * capacity / (pages @ rates)
    for _ in range(NR_ROUNDS):
        ratio = active_s / inactive_s
        longest = np.log(300 / (rates.max() * max(ratio, 1.0)))  # beyond it exp() of the hottest class is 0
        root = brentq(lambda x, r=ratio, s=shadow_s: surplus(np.exp(x), r, s), -12, longest)
        inactive_s = np.exp(float(root))  # type: ignore[arg-type]
        table, absences = classes(inactive_s, ratio * inactive_s, shadow_s)
        inactive, active, examined, activations = pages @ table.T
        evictions = pages @ absences
        # T_A = I / inactive examinations that also deactivate; tau = A / clock ticks; damped
        active_s = (ratio * inactive_s) ** 0.7 * (inactive / (deactivating * examined)) ** 0.3
        shadow_s = shadow_s**0.7 * (active / (evictions + activations)) ** 0.3
    return Steady(inactive, active, evictions, 1 - absences / rates)
