"""Searched episodes, measured as a rule's are: two ceilings beside every rule, on the same seeds.

The oracle has searched with the future in sight, so it is no rule: a rule or an agent does not cost less on
the same seed, as far as it is among what the search was given, and no plan of its choices less than
`bound_s`. The unseeing search decides by means over futures drawn anew: what it saves, a rule could. The
clearing search is the same without the rules that do more than clear the count or keep it: what it saves, an
agent could.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from agents.forks import Forks
from agents.lookahead import play
from agents.oracle import search
from reclaim_env.reset_rules import RULES, ResetRule
from reclaim_env.reward import weights_of
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from .evaluate import at_the_start, cost_terms_s
from .identity import Setting
from .metrics import measure

SEARCHES = ORACLE, UNSEEING, CLEARING = "oracle", "unseeing", "clearing"
RULES_OF_SEARCH = {
    UNSEEING: tuple(RULES),
    CLEARING: tuple(name for name, rule in RULES.items() if rule.only_clears),
}


def oracle_metrics(
    scenario: Scenario,
    setting: Setting,
    budget_episodes: float,
    seed: int,
    known_s: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Metrics of the whole machine, with `bound_s`, and `is_exact` 1 where every plan was tried.

    known_s: what rules cost in this episode, if that is known: it saves time and changes nothing.
    """
    env = at_the_start(scenario, setting, seed)
    found = search(env, budget_episodes=budget_episodes, known_s=known_s or {})
    whole = _metrics_of_plan(env, setting, found.rules, found.plan)
    return {**whole, "bound_s": found.bound_s, "is_exact": float(found.is_exact)}


def unseeing_metrics(name: str, scenario: Scenario, setting: Setting, seed: int) -> dict[str, float]:
    """Metrics of the whole machine; name: UNSEEING or CLEARING."""
    env = at_the_start(scenario, setting, seed)
    played = play(env, rules=RULES_OF_SEARCH[name])
    return _metrics_of_plan(env, setting, played.rules, played.plan)


def _metrics_of_plan(
    env: ReclaimVectorEnv, setting: Setting, rules: Sequence[ResetRule], plan: np.ndarray
) -> dict[str, float]:
    *_, end = Forks(env, 0, rules).replay(plan)
    metrics = measure(end, (), (), cost_terms_s(end, weights_of(setting.weights)))
    return {name: float(values[0]) for name, values in metrics.items() if "/" not in name}
