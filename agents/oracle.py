"""The clairvoyant search: what an episode could have cost at best, seen afterwards. A ceiling, no competitor.

It tries plans on forks that share the future's randomness, always to the end of the episode:

1. every rule alone, and every plan it is given (what agents did). It never does worse than the best of these;
2. every plan there is, where the tree of decisions is small enough (agents/enumeration.py);
3. else changes of the best plan so far: the choices over a stretch or from there to the end, on one node or
   all, from the whole episode down to a few steps; then other rules to the end; then single steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from agents.enumeration import Map, enumerate_plans
from agents.forks import Forks
from agents.trail import Attempt, Trail
from reclaim_env.reset_rules import RULES, ResetRule, rule_of

CHOICES = ("never", "always", "balanced")  # of a step and node; all decide at progress events only
BUDGET_EPISODES = 100
ENUMERATION_RATIO = 0.5  # of the budget at most
SAME_RATIO = 1e-9  # costs nearer than this may be one, added up in another order
TAILS_PER_EPISODE = 16  # moments from which another rule is tried to the end
BATCH = 16  # plans tried together: a better one is built on only after them, whatever the number of threads
_NOTHING: Mapping[str, float] = {}


@dataclass(frozen=True)
class Found:
    """`plan` is (steps left, nodes) of indices into `rules`. Costs are the whole episode's, past included."""

    plan: np.ndarray
    rules: tuple[ResetRule, ...]
    cost_s: float
    bound_s: float  # no plan of the choices costs less than this
    is_exact: bool  # and none less than cost_s
    best_given: str  # the best rule, or "plan k" of those given
    best_given_s: float
    steps: int  # control intervals simulated


def search(
    env: Any,
    row: int = 0,
    rules: Sequence[str] = tuple(RULES),
    choices: Sequence[ResetRule] = tuple(RULES[name] for name in CHOICES),
    plans: Sequence[np.ndarray] = (),
    budget_episodes: float = BUDGET_EPISODES,
    threads: int = 1,
    known_s: Mapping[str, float] = _NOTHING,
) -> Found:
    """Looks for the cheapest plan from the present moment of a row of env to the end of its episode.

    rules: kernel rules to begin with. choices: what a node may get at a step. plans: (steps left, nodes) of
    indices into the choices, and behind them the rules that are none; forks.plan_of_actions() makes one of
    what an agent did. These are all tried; what goes on from them ends soon after budget_episodes more
    episodes were simulated. known_s: what rules cost in this very episode, by name: those that are not the
    best need not be simulated again. The result is the same with or without, and for any number of threads.
    ValueError where env cannot fork, ResetNeeded where no episode is under way.
    """
    named = [rule for rule in map(rule_of, rules) if rule not in choices]
    forks = Forks(env, row, (*choices, *named))
    with ThreadPoolExecutor(threads, thread_name_prefix="oracle") as pool:
        return _Search(forks, len(choices), budget_episodes, pool.map).run(plans, known_s)


class _Search:
    def __init__(self, forks: Forks, nr_choices: int, budget_episodes: float, run: Map):
        self._forks, self._run, self._nr_choices = forks, run, nr_choices
        self._budget_steps = round(budget_episodes * forks.nr_steps)
        self._steps = 0
        self._tried: set[bytes] = set()

    def run(self, plans: Sequence[np.ndarray], known_s: Mapping[str, float]) -> Found:
        given = [(rule.name, self._forks.constant(index)) for index, rule in enumerate(self._forks.rules)]
        given += [(f"plan {index}", np.asarray(plan, np.int16)) for index, plan in enumerate(plans)]
        best_given = self._start(given, known_s)
        best_given_s, given_steps = self._trail.cost_s, self._steps
        self._budget_steps += given_steps
        tree = enumerate_plans(
            self._forks,
            range(self._nr_choices),
            best_given_s,
            round(ENUMERATION_RATIO * (self._budget_steps - given_steps)),
            self._run,
        )
        self._steps += tree.steps
        if tree.plan is not None:
            self._lay(tree.plan)
        if not tree.is_complete:
            self._improve()
        return Found(
            plan=self._trail.plan,
            rules=self._forks.rules,
            cost_s=self._trail.cost_s,
            bound_s=min(tree.bound_s, self._trail.cost_s),
            is_exact=tree.is_complete,
            best_given=best_given,
            best_given_s=best_given_s,
            steps=self._steps,
        )

    def _start(self, given: Sequence[tuple[str, np.ndarray]], known_s: Mapping[str, float]) -> str:
        """Lays the best of the plans given, and says its name: the first of those that cost the same."""
        self._tried = {plan.tobytes() for _, plan in given}
        (name, plan), *others = _without_worse(given, known_s)
        self._lay(plan)
        attempts = self._attempts([(plan, 0, self._forks.nr_steps) for _, plan in others])
        best = min(range(len(attempts)), key=lambda i: attempts[i].cost_s, default=None)
        if best is None or not self._take(attempts[best]):
            return name
        return others[best][0]

    def _lay(self, plan: np.ndarray, before: Trail | None = None, first: int = 0) -> None:
        self._trail = Trail(self._forks, plan, before, first)
        self._steps += self._trail.steps

    def _attempts(self, changes: Sequence[tuple[np.ndarray, int, int]]) -> list[Attempt]:
        trail = self._trail
        attempts = list(self._run(lambda change: trail.attempt(*change), changes))
        self._steps += sum(attempt.steps for attempt in attempts)
        return attempts

    def _take(self, attempt: Attempt) -> bool:
        """Goes on from a plan if it is cheaper."""
        if attempt.cost_s >= self._trail.cost_s:
            return False
        self._lay(attempt.plan, self._trail, attempt.first)
        return True

    def _improve(self) -> None:
        """Tries changes of the best plan until none helps or the budget is spent."""
        is_better = True
        while is_better:
            is_better = False
            changes = self._changes()
            while batch := list(islice(changes, BATCH)):
                if self._steps > self._budget_steps:
                    return
                best = min(self._attempts(batch), key=lambda attempt: attempt.cost_s)
                is_better |= self._take(best)

    def _changes(self) -> Iterator[tuple[np.ndarray, int, int]]:
        """Of the best plan at the time: one not tried yet, where it begins to differ, and where it ends."""
        nodes = [slice(None), *([nid] for nid in range(self._forks.nr_nodes))]
        for start, end, rules in self._stretches():
            for chosen in nodes[self._forks.nr_nodes == 1 :]:
                deciding = np.flatnonzero(self._trail.decides[start:end, chosen].any(axis=1))
                if deciding.size == 0:
                    continue
                first = start + int(deciding[0])
                for rule in rules:
                    plan = self._trail.plan.copy()
                    plan[first:end, chosen] = rule
                    if plan.tobytes() not in self._tried:
                        self._tried.add(plan.tobytes())
                        yield plan, first, end

    def _stretches(self) -> Iterator[tuple[int, int, range]]:
        """First step, last, and the rules to try there: what may gain much before what may gain little."""
        nr_steps, choices = self._forks.nr_steps, range(self._nr_choices)
        others = range(self._nr_choices, len(self._forks.rules))
        lengths = [nr_steps >> halvings for halvings in range(nr_steps.bit_length())]
        long = [length for length in lengths if length >= nr_steps / TAILS_PER_EPISODE]
        for length in long:
            for start in _starts(nr_steps, length):
                yield start, nr_steps, choices
                yield start, min(start + length, nr_steps), choices
        for length in long:
            for start in _starts(nr_steps, length):
                yield start, nr_steps, others
        for length in lengths[len(long) :]:
            for start in _starts(nr_steps, length):
                yield start, min(start + length, nr_steps), choices


def _without_worse(
    given: Sequence[tuple[str, np.ndarray]], known_s: Mapping[str, float]
) -> list[tuple[str, np.ndarray]]:
    """Of the plans whose cost is known, the best alone: one of each that may be so."""
    least_s = min((known_s[name] for name, _ in given if name in known_s), default=0.0)
    found, seen = [], set()
    for name, plan in given:
        cost_s = known_s.get(name)
        if cost_s is None or (cost_s <= (1 + SAME_RATIO) * least_s and cost_s not in seen):
            found.append((name, plan))
            seen.add(cost_s)
    return found


def _starts(nr_steps: int, length: int) -> range:
    return range(0, nr_steps, max(length // 2, 1))
