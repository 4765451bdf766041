"""The ordinary machine with one more part each: what a part of the model costs where it is used."""

from collections.abc import Callable

from reclaim_env.scenario import Scenario, parse

from .machine import STREAM_MIB, machine

SWAP = {"mib": 1e6, "latency_us": 80, "bandwidth_mib_per_s": 4768, "iops_per_s": 800_000}
HEATS = [{"touch_per_s": 100, "active_ratio": 1}, {"touch_per_s": 0.01}]
GROWTH_S, GROWTH_MIB = 1000.0, 100_000.0


def ordinary() -> Scenario:
    return machine(2, 4, 6, "ordinary")


def _with_heats(scenario: Scenario) -> dict:
    tables = scenario.model_dump()
    return {**tables, "anon": [{**task, "heat": HEATS} for task in tables["anon"]]}


def _swappable() -> dict:
    """The container has no swap, so that it reclaims at its memory.high as often as without."""
    tables = _with_heats(ordinary())
    container, *others = tables["cgroup"]
    return {**tables, "cgroup": [{**container, "memory_swap_max_mib": 0}, *others], "swap": SWAP}


def with_swap() -> Scenario:
    """Swap that hardly anything goes to: the stream's pages are there to be reclaimed."""
    return parse(_swappable())


def swapping() -> Scenario:
    """Hogs in the place of the stream that grow by 100 MiB/s on every node: as much is written to swap."""
    tables = _swappable()
    for task in tables["anon"][1:]:
        task["initial_mib"] = [mib and mib + STREAM_MIB for mib in task["initial_mib"]]
        held_mib = sum(task["initial_mib"])
        task["schedule"] = [[0, held_mib], [GROWTH_S, held_mib + GROWTH_MIB]]
    return parse({**tables, "stream": []})


def demoting() -> Scenario:
    """Node 0 moves what it reclaims to node 1."""
    tables = _with_heats(ordinary())
    return parse({**tables, "node": [{**tables["node"][0], "demotes_to": 1}, *tables["node"][1:]]})


def _each_node(**fields: float) -> Scenario:
    tables = ordinary().model_dump()
    return parse({**tables, "node": [{**node, **fields} for node in tables["node"]]})


def boosting() -> Scenario:
    """Five watermark boosts a second on every node."""
    return _each_node(boosts_per_s=5.0)


def with_slab() -> Scenario:
    """Kswapd shrinks slab as well as lists."""
    return _each_node(slab_mib_per_s=5.0)


def ballooning() -> Scenario:
    """A balloon that waits for pages that min does not let it have."""
    request = {"at_s": 0.0, "kind": "inflate", "node": 0, "mib": 1e6}
    return parse({**ordinary().model_dump(), "hotplug": [request]})


def watched() -> Scenario:
    """A killer that looks at the pressure and never strikes."""
    return parse({**ordinary().model_dump(), "oomd": {}})


PARTS: dict[str, Callable[[], Scenario]] = {
    "ordinary": ordinary,
    "swap, hardly used": with_swap,
    "swapping 200 MiB/s": swapping,
    "demotion to node 1": demoting,
    "5 boosts/s": boosting,
    "slab, 5 MiB/s": with_slab,
    "a hungry balloon": ballooning,
    "oomd": watched,
}
