"""The path of one plan through an episode: where it can be left, and what leaving it brings."""

import math
from dataclasses import dataclass

import numpy as np

from agents.forks import Forks, same_future

MAX_KEPT = 600  # records kept along a path: 100 MB
COMPARED_EVERY = 10  # steps


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
        record, step = forks.start.copy(), 0
        if before is not None:
            step = first // self._stride * self._stride
            nr_same = step // self._stride + 1
            self._kept[:nr_same], self.decides[:step] = before._kept[:nr_same], before.decides[:step]
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
            self._kept[step // self._stride] = record[0]

    def at(self, step: int) -> np.ndarray:
        """(1,) copy of the machine at a step."""
        place = step // self._stride
        record = self._kept[place : place + 1].copy()
        self._forks.drive(record, self.plan, place * self._stride, step)
        return record

    def attempt(self, plan: np.ndarray, first: int, after: int) -> Attempt:
        """Drives a plan that differs from this trail's between the steps `first` and `after` only.

        Given up as soon as it has cost as much as the whole trail, or has come back to it.
        """
        record, step = self.at(first), first
        while step < self._forks.nr_steps:
            until = min((step // self._compared + 1) * self._compared, self._forks.nr_steps)
            self._forks.drive(record, plan, step, until)
            step = until
            if self._forks.cost_s(record) >= self.cost_s or (step >= after and self._is_back(record, step)):
                return Attempt(plan, first, math.inf, step - first)
        return Attempt(plan, first, self._forks.cost_s(record), step - first)

    @property
    def _compared(self) -> int:
        return COMPARED_EVERY * self._stride

    def _is_back(self, record: np.ndarray, step: int) -> bool:
        place, left = divmod(step, self._stride)
        return left == 0 and same_future(record, self._kept[place : place + 1])
