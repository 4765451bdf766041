"""`reclaim weights`: how the ranking of the rules moves with the weights of the cost's terms.

What a rule decides does not depend on the weights (price rules read the device's prices), so the lost seconds
by term are measured once, and every weighting is a sum of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ..reporting.tables import WIDTH, paragraph
from ..stats import CONFIDENCE_RATIO
from ..wording import compact, fitted

NR_WEIGHTINGS = 4000
NR_RESAMPLES = 200
RANDOM_SEED = 20_260_106
NAME_WIDTH = 16
CAPTION = (
    "* no other rule is as good in every term and better in one (the Pareto front). Cheapest under: share of "
    "all weightings (of one sum), with its 95 % interval over seeds. Place: best and worst."
)


@dataclass(frozen=True)
class Weighing:
    """Lost seconds of each rule on the same seeds, unweighted: rule -> (seeds, terms)."""

    name: str
    terms: tuple[str, ...]
    lost_s: Mapping[str, np.ndarray]

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(self.lost_s)

    @cached_property
    def mean_s(self) -> np.ndarray:
        """(rules, terms)"""
        return np.stack([lost.mean(axis=0) for lost in self.lost_s.values()])

    @property
    def moving(self) -> np.ndarray:
        """(terms,): whether the term tells any two rules apart."""
        return self.mean_s.max(axis=0) > self.mean_s.min(axis=0)

    @cached_property
    def front(self) -> np.ndarray:
        """(rules,): whether no other rule is at least as good in every term and better in one."""
        at_least = (self.mean_s[:, None] <= self.mean_s[None]).all(axis=2)
        better = (self.mean_s[:, None] < self.mean_s[None]).any(axis=2)
        return np.logical_not((at_least & better).any(axis=0))

    @cached_property
    def wins(self) -> np.ndarray:
        """(rules, 3): share of all weightings under which a rule is cheapest, ties shared, with its interval.

        The interval is over seeds, resampled together for all rules.
        """
        weightings = every_weighting(len(self.terms))
        lost_s = np.stack(list(self.lost_s.values()))
        shares = [won_shares(self.mean_s @ weightings.T)]
        for weights in resamplings(lost_s.shape[1]):
            resampled_s = np.einsum("s,rst->rt", weights, lost_s)
            shares.append(won_shares(resampled_s @ weightings.T))
        levels = (1 - CONFIDENCE_RATIO) / 2, (1 + CONFIDENCE_RATIO) / 2
        low, high = np.quantile(shares[1:], levels, axis=0)
        return np.stack([shares[0], low, high], axis=1)

    @cached_property
    def ranks(self) -> np.ndarray:
        """(rules, 2): best and worst place under any weighting; those that cost the same share one."""
        costs_s = self.mean_s @ every_weighting(len(self.terms)).T
        places = 1 + (costs_s[None] < costs_s[:, None]).sum(axis=1)
        return np.stack([places.min(axis=1), places.max(axis=1)], axis=1)

    def favourite(self, rule: str) -> np.ndarray | None:
        """The weights, summing to 1, under which a rule is cheapest by most; None: it is so under none."""
        from scipy.optimize import linprog

        own = self.rules.index(rule)
        others = np.array([i for i in range(len(self.rules)) if (self.mean_s[i] != self.mean_s[own]).any()])
        if others.size == 0:
            return np.full(len(self.terms), 1 / len(self.terms))
        behind_s = np.hstack([self.mean_s[own] - self.mean_s[others], np.ones((len(others), 1))])
        weights_only = np.append(np.ones(len(self.terms)), 0.0)[None]
        best = linprog(
            np.append(np.zeros(len(self.terms)), -1.0),  # the margin, in seconds
            A_ub=behind_s,
            b_ub=np.zeros(len(others)),
            A_eq=weights_only,
            b_eq=[1.0],
            bounds=[(0, 1)] * len(self.terms) + [(None, None)],
        )
        return best.x[:-1] if best.status == 0 and best.x[-1] > 0 else None

    def turns(self, term: int) -> Iterator[tuple[float, float, str]]:
        """(from, to, cheapest rule) as the share of one term grows from 0 to 1, the others weighing alike."""
        others = np.delete(self.mean_s, term, axis=1).mean(axis=1)
        own = self.mean_s[:, term]
        shares = sorted({0.0, 1.0, *_meetings(others, own)})
        stretches: list[tuple[float, float, str]] = []
        for low, high in pairwise(shares):
            middle = (low + high) / 2
            rule = self.rules[int(np.argmin(others + middle * (own - others)))]
            if stretches and stretches[-1][2] == rule:
                low = stretches.pop()[0]
            stretches.append((low, high, rule))
        yield from stretches


def _meetings(start_s: np.ndarray, end_s: np.ndarray) -> Iterator[float]:
    """Where two of the lines from start (at 0) to end (at 1) cross."""
    for i in range(len(start_s)):
        for j in range(i):
            apart, slope = start_s[i] - start_s[j], (end_s[i] - start_s[i]) - (end_s[j] - start_s[j])
            if slope and 0 < -apart / slope < 1:
                yield float(-apart / slope)


def every_weighting(nr_terms: int) -> np.ndarray:
    """(weightings, terms) summing to 1, spread evenly over all there are."""
    return np.random.default_rng(RANDOM_SEED).dirichlet(np.ones(nr_terms), NR_WEIGHTINGS)


def resamplings(nr_seeds: int) -> np.ndarray:
    """(resamples, seeds) weights of seeds."""
    random = np.random.default_rng(RANDOM_SEED)
    return random.multinomial(nr_seeds, np.full(nr_seeds, 1 / nr_seeds), size=NR_RESAMPLES) / nr_seeds


def won_shares(costs_s: np.ndarray) -> np.ndarray:
    """(rules,) from (rules, weightings)."""
    cheapest = costs_s == costs_s.min(axis=0)
    return (cheapest / cheapest.sum(axis=0)).mean(axis=1)


def as_json(found: Weighing) -> dict[str, Any]:
    return {
        "terms": found.terms,
        "rules": {rule: _rule_json(found, index) for index, rule in enumerate(found.rules)},
        "along": {
            term: [{"from": low, "to": high, "rule": rule} for low, high, rule in found.turns(index)]
            for index, term in enumerate(found.terms)
            if found.moving[index]
        },
    }


def _rule_json(found: Weighing, index: int) -> dict[str, Any]:
    share, low, high = found.wins[index].tolist()
    favourite = found.favourite(found.rules[index])
    return {
        "lost_s": dict(zip(found.terms, found.mean_s[index].tolist(), strict=True)),
        "on_front": bool(found.front[index]),
        "wins": {"share": share, "lo": low, "hi": high},
        "ranks": found.ranks[index].tolist(),
        "favourite_weights": None if favourite is None else dict(zip(found.terms, favourite, strict=True)),
    }


def render(found: Weighing) -> str:
    nr_seeds = len(next(iter(found.lost_s.values())))
    terms = [index for index in range(len(found.terms)) if found.moving[index]]
    lines = [*paragraph(f"{found.name}: lost seconds by term, means of {nr_seeds} paired seeds"), "=" * WIDTH]
    if not terms:
        return "\n".join([*lines, "No term tells the rules apart: no weight matters.", ""])
    heads = "".join(f"{found.terms[term]:>11}" for term in terms)
    lines.append(f"{'':{NAME_WIDTH}}{heads}  {'cheapest under':>17} {'place':>6}")
    for index, rule in enumerate(found.rules):
        name = ("*" if found.front[index] else " ") + fitted(rule, NAME_WIDTH - 1)
        cells = "".join(f"{compact(found.mean_s[index, term]):>11}" for term in terms)
        lines.append(f"{name}{cells}  {_share(found.wins[index]):>17} {_places(found, index):>6}")
    lines += ["", *paragraph(CAPTION), "", *_when_each_wins(found), "", *_along(found, terms)]
    return "\n".join(lines) + "\n"


def _share(share: np.ndarray) -> str:
    mean, low, high = (f"{100 * part:.0f}" for part in share)
    return f"{mean} [{low},{high}] %"


def _places(found: Weighing, index: int) -> str:
    best, worst = found.ranks[index]
    return f"{best}" if best == worst else f"{best}..{worst}"


def _when_each_wins(found: Weighing) -> list[str]:
    lines = ["Weights under which a rule is cheapest by most:"]
    for index in np.flatnonzero(found.front):
        favourite = found.favourite(found.rules[index])
        if favourite is not None:
            weights = zip(found.terms, favourite, strict=True)
            words = ", ".join(f"{term} {weight:.2f}" for term, weight in weights if weight >= 0.005)
            lines += paragraph(f"{found.rules[index]}: {words}", indent="  ")
    return lines


def _along(found: Weighing, terms: list[int]) -> list[str]:
    lines = ["The cheapest rule as one term's share of the weights grows, the others alike:"]
    for term in terms:
        words = ", ".join(f"{rule} to {high:.2f}" for _, high, rule in found.turns(term))
        lines += paragraph(f"{found.terms[term]}: {words}", indent="  ")
    return lines
