"""Smaller scenario files that still show the same: tables, fields, digits and time taken away one by one."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from reclaim_env.scenario import Scenario, ScenarioError, parse

Tables = dict[str, Any]
Reduction = tuple  # its name: a path, and what becomes of it

SHORTEST_S = 5.0
PER_NODE = ("initial_mib", "inactive_mib", "active_mib")
NEEDED = ("name", "source", "seed", "duration_s")


def shrunk(scenario: Scenario, still_shows: Callable[[Scenario], bool]) -> Scenario:
    """The last of a row of ever smaller scenarios that all show it; none of its own reductions does."""
    tables, tried = tables_of(scenario), set()
    is_smaller = True
    while is_smaller:  # what did not work may, once the rest is smaller
        is_smaller = False
        while found := _next(tables, tried, still_shows):
            scenario, tables, is_smaller = found, tables_of(found), True
        tried.clear()
    return scenario


def _next(tables: Tables, tried: set[Reduction], still_shows: Callable[[Scenario], bool]) -> Scenario | None:
    """The first reduction not tried yet that shows it still."""
    for reduction, smaller in reductions(tables):
        if reduction in tried:
            continue
        tried.add(reduction)
        found = _parsed(smaller)
        if found is not None and size(tables_of(found)) < size(tables) and still_shows(found):
            return found
    return None


def tables_of(scenario: Scenario) -> Tables:
    """As a file would have it: without what is as by default."""
    return scenario.model_dump(mode="json", exclude_defaults=True)


def size(tables: Tables) -> tuple[float, int, int]:
    """Time, fields and characters: what is filled in where it was taken away makes nothing smaller."""
    return tables.get("duration_s", 60.0), len(list(_places(tables))), len(json.dumps(tables))


def _parsed(tables: Tables) -> Scenario | None:
    try:
        return parse(tables)
    except ScenarioError:
        return None


def reductions(tables: Tables) -> Iterator[tuple[Reduction, Tables]]:
    """What is taken away, and the rest, the largest steps first; not all that is left are scenarios."""
    for nid in range(len(tables["node"])):
        yield ("node and its tasks", nid), _without_node(tables, nid)
    duration_s = tables.get("duration_s", 60.0)
    if duration_s > SHORTEST_S:
        shorter_s = max(round(duration_s / 2, 1), SHORTEST_S)
        yield ("duration_s", shorter_s), {**tables, "duration_s": shorter_s}
    for table in tables.get("cgroup", ()):
        yield ("cgroup", table["name"]), _without_cgroup(tables, table["name"])
    places = sorted(_places(tables), key=lambda place: len(place[0]))
    for path, value in places:
        if path[-1] not in NEEDED and (isinstance(path[-1], str) or isinstance(value, dict)):
            yield path, _without(tables, path)
    for path, value in places:
        if isinstance(value, int | float) and not isinstance(value, bool) and path[-1] not in NEEDED:
            for number in _rounder(value):
                yield (*path, number), _with(tables, path, number)


def _places(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """(path, value) of everything in the tables."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        here = (*path, key)
        yield here, inner
        if isinstance(inner, dict | list):
            yield from _places(inner, here)


def _rounder(value: float) -> Iterator[float]:
    """The number with one digit, and with two, if that is fewer than it has."""
    for digits in (1, 2):
        short = float(f"{value:.{digits}g}")
        if short != value:
            yield int(short) if isinstance(value, int) else short


def _without(tables: Tables, path: tuple) -> Tables:
    smaller = copy.deepcopy(tables)
    inner = smaller
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return smaller


def _with(tables: Tables, path: tuple, value: float) -> Tables:
    other = copy.deepcopy(tables)
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return other


def _without_cgroup(tables: Tables, name: str) -> Tables:
    """Its workloads go to the root."""
    smaller = copy.deepcopy(tables)
    smaller["cgroup"] = [one for one in smaller["cgroup"] if one["name"] != name]
    for workload in _workloads(smaller):
        if workload.get("cgroup") == name:
            del workload["cgroup"]
    return smaller


def _without_node(tables: Tables, nid: int) -> Tables:
    """Nor the workloads that run there."""
    smaller = copy.deepcopy(tables)
    del smaller["node"][nid]
    for kind in ("anon", "reader", "stream", "atomic"):
        smaller[kind] = [one for one in smaller.get(kind, ()) if one["cpu_node"] != nid]
    for table in (*_workloads(smaller), *(file for one in smaller["reader"] for file in one.get("file", ()))):
        for name in PER_NODE:
            if name in table:
                del table[name][nid]
        if "cpu_node" in table:
            table["cpu_node"] -= table["cpu_node"] > nid
        if "nodes" in table:
            table["nodes"] = [other - (other > nid) for other in table["nodes"] if other != nid]
    left = [one["node"] for one in smaller.get("hopeless", ()) if one["node"] != nid]
    smaller["hopeless"] = [{"node": other - (other > nid)} for other in left]
    return smaller


def _workloads(tables: Tables) -> list[Tables]:
    return [one for kind in ("anon", "reader", "stream", "atomic") for one in tables.get(kind, ())]
