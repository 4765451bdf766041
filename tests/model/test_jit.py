"""The compiled model is the plain one, bit for bit: numba reads the sources as Python does."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reclaim_env.action import install_rule
from reclaim_env.boot import boot
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.presets import KERNELS
from reclaim_env.reset_rules import RULES
from tests.model.machines import machine
from tests.model.plain import as_records
from tests.model.stories import stories
from tests.toys import lively


def assert_equal_futures(model, machines: np.ndarray, nr_ticks: int) -> None:
    twin = machines.copy()
    start_episode(machines[0])
    step_rows(machines, np.int64(nr_ticks))
    model.tick.start_episode(as_records(twin)[0])
    model.tick.step_rows(as_records(twin), nr_ticks)
    assert different_fields(machines[0], twin[0]) == []


def different_fields(one: np.void, other: np.void, path: str = "") -> list[str]:
    """Paths of what differs, to the bit."""
    if one.dtype.names is None:
        return [] if one.tobytes() == other.tobytes() else [f"{path}: {one} {other}"]
    return [d for name in one.dtype.names for d in different_fields(one[name], other[name], f"{path}.{name}")]


@pytest.mark.parametrize("rule", ["always", "balanced", "random"])
def test_a_lively_machine_has_one_future(model, rule):
    machines = boot(lively(), "7.0")
    install_rule(machines, rule)
    machines["seed"] = 11
    assert_equal_futures(model, machines, 50)
    assert machines["node"]["vmstat"]["progress"].sum() > 20


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # plain Python is too slow to shrink in
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories(), rule=st.sampled_from(sorted(RULES)), kernel=st.sampled_from(sorted(KERNELS)))
def test_any_machine_has_one_future(model, story, rule, kernel):
    assert_equal_futures(model, machine(rule, 5, kernel, **story), 15)
