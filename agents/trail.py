"""The path of one plan through an episode: where it can be left, and what leaving it brings."""

import math
from dataclasses import dataclass

import numpy as np

from agents.forks import Forks
from reclaim_env.copies import copied, put

MAX_KEPT = 150  # records kept along a path: 25 MB
COMPARED_STEPS = 10  # at least, from one look whether to go on to the next


@dataclass(frozen=True)
class Attempt:
    """Another plan tried: what it cost (infinite: given up as no cheaper), and the steps that took."""

    plan: np.ndarray
    first: int  # the step at which it leaves the path
    cost_s: float
    steps: int


class Trail:
    """`decides` is (steps, nodes): whether the rule of that step and node can make a difference there."""

    def __init__(self, forks: Forks, plan: np.ndarray, before: "Trail | None" = None, first: int = 0):
        """`before`: a trail that is the same up to step `first`."""
        self._forks, self.plan = forks, plan
        self._stride = math.ceil(forks.nr_steps / MAX_KEPT)
        self._kept = np.zeros(forks.nr_steps // self._stride + 1, forks.start.dtype)
        self.decides = np.zeros(plan.shape, np.bool_)
        self.steps = 0  # it took to lay this trail, probes included
        record, step = copied(forks.start), 0
        if before is not None:
            step = first // self._stride * self._stride
            nr_same = step // self._stride + 1
            put(self._kept[:nr_same], before._kept[:nr_same])
            self.decides[:step] = before.decides[:step]
            record = self.at(step)
        self._lay(record, step)
        self.cost_s = forks.cost_s(record)

    def _lay(self, record: np.ndarray, first: int) -> None:
        for step in range(first, self._forks.nr_steps):
            self._keep(record, step)
            self.decides[step] = self._forks.decides(record)
            self._forks.drive(record, self.plan, step, step + 1)
            self.steps += 2
        self._keep(record, self._forks.nr_steps)

    def _keep(self, record: np.ndarray, step: int) -> None:
        if step % self._stride == 0:
            place = step // self._stride
            put(self._kept[place : place + 1], record)

    def at(self, step: int) -> np.ndarray:
        """(1,) copy of the machine at a step."""
        place = step // self._stride
        record = copied(self._kept[place : place + 1])
        self._forks.drive(record, self.plan, place * self._stride, step)
        return record

    def attempt(self, plan: np.ndarray, first: int, after: int) -> Attempt:
        """Drives a plan that differs from this trail's between the steps `first` and `after` only.

        Given up as soon as it has cost as much as the whole trail, or has come back to it.
        """
        record, step = self.at(first), first
        period = math.ceil(COMPARED_STEPS / self._stride) * self._stride
        while step < self._forks.nr_steps:
            until = min((step // period + 1) * period, self._forks.nr_steps)
            self._forks.drive(record, plan, step, until)
            step = until
            if self._forks.cost_s(record) >= self.cost_s or (step >= after and self._is_back(record, step)):
                return Attempt(plan, first, math.inf, step - first)
        return Attempt(plan, first, self._forks.cost_s(record), step - first)

    def _is_back(self, record: np.ndarray, step: int) -> bool:
        place, left = divmod(step, self._stride)
        if left:
            return False
        return self._forks.future_key(record) == self._forks.future_key(self._kept[place : place + 1])
