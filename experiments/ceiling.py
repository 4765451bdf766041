"""The oracle's episodes, measured as a rule's are: a ceiling beside every rule, on the same seeds.

It has searched with the future in sight, so it is no rule; no rule or agent on the same seed costs less than
`cost_s`, as far as they are among what it was given, and no plan of its choices less than `oracle_bound_s`.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from agents.forks import Forks
from agents.lookahead import play
from agents.oracle import BUDGET_EPISODES, Found, search
from reclaim_env.reward import weights_of
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from .evaluate import Episodes, cost_terms_s
from .identity import Setting, usable_cpus
from .metrics import measure
from .series import Recorder, Series

NAME = "oracle"
UNSEEING_NAME = "lookahead"


def identity(budget_episodes: float) -> str:
    """What its numbers depend on besides the sources, for row_key()."""
    return f"{NAME}, {budget_episodes:g} episodes"


def oracle_episodes(
    scenario: Scenario,
    seeds: Sequence[int],
    setting: Setting,
    budget_episodes: float = BUDGET_EPISODES,
    on_seed: Callable[[], None] = lambda: None,
) -> Episodes:
    """A search for every seed, one after the other, each on all cores.

    Its metrics are a rule's, with `oracle_bound_s`, and `oracle_is_exact` 1 where every plan was enumerated.
    """
    found = []
    for env in _machines(scenario, seeds, setting):
        found.append(search(env, budget_episodes=budget_episodes, threads=usable_cpus()))
        on_seed()
    return _measured(scenario, seeds, setting, found)


def unseeing_costs_s(
    scenario: Scenario, seeds: Sequence[int], setting: Setting, on_seed: Callable[[], None] = lambda: None
) -> np.ndarray:
    """(seeds,): the cost of a search without sight of the future. Slow: hundreds of episodes a seed."""
    costs = []
    for env in _machines(scenario, seeds, setting):
        costs.append(play(env, threads=usable_cpus()).cost_s)
        on_seed()
    return np.array(costs)


def _machines(scenario: Scenario, seeds: Sequence[int], setting: Setting) -> Iterator[ReclaimVectorEnv]:
    """A machine at the start of each seed's episode."""
    env = ReclaimVectorEnv(
        1,
        scenario=scenario,
        kernel=setting.kernel,
        reward=setting.weights,
        control_ms=setting.control_ms,
        episode_s=scenario.duration_s,
    )
    for seed in seeds:
        env.reset(seed=[seed])
        yield env


def _measured(scenario: Scenario, seeds: Sequence[int], setting: Setting, found: Sequence[Found]) -> Episodes:
    """Replays what was found: its counters at the end, and the first seed over time."""
    played = [
        _replayed(Forks(env, 0, one.rules), one.plan)
        for env, one in zip(_machines(scenario, seeds, setting), found, strict=True)
    ]
    records = np.concatenate([end for end, _ in played])
    terms = cost_terms_s(records, weights_of(setting.weights))
    metrics = measure(records, scenario.cgroup_names, scenario.workload_names, terms)
    metrics["oracle_bound_s"] = np.array([one.bound_s for one in found])
    metrics["oracle_is_exact"] = np.array([float(one.is_exact) for one in found])
    return Episodes(metrics, played[0][1])


def _replayed(forks: Forks, plan: np.ndarray) -> tuple[np.ndarray, Series]:
    """The machine, (1,), at the end, and the episode over time."""
    recorder = Recorder(forks.start[0])
    record = forks.start
    for step, record in enumerate(forks.replay(plan)):
        if step > 0:
            recorder.sample(record[0])
    return record, recorder.series()
