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
            steps += len(children) + 1
            for child in children:
                if child.cost_s < known_s:
                    grown.setdefault(forks.future_key(child.record), child)
        branches = list(grown.values())
    best = min(branches, key=lambda branch: branch.cost_s, default=None)
    if best is None:
        return Enumeration(known_s, True, None, None, steps)
    return Enumeration(best.cost_s, True, _plan(best.choice), best.cost_s, steps)


def _children(forks: Forks, rules: Sequence[int], branch: _Branch) -> list[_Branch]:
    """One for every choice of rules on the nodes; one alone where no choice makes a difference."""
    in_force = branch.choice.rules if branch.choice else (rules[0],) * forks.nr_nodes
    choices = [in_force]
    if forks.decides(branch.record).any():
        choices = list(product(rules, repeat=forks.nr_nodes))
    children = []
    for chosen in choices:
        record = copied(branch.record)
        plan = np.array([in_force, chosen] if branch.choice else [chosen])
        forks.drive(record, plan, len(plan) - 1, len(plan))
        children.append(_Branch(record, forks.cost_s(record), _Choice(chosen, branch.choice)))
    return children


def _plan(choice: _Choice | None) -> np.ndarray:
    """(steps, nodes)"""
    steps = []
    while choice is not None:
        steps.append(choice.rules)
        choice = choice.before
    return np.array(steps[::-1], np.int16)
