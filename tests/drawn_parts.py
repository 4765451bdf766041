"""The small machines of experiments/reference_check/drawn.py with more parts.

Swap, a lower tier, slab, memory that comes and goes, a killer in user space, and any rule there is: each of
them for some seeds, so that they meet. The page-exact simulator knows all but the
killer, and rules that are masks.
"""

from typing import Any

from experiments.reference_check.drawn import Dice, Drawn, draw
from reclaim_env.reset_rules import RULES
from reclaim_env.scenario import parse

OWN_SEEDS = 1 << 40  # the parts' dice are not those of the machine
RULE_NAMES = (*RULES, "threshold?runs=2", "timer?wait_s=0.1", "backoff?wait_s=0.05", "decrement?step=3")


def draw_with_parts(seed: int, nr_ticks: int = 80) -> Drawn:
    """draw(seed), and beside what it has some of the parts; the clock runs for nr_ticks ticks."""
    dice = Dice(seed + OWN_SEEDS)
    tick_ms = dice.one_of(10, 10, 50)  # the killer looks every second
    duration_s = nr_ticks * tick_ms / 1000
    drawn = draw(seed, duration_s)
    tables = {**drawn.scenario.model_dump(), "tick_ms": tick_ms}
    tables["swappiness"] = dice.one_of(60, 60, 0, 150, 200)
    tables["watermark_boost_factor"] = dice.one_of(15_000, 0)
    tables["node"] = [_with_slab(dice, node) for node in tables["node"]]
    if dice.often():
        tables |= {"swap": _swap(dice)}
        for cgroup in tables["cgroup"]:
            cgroup["memory_swap_max_mib"] = dice.one_of(None, None, 0.0, 3.0)
    if dice.often() and len(tables["node"]) > 1:
        tables["node"] = _tiers(dice, tables["node"])
        tables["demotion_enabled"] = dice.often()
    tables["event"] = [*tables["event"], *_switches(dice, tables, duration_s)]
    if dice.often():
        tables["hotplug"] = _hotplug(dice, len(tables["node"]), duration_s)
    if dice.one_of(True, False, False):
        tables["oomd"] = {"pressure_limit_ratio": dice.one_of(0.001, 0.1), "duration_s": 0.0}
    tables["anon"] = [task | {"heat": _heats(dice, duration_s)} for task in tables["anon"]]
    return Drawn(parse(tables), dice.one_of(*RULE_NAMES), drawn.kernel)


def draw_for_reference(seed: int, nr_ticks: int) -> Drawn:
    """The same without what the page-exact simulator refuses."""
    drawn = draw_with_parts(seed, nr_ticks)
    scenario = parse({**drawn.scenario.model_dump(), "oomd": None})
    return Drawn(scenario, draw(seed).rule, drawn.kernel)


def _with_slab(dice: Dice, node: dict) -> dict:
    """Slab takes the place of kernel memory, so that as much is free as before."""
    slab_mib = min(dice.one_of(0.0, 0.1, 20.0), node["kernel_mib"])
    growth = {"slab_mib_per_s": dice.one_of(0.0, 0.0, 3.0, 300.0)}
    return node | {"slab_mib": slab_mib, "kernel_mib": node["kernel_mib"] - slab_mib, **growth}


def _swap(dice: Dice) -> dict:
    compressed = {"page_cpu_us": dice.between(1, 10), "pool_ratio": dice.one_of(0.3, 1.0)}
    return {
        "mib": dice.one_of(0.5, 20.0, 400.0),
        "on": dice.one_of(True, True, False),
        "latency_us": dice.between(1, 8000),
        "bandwidth_mib_per_s": dice.one_of(20.0, 3000.0),
        "iops_per_s": dice.one_of(200.0, 400_000.0),
        "readahead_pages": dice.one_of(1, 8, 32),
        **(compressed if dice.often() else {}),
    }


def _tiers(dice: Dice, nodes: list[dict]) -> list[dict]:
    """Each node, or every second, demotes to the next; the last to none."""
    step = dice.one_of(1, 1, 2)
    return [
        node | {"demotes_to": nid + 1 if nid + 1 < len(nodes) and nid % step == 0 else None}
        for nid, node in enumerate(nodes)
    ]


def _switches(dice: Dice, tables: dict[str, Any], duration_s: float) -> list[dict]:
    kinds = []
    if tables.get("swap") and not tables["swap"]["on"]:
        kinds.append("swapon")
    if any(node["demotes_to"] is not None for node in tables["node"]):
        kinds += [kind for kind in ("demotion_on", "demotion_off") if dice.often()]
    return [{"kind": kind, "at_s": dice.between(0.05, 0.8) * duration_s} for kind in kinds]


def _hotplug(dice: Dice, nr_nodes: int, duration_s: float) -> list[dict]:
    return [
        {
            "kind": dice.one_of("online", "offline", "inflate", "deflate"),
            "at_s": dice.between(0.02, 0.9) * duration_s,
            "node": dice.below(nr_nodes),
            "mib": dice.one_of(1.0, 32.0, 128.0),
        }
        for _ in range(1 + dice.below(3))
    ]


def _heats(dice: Dice, duration_s: float) -> list[dict]:
    """How the parts of a task's memory are touched."""
    silence = {"on_s": duration_s / 8, "off_s": duration_s / 16}
    return [
        {
            "share": dice.one_of(0.1, 1.0),
            "touch_per_s": dice.one_of(0.0, 0.5, 20.0, 2000.0),
            "active_ratio": dice.one_of(0.0, 0.5, 1.0),
            **(silence if dice.one_of(True, False, False) else {}),
        }
        for _ in range(1 + dice.below(3))
    ]
