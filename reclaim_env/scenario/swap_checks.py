"""What must hold between tables where anonymous memory can be swapped out or demoted."""

from typing import TYPE_CHECKING

from reclaim_env.scenario.fields import wrong

if TYPE_CHECKING:
    from reclaim_env.scenario.scenario import Scenario


def check_anon_lists(scenario: "Scenario") -> None:
    """Raises at the first rule that is broken."""
    _check_tiers(scenario)
    _check_switches(scenario)
    for anon in scenario.anon:
        if scenario.has_anon_lists and not anon.heat:
            wanted = "how hot its pages are, as they can be swapped out or demoted"
            raise wrong(f"anon.{anon.name}.heat", "nothing", wanted)


def _check_tiers(scenario: "Scenario") -> None:
    """Each node demotes to another one, and never round in a ring."""
    targets = [node.demotes_to for node in scenario.node]
    for nid, target in enumerate(targets):
        seen = {nid}
        while target is not None:
            if target >= len(targets) or target in seen:
                wanted = f"another of this machine's nodes 0..{len(targets) - 1}, and no ring"
                raise wrong(f"node.{nid}.demotes_to", targets[nid], wanted)
            seen.add(target)
            target = targets[target]


def _check_switches(scenario: "Scenario") -> None:
    """What is switched exists."""
    for index, event in enumerate(scenario.event):
        if event.kind == "swapon" and (scenario.swap is None or scenario.swap.on):
            found = "no [swap]" if scenario.swap is None else "swap.on = true"
            raise wrong(f"event.{index}.kind", f"swapon with {found}", "[swap] with on = false")
        if event.kind.startswith("demotion") and all(node.demotes_to is None for node in scenario.node):
            raise wrong(f"event.{index}.kind", event.kind, "a node with demotes_to")
    switched_on = any(event.kind == "swapon" for event in scenario.event)
    if scenario.swap is not None and not scenario.swap.on and not switched_on:
        raise wrong("swap.on", False, "true, or an event swapon")
