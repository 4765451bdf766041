"""Episodes an agent does not learn from: the rules' once, the agent's now and then, on the same seeds."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from ..ceiling import ORACLE, oracle_metrics
from ..contender import Contender
from ..identity import Setting, usable_cpus
from ..metrics import tag
from ..results import BASELINES
from ..wording import slug
from .learner_tags import COST_RATIO, MEAN_REWARD, TRACKED
from .lessons import Lesson, episodes
from .train_config import RULE_SEEDS, VALIDATION_SEED

Measured = dict[str, dict[str, float]]  # lesson -> metric -> mean


class Validation:
    """The same episodes of each lesson in all runs: of its first scenarios, or of one with several seeds."""

    def __init__(self, lessons: Sequence[Lesson], setting: Setting, nr_episodes: int = RULE_SEEDS):
        self.names, self._setting = tuple(lesson.name for lesson in lessons), setting
        chosen = [(lesson.scenarios * nr_episodes)[:nr_episodes] for lesson in lessons]
        self.scenarios = [scenario for of_lesson in chosen for scenario in of_lesson]
        self._seeds = [VALIDATION_SEED + i for i in range(len(self.scenarios))]

    def measure(self, contender: Contender) -> Measured:
        """lesson -> metric of the whole machine -> mean over its episodes."""
        return self._by_lesson(episodes(self.scenarios, self._seeds, contender, self._setting))

    def measure_oracle(self, budget_episodes: float) -> Measured:
        """The same of what the oracle finds in a search of so many episodes for each."""
        with ThreadPoolExecutor(usable_cpus(), thread_name_prefix=ORACLE) as pool:
            searched = partial(oracle_metrics, setting=self._setting, budget_episodes=budget_episodes)
            each = list(pool.map(lambda one, seed: searched(one, seed=seed), self.scenarios, self._seeds))
        return self._by_lesson({name: np.array([one[name] for one in each]) for name in each[0]})

    def _by_lesson(self, found: Mapping[str, np.ndarray]) -> Measured:
        means = {name: values.reshape(len(self.names), -1).mean(axis=1) for name, values in found.items()}
        return {
            lesson: {name: float(values[index]) for name, values in means.items()}
            for index, lesson in enumerate(self.names)
        }


def usual_costs_s(measured: Mapping[str, Measured]) -> dict[str, float]:
    """Each lesson's mean cost under the worse of the two baselines; 1 where both cost nothing."""
    lessons = measured[BASELINES[0]]
    return {lesson: max(measured[rule][lesson]["cost_s"] for rule in BASELINES) or 1.0 for lesson in lessons}


def validation_points(measured: Measured, usual_cost_s: Mapping[str, float]) -> dict[str, float]:
    """TensorBoard tag -> value, for a rule's line and for a point of an agent's curve."""
    ratios = {lesson: found["cost_s"] / usual_cost_s[lesson] for lesson, found in measured.items()}
    points = {tag(name): _mean(measured, name) for name in TRACKED}
    points |= {f"{COST_RATIO}/{slug(lesson)}": value for lesson, value in ratios.items()}
    return points | {COST_RATIO: float(np.mean(list(ratios.values()))), MEAN_REWARD: -points[tag("cost_s")]}


def _mean(measured: Measured, name: str) -> float:
    return float(np.mean([found[name] for found in measured.values()]))
