"""Paths to single numbers of a scenario, as [[assumed]] and errors write them: reader.web.file.0.mib."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reclaim_env.scenario import Scenario


def _key(container: object, step: str) -> Any:
    """The key or index a step of a path means: tables of a list go by name, else by number."""
    if isinstance(container, dict):
        return step if step in container else None
    if not isinstance(container, list | tuple):
        return None
    for index, item in enumerate(container):
        if isinstance(item, dict) and item.get("name") == step:
            return index
    return int(step) if step.isdecimal() and int(step[:6]) < len(container) else None


def _steps(data: Any, path: str) -> tuple[list[Any], Any]:
    """Keys down to a number, and the number; (keys, None) if there is none."""
    keys = []
    for step in path.split("."):
        key = _key(data, step)
        if key is None:
            return keys, None
        keys.append(key)
        data = data[key]
    is_number = isinstance(data, int | float) and not isinstance(data, bool)
    return keys, data if is_number else None


def value_at(scenario: "Scenario", path: str) -> float | None:
    """The number, or None where the path leads to none."""
    return _steps(scenario.model_dump(), path)[1]


def replaced(scenario: "Scenario", path: str, value: float) -> dict[str, Any]:
    """The scenario's tables with the number at a path changed (to a whole one, where it is whole)."""
    data = _lists(scenario.model_dump(exclude_unset=True))
    keys, old = _steps(data, path)
    if old is None:  # a default
        data = _lists(scenario.model_dump())
        keys, old = _steps(data, path)
    container = data
    for key in keys[:-1]:
        container = container[key]
    container[keys[-1]] = round(value) if isinstance(old, int) else value
    return data


def _lists(data: Any) -> Any:
    """Tuples as lists, so that one item can be changed."""
    if isinstance(data, dict):
        return {key: _lists(value) for key, value in data.items()}
    return [_lists(item) for item in data] if isinstance(data, list | tuple) else data
