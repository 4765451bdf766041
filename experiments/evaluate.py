"""Episodes of one scenario under one rule or agent: measured seed by seed, the first one also over time."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from reclaim_env import reward as costs
from reclaim_env.model.kernel import is_compiled
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from .contender import Contender
from .identity import Setting, usable_cpus
from .metrics import measure
from .results import BASELINES
from .series import Recorder, Series

FIRST_SEED = 1_000_000  # training draws its seeds from below


@dataclass(frozen=True)
class Episodes:
    metrics: dict[str, np.ndarray]  # name -> (seeds,)
    series: Series  # of the first seed


def evaluation_seeds(nr_seeds: int) -> list[int]:
    return list(range(FIRST_SEED, FIRST_SEED + nr_seeds))


def evaluate(
    scenario: Scenario,
    contender: Contender,
    seeds: Sequence[int],
    setting: Setting,
    on_step: Callable[[], None] = lambda: None,
) -> Episodes:
    """Every seed is a row of one vector env, run to its end; a row does not depend on the others."""
    with closing(_env([scenario], contender, len(seeds), setting)) as env:
        observation, _ = env.reset(seed=list(seeds))
        recorder = Recorder(env.records[0])

        def sample() -> None:
            recorder.sample(env.records[0])
            on_step()

        _play(env, contender, observation, sample)
        terms = cost_terms_s(env.records, env.weights)
        metrics = measure(env.records, scenario.cgroup_names, scenario.workload_names, terms)
        return Episodes(metrics, recorder.series())


def evaluate_each(
    scenarios: Sequence[Scenario],
    contender: Contender,
    seeds: Sequence[int],
    setting: Setting,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, np.ndarray]:
    """One episode of each scenario with its own seed: metric of the whole machine -> (scenarios,).

    The scenarios have as many nodes and episodes as long as each other.
    """
    with closing(_env(scenarios, contender, len(seeds), setting)) as env:
        observation, _ = env.reset(seed=list(seeds))
        _play(env, contender, observation, on_step)
        found = measure(env.records, (), (), cost_terms_s(env.records, env.weights))
        return {name: values for name, values in found.items() if "/" not in name}


def _env(
    scenarios: Sequence[Scenario], contender: Contender, nr_rows: int, setting: Setting
) -> ReclaimVectorEnv:
    setting.check_clock(scenarios)
    return ReclaimVectorEnv(
        num_envs=nr_rows,
        scenario=scenarios,
        kernel=setting.kernel,
        reward=setting.weights,
        control_ms=setting.control_ms,
        episode_s=scenarios[0].duration_s,
        rule=contender.rule,
        threads=min(usable_cpus(), nr_rows),
        **contender.env_arguments,
    )


def at_the_start(
    scenario: Scenario, setting: Setting, seed: int, rule: str | None = None
) -> ReclaimVectorEnv:
    """One machine whose episode has begun."""
    setting.check_clock([scenario])
    env = ReclaimVectorEnv(
        1,
        scenario=scenario,
        kernel=setting.kernel,
        reward=setting.weights,
        control_ms=setting.control_ms,
        episode_s=scenario.duration_s,
        rule=rule,
    )
    env.reset(seed=[seed])
    return env


def compile_model(scenario: Scenario, progress: Callable[[str, int], None]) -> None:
    """Takes the time of the first step now, under its own name, if no earlier process has."""
    if not is_compiled():
        progress("compiling the model, once per version: a minute or two", 0)
        env = ReclaimVectorEnv(1, scenario, rule=BASELINES[0])
        env.reset(seed=0)
        env.step(no_action(env))


def no_action(env: ReclaimVectorEnv) -> np.ndarray:
    """What a kernel rule ignores."""
    return np.zeros((env.num_envs, *(env.single_action_space.shape or ())), np.int8)


def nr_steps(scenario: Scenario, setting: Setting) -> int:
    """Decisions of an episode; a ValueError where they do not fit into it."""
    setting.check_clock([scenario])
    return round(scenario.duration_s * 1000 / setting.control_ms)


def cost_terms_s(records: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted lost seconds of whole episodes by term, by the reward's own formula: they sum to cost_s."""
    lost_s, _ = costs.episode_cost(records, weights)
    return dict(zip(costs.COST_TERMS, (lost_s * weights).T, strict=True))


def _play(
    env: ReclaimVectorEnv, contender: Contender, observation: np.ndarray, on_step: Callable[[], None]
) -> None:
    act, truncated = actor(contender, env), np.zeros(env.num_envs, bool)
    while not truncated.all():
        observation, _, _, truncated, _ = env.step(act(observation))
        on_step()


def actor(contender: Contender, env: ReclaimVectorEnv) -> Callable[[np.ndarray], np.ndarray]:
    """Observations of all rows -> their actions, from the episodes' start on; what it remembers it keeps."""
    agent = contender.agent
    if agent is None:
        nothing = no_action(env)  # the model evaluates the rule itself
        return lambda observation: nothing
    state: tuple[Any, ...] | None = None

    def act(observation: np.ndarray) -> np.ndarray:
        nonlocal state
        actions, state = agent.predict(observation, state)
        return actions

    return act
