"""The arguments of an environment, checked: a mistake is a ValueError that says what was found and wanted."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np

from reclaim_env.scenario import Scenario, load_all

ScenarioArg = str | PathLike[str] | Scenario
SEED_LIMIT = 2**64


def scenarios(scenario: ScenarioArg | Sequence[ScenarioArg]) -> list[Scenario]:
    """One or several, loaded. Rows of one batch share the shapes of their spaces and the length of a tick."""
    several = [scenario] if isinstance(scenario, (str, PathLike, Scenario)) else scenario
    if not isinstance(several, Sequence):
        raise ValueError(
            f"scenario: found {scenario!r}, wanted an id, a file, a Scenario, or a list of these"
        )
    loaded = [one for each in several for one in ([each] if isinstance(each, Scenario) else load_all([each]))]
    if not loaded:
        raise ValueError("scenario: found an empty list, wanted at least one")
    first = loaded[0]
    for other in loaded[1:]:
        if len(other.node) != len(first.node):
            found = f"{len(first.node)} nodes in {first.name} and {len(other.node)} in {other.name}"
            raise ValueError(f"scenario: found {found}, wanted as many in every scenario of a vector env")
        if other.tick_ms != first.tick_ms:
            found = f"tick_ms {first.tick_ms} in {first.name} and {other.tick_ms} in {other.name}"
            raise ValueError(f"scenario: found {found}, wanted the same in every scenario of a vector env")
    return loaded


def whole(name: str, value: float, unit: float, unit_name: str) -> int:
    """value / unit as a positive integer, or a ValueError."""
    if not isinstance(value, Real):
        raise ValueError(f"{name}: found {value!r}, wanted a number")
    times = round(value / unit) if math.isfinite(value) else 0
    if times < 1 or abs(times * unit - value) > 1e-9 * value:
        raise ValueError(f"{name}: found {value:g}, wanted a positive multiple of {unit_name}, {unit:g}")
    return times


def reset_mask(options: dict[str, Any] | None, num_envs: int) -> np.ndarray:
    """(num_envs,) bool: the rows to reset."""
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return np.ones(num_envs, np.bool_)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (num_envs,):
        raise ValueError(f"reset_mask: found {mask!r}, wanted a bool array of shape ({num_envs},)")
    if not mask.any():
        raise ValueError("reset_mask: found no row to reset, wanted at least one True")
    return mask


def seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """One for each row; an integer counts up."""
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, Integral):
        asked = [int(seed) + row for row in range(num_envs)]
    else:
        asked = list(seed) if np.iterable(seed) else [seed]
    if not all(one is None or (isinstance(one, Integral) and 0 <= one < SEED_LIMIT) for one in asked):
        raise ValueError(f"seed: found {seed!r}, wanted integers from 0 to 2**64 - 1")
    if len(asked) != num_envs:
        raise ValueError(f"seed: found {len(asked)} seeds, wanted one for each of {num_envs} rows")
    return [None if one is None else int(one) for one in asked]
