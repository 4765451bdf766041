"""Agents by name. An agent registers where it is written; tests walk the registry."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from agents.base import Agent
from reclaim_env.reset_rules import rule_of
from reclaim_env.scenario import Scenario

Factory = Callable[[Scenario, bool], Agent]


@dataclass(frozen=True)
class Entry:
    source: str
    doc: str
    factory: Factory  # of the scenario, and whether there is a bit per source of progress


_AGENTS: dict[str, Entry] = {}


def register(name: str, source: str, doc: str) -> Callable[[Factory], Factory]:
    """Decorates the function that makes the agent."""

    def enter(factory: Factory) -> Factory:
        if name in _AGENTS:
            raise ValueError(f"agent: {name!r} is registered already, from {_AGENTS[name].source}")
        _AGENTS[name] = Entry(source, doc, factory)
        return factory

    return enter


def names() -> tuple[str, ...]:
    """In the order of registration."""
    _load()
    return tuple(_AGENTS)


def entry(name: str) -> Entry:
    """Source and description of an agent; a wrong name is an error with a suggestion."""
    _load()
    if name not in _AGENTS:
        close = difflib.get_close_matches(name, _AGENTS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"agent: found {name!r}, wanted one of {', '.join(_AGENTS)}{hint}")
    return _AGENTS[name]


def make_agent(name: str, scenario: Scenario, sources: bool = False) -> Agent:
    """An agent by its name; a rule's may carry parameters, as in `threshold?runs=4`."""
    if "?" in name:
        from agents.rules import rule_agent

        return rule_agent(rule_of(name), scenario, sources)
    return entry(name).factory(scenario, sources)


def _load() -> None:
    """Modules register their agents when they are imported."""
    import agents.rules  # noqa: F401
