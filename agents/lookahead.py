"""The search that must not see the future: it decides by means over futures drawn anew, and plays the real.

It knows the machine to the last page and its tasks' schedules, and nothing of the dice still to be cast. So
it stands between any rule, which sees less, and the oracle, which sees all: what the oracle is better by is
what foresight is worth.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.forks import Forks
from agents.futures import costs_s, resampled
from agents.oracle import CHOICES
from reclaim_env.copies import copied
from reclaim_env.reset_rules import RULES, ResetRule, rule_of

NR_FUTURES = 4
HOLD_STEPS = 20  # between two decisions: 2 s at the default interval
NR_TAILS = 3  # rules, the best of all at the start, that a plan may end with


@dataclass(frozen=True)
class Played:
    """`plan` is (steps left, nodes) of indices into `rules`; the cost is that of the whole episode."""

    plan: np.ndarray
    rules: tuple[ResetRule, ...]
    cost_s: float


def play(
    env: Any,
    row: int = 0,
    rules: Sequence[str] = tuple(RULES),
    nr_futures: int = NR_FUTURES,
    hold_steps: int = HOLD_STEPS,
    threads: int = 1,
) -> Played:
    """Plays the rest of a row's episode, on a fork: at every decision the plan that is best in the mean.

    A plan is one of the rules from now on; or one of oracle.CHOICES until the next decision, on one node or
    all, and then the rule in force. The same for any number of threads.
    """
    choices = [RULES[name] for name in CHOICES]
    named = [rule for rule in map(rule_of, rules) if rule not in choices]
    forks = Forks(env, row, (*choices, *named))
    with ThreadPoolExecutor(threads, thread_name_prefix="lookahead") as pool:
        player = _Player(forks, nr_futures, hold_steps, pool)
        plan, cost_s = player.play()
    return Played(plan, forks.rules, cost_s)


class _Player:
    def __init__(self, forks: Forks, nr_futures: int, hold_steps: int, pool: ThreadPoolExecutor):
        self._forks, self._hold_steps, self._pool = forks, hold_steps, pool
        self._futures = range(nr_futures)

    def play(self) -> tuple[np.ndarray, float]:
        """The plan played and its cost."""
        forks, record = self._forks, copied(self._forks.start)
        whole = [forks.constant(rule) for rule in range(len(forks.rules))]
        tails = np.argsort(self._mean_costs_s(record, whole, 0, forks.nr_steps), kind="stable")[:NR_TAILS]
        plan = forks.constant(int(tails[0]))
        for step in range(0, forks.nr_steps, self._hold_steps):
            until = min(step + self._hold_steps, forks.nr_steps)
            if self._decides(record, plan, step, until):
                plans = [plan, *self._others(plan, step, until, tails)]
                plan = plans[int(np.argmin(self._mean_costs_s(record, plans, step, until)))]
            forks.drive(record, plan, step, until)
        return plan, forks.cost_s(record)

    def _decides(self, record: np.ndarray, plan: np.ndarray, step: int, until: int) -> bool:
        """Whether any choice before the next decision can matter. Spares the search; it tells it nothing."""
        fork = copied(record)
        for at in range(step, until):
            if self._forks.decides(fork).any():
                return True
            self._forks.drive(fork, plan, at, at + 1)
        return False

    def _others(self, plan: np.ndarray, step: int, until: int, tails: np.ndarray) -> list[np.ndarray]:
        found = []
        for rule in tails:
            found.append(plan.copy())
            found[-1][step:] = rule
        for nodes in (slice(None), *([nid] for nid in range(self._forks.nr_nodes))):
            for rule in range(len(CHOICES)):
                found.append(plan.copy())
                found[-1][step:until, nodes] = rule
        return found

    def _mean_costs_s(
        self, record: np.ndarray, plans: Sequence[np.ndarray], step: int, until: int
    ) -> np.ndarray:
        """(plans,), over futures that are the same for all of them."""

        def in_future(number: int) -> np.ndarray:
            return costs_s(self._forks, resampled(record, number), plans, step, until)

        return np.mean(list(self._pool.map(in_future, self._futures)), axis=0)
