"""What a supervised run plays to label it: visit by visit, all the members of its lessons in turn.

The first round visits the scenarios with each tail, every later one with the policy so far.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reclaim_env.scenario import Scenario

from .lessons import Lesson
from .train_config import SEEDS_OF_A_VISIT, SupervisedConfig

Member = tuple[Lesson, Scenario]


@dataclass(frozen=True)
class Visit:
    """Episodes in which the states that one agent meets are labelled."""

    members: tuple[Member, ...]  # of a whole group, in the order in which they are played
    nr_rows: int
    moments: tuple[int, ...]  # steps, in rising order, at which every node of every row is labelled
    seed: int


class Visits:
    """A run's, to one group of what it is taught: scenarios with as many nodes as each other."""

    def __init__(self, config: SupervisedConfig, group: Sequence[Member], nr_taught: int):
        first = group[0][1]
        self._config, self._group = config, group
        self._group_ratio, self._nr_nodes = len(group) / nr_taught, len(first.node)
        self._nr_rows = min(config.rows, len(group))
        self._episode_steps = round(first.duration_s * 1000 / config.setting.control_ms)
        self._moments_per_episode = min(config.labels_per_episode, self._episode_steps)

    def visit(self, number: int, index: int) -> Visit:
        """One of round `number`; it begins with the member after the last that the visit before it played."""
        begin = index * self._nr_played(number)
        for earlier in range(number):
            begin += self._nr_visits(earlier) * self._nr_played(earlier)
        begin %= len(self._group)
        seed = self._config.seed + SEEDS_OF_A_VISIT * (number * len(self._config.tails) + index)
        return Visit(
            members=(*self._group[begin:], *self._group[:begin]),
            nr_rows=self._nr_rows,
            moments=self._drawn(self._nr_moments(number), seed),
            seed=seed,
        )

    def _nr_visits(self, number: int) -> int:
        return 1 if number else len(self._config.tails)

    def _nr_moments(self, number: int) -> int:
        """Of each of the round's visits: enough for the group's share of the labels."""
        labels = max(self._config.steps // self._config.rounds // self._nr_visits(number), 1)
        of_group = max(round(labels * self._group_ratio), 1)
        return math.ceil(of_group / (self._nr_rows * self._nr_nodes))

    def _nr_played(self, number: int) -> int:
        return self._nr_rows * math.ceil(self._nr_moments(number) / self._moments_per_episode)

    def _drawn(self, nr_moments: int, seed: int) -> tuple[int, ...]:
        """As many of each episode; of the last what is left."""
        rng, moments = np.random.default_rng([seed, len(self._group)]), []
        for played in range(0, nr_moments, self._moments_per_episode):
            nr_drawn = min(self._moments_per_episode, nr_moments - played)
            drawn = rng.choice(self._episode_steps, nr_drawn, replace=False)
            begin = played // self._moments_per_episode * self._episode_steps
            moments += sorted((begin + drawn).tolist())
        return tuple(moments)
