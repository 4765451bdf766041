"""Episodes of bundled scenarios on the real model, each played once a session."""

from functools import cache

from experiments.contender import of_rule
from experiments.evaluate import Episodes, evaluate, evaluation_seeds
from experiments.identity import Setting
from reclaim_env.scenario import load

NR_SEEDS = 8


@cache
def episodes(scenario: str, rule: str, nr_seeds: int = NR_SEEDS, kernel: str = "7.0") -> Episodes:
    return evaluate(load(scenario), of_rule(rule), evaluation_seeds(nr_seeds), Setting(kernel=kernel))


def mean(scenario: str, rule: str, metric: str, kernel: str = "7.0") -> float:
    return float(episodes(scenario, rule, kernel=kernel).metrics[metric].mean())


def always(scenario: str, rule: str, metric: str, kernel: str = "7.0") -> bool:
    """Is a 0-or-1 metric 1 in every episode?"""
    return bool((episodes(scenario, rule, kernel=kernel).metrics[metric] == 1).all())
