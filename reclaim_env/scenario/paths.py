"""Paths to numbers of a scenario, as [[assumed]] and errors write them: reader.web.file.0.mib.

A step is a key, a number, or the name of a table; `a|b` means both and `*` every table of a list. Such
a path names one number said several times, and changes all of them together.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reclaim_env.scenario.scenario import Scenario


def _keys(container: object, step: str) -> Iterator[Any]:
    """The keys a step of a path means: tables of a list go by name, else by number."""
    if isinstance(container, dict):
        yield from (word for word in step.split("|") if word in container)
    if not isinstance(container, list | tuple):
        return
    for word in step.split("|"):
        named = [index for index, item in enumerate(container) if _name(item) == word]
        if named or word == "*":
            yield from named or range(len(container))
        elif word.isdecimal() and int(word[:6]) < len(container):
            yield int(word)


def _name(item: object) -> object:
    return item.get("name") if isinstance(item, dict) else None


def _places(data: Any, path: str) -> list[tuple[Any, Any]]:
    """(container, key) of every number at the path; a field left out is none."""
    places: list[tuple[Any, Any]] = [((data,), 0)]
    for step in path.split("."):
        containers = [container[key] for container, key in places]
        places = [(container, key) for container in containers for key in _keys(container, step)]
    return [(container, key) for container, key in places if _is_number(container[key])]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_at(scenario: "Scenario", path: str) -> float | None:
    """The number, or None where the path leads to none or to numbers that differ."""
    values = {container[key] for container, key in _places(scenario.model_dump(), path)}
    return values.pop() if len(values) == 1 else None


def replaced(scenario: "Scenario", path: str, value: float) -> dict[str, Any]:
    """The scenario's tables with the number at a path changed (to a whole one, where it is whole)."""
    data = _lists(scenario.model_dump())
    for container, key in _places(data, path):
        container[key] = round(value) if isinstance(container[key], int) else value
    return data


def _lists(data: Any) -> Any:
    """Tuples as lists, so that one item can be changed."""
    if isinstance(data, dict):
        return {key: _lists(value) for key, value in data.items()}
    return [_lists(item) for item in data] if isinstance(data, list | tuple) else data
