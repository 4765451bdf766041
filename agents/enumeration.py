"""Every plan at once: a tree of decisions in which equal machines are one, and dear ones are cut off.

Steps that decide nothing have one branch; a branch that has cost as much as the best plan known cannot become
cheaper. Where the tree stays small to the end, the cheapest plan is found; where it does not, the cheapest
machine at the last complete step bounds what any plan can cost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from agents.forks import Forks
from reclaim_env.copies import copied
from reclaim_env.reset_rules import ANY_MASK, ResetRule

MAX_BRANCHES = 256  # machines alive at a step: 40 MB

Map = Callable[[Callable, Iterable], Iterable]  # map(), or a pool's


@dataclass(frozen=True)
class Enumeration:
    bound_s: float  # no plan of these rules costs less
    is_complete: bool
    plan: np.ndarray | None  # one cheaper than the known cost; None: there is none, or it was not found
    cost_s: float | None
    steps: int


@dataclass(frozen=True)
class _Choice:
    """Of a rule for each node at one step, and the choices before it."""

    rules: tuple[int, ...]
    before: "_Choice | None"


@dataclass(frozen=True)
class _Branch:
    """A machine, what it has cost, and how it came about."""

    record: np.ndarray
    cost_s: float
    choice: _Choice | None


def enumerate_plans(
    forks: Forks, rules: Sequence[int], known_s: float, budget_steps: int, run: Map = map
) -> Enumeration:
    """All plans of these rules that may cost less than known_s, until the tree or the budget is exceeded.

    rules: indices into forks.rules, all of which decide at progress events only.
    """
    steps, branches = 0, [_Branch(forks.start, 0.0, None)]
    for _ in range(forks.nr_steps):
        bound_s = min((branch.cost_s for branch in branches), default=known_s)
        if len(branches) > MAX_BRANCHES or steps > budget_steps:
            return Enumeration(min(bound_s, known_s), False, None, None, steps)
        grown: dict[bytes, _Branch] = {}
        for children in run(partial(_children, forks, rules), branches):
            steps += len(children)
            for child in children:
                if child.cost_s < known_s:
                    grown.setdefault(forks.future_key(child.record), child)
        branches = list(grown.values())
    best = min(branches, key=lambda branch: branch.cost_s, default=None)
    if best is None:
        return Enumeration(known_s, True, None, None, steps)
    return Enumeration(best.cost_s, True, _plan(best.choice), best.cost_s, steps)


def _children(forks: Forks, rules: Sequence[int], branch: _Branch) -> list[_Branch]:
    """One for every choice of rules on the nodes that these can matter on; one alone where they are none.

    A node is seen to decide when the count is cleared there under a rule that clears it at any progress. So
    the nodes not known to decide get that rule, until no choice on the others makes one of them decide.
    """
    everywhere = list(product(rules, repeat=forks.nr_nodes))
    watching = next((rule for rule in rules if _clears_at_any(forks.rules[rule])), None)
    if watching is None:
        return [_child(forks, branch, chosen) for chosen in everywhere]
    deciding = np.zeros(forks.nr_nodes, np.bool_)
    while True:
        children = [
            _child(forks, branch, chosen)
            for chosen in everywhere
            if all(is_open or rule == watching for rule, is_open in zip(chosen, deciding, strict=True))
        ]
        seen = np.any([forks.cleared(branch.record, child.record) for child in children], axis=0)
        if not (seen & ~deciding).any():
            return children
        deciding |= seen


def _clears_at_any(rule: ResetRule) -> bool:
    return rule.is_masks and rule.always == ANY_MASK


def _child(forks: Forks, branch: _Branch, chosen: tuple[int, ...]) -> _Branch:
    record = copied(branch.record)
    plan = np.array([branch.choice.rules, chosen] if branch.choice else [chosen])
    forks.drive(record, plan, len(plan) - 1, len(plan))
    return _Branch(record, forks.cost_s(record), _Choice(chosen, branch.choice))


def _plan(choice: _Choice | None) -> np.ndarray:
    """(steps, nodes)"""
    steps = []
    while choice is not None:
        steps.append(choice.rules)
        choice = choice.before
    return np.array(steps[::-1], np.int16)
