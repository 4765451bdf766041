"""What an agent loses by deciding once an interval and not at each progress event, as kernels do."""

import numpy as np
import pytest

from reclaim_env.scenario import bundled_ids
from reclaim_env.vector import ReclaimVectorEnv

SEED = 1_000_000


def cost_s(scenario: str, rule: str | None) -> float:
    """Of an episode; without a rule, of `balanced` as an agent plays it: is free memory above high now?"""
    env = ReclaimVectorEnv(1, scenario, rule=rule)
    free_over_low = [feature.name for feature in env.features].index("free_over_low_ratio")
    observation, _ = env.reset(seed=[SEED])
    lost_s, truncated = 0.0, np.zeros(1, bool)
    while not truncated.all():
        is_balanced = observation.reshape(1, env.num_nodes, -1)[..., free_over_low] > 1.0
        observation, reward, _, truncated, _ = env.step(is_balanced.astype(np.int8))
        lost_s -= reward[0]
    return lost_s


@pytest.mark.parametrize("scenario", bundled_ids())
def test_decided_once_an_interval_balanced_costs_what_it_does_at_the_event(scenario):
    assert cost_s(scenario, None) == pytest.approx(cost_s(scenario, "balanced"), rel=2e-3)
