"""The oracle's episodes, measured as a rule's are: a ceiling beside every rule, on the same seeds.

It has searched with the future in sight, so it is no rule: a rule or an agent does not cost less on the same
seed, as far as it is among what the search was given, and no plan of its choices less than `bound_s`.
"""

from agents.forks import Forks
from agents.oracle import search
from reclaim_env.reward import weights_of
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from .evaluate import cost_terms_s
from .identity import Setting
from .metrics import measure

NAME = "oracle"


def oracle_metrics(
    scenario: Scenario, setting: Setting, budget_episodes: float, seed: int
) -> dict[str, float]:
    """Metrics of the whole machine, with `bound_s`, and `is_exact` 1 where every plan was tried."""
    env = at_the_start(scenario, setting, seed)
    found = search(env, budget_episodes=budget_episodes)
    forks = Forks(env, 0, found.rules)
    *_, end = forks.replay(found.plan)
    metrics = measure(end, (), (), cost_terms_s(end, weights_of(setting.weights)))
    whole = {name: float(values[0]) for name, values in metrics.items() if "/" not in name}
    return {**whole, "bound_s": found.bound_s, "is_exact": float(found.is_exact)}


def at_the_start(scenario: Scenario, setting: Setting, seed: int) -> ReclaimVectorEnv:
    """One machine whose episode has begun."""
    env = ReclaimVectorEnv(
        1,
        scenario=scenario,
        kernel=setting.kernel,
        reward=setting.weights,
        control_ms=setting.control_ms,
        episode_s=scenario.duration_s,
    )
    env.reset(seed=[seed])
    return env
