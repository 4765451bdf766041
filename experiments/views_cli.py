"""`reclaim watch`, `reclaim picture`, `reclaim rules`: rules, and an episode under several, looked at."""

import sys
from pathlib import Path
from typing import Annotated

import typer

Scenario = Annotated[str, typer.Option(help="ID|FILE|family/name#seed")]
Rules = Annotated[list[str] | None, typer.Option(help="always and balanced if left out.", show_default=False)]
Kernel = Annotated[str, typer.Option(help="Kernel preset.")]


def watch(
    scenario: Scenario = "incident",
    rule: Rules = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 1_000_000,
    speed: Annotated[float, typer.Option(min=0.01, max=1e6, help="Simulated seconds in a second.")] = 2,
    kernel: Kernel = "7.0",
) -> None:
    """Play an episode under several rules side by side; printed every 5 s where stdout is no terminal."""
    from rich.console import Console

    from reclaim_env.scenario import load

    from . import watch as watching
    from .identity import Setting

    setting, names = Setting(kernel=kernel), _names(rule)
    watching.play(watching.machines(load(scenario), names, seed, setting), Console(), speed)


def picture(
    out: Annotated[Path, typer.Option(help="New PNG file.")],
    scenario: Scenario = "incident",
    rule: Rules = None,
    kernel: Kernel = "7.0",
) -> None:
    """Draw an episode under several rules side by side: free memory, kswapd, what bystanders read back."""
    from reclaim_env.scenario import load

    from . import picture as drawing
    from . import progress
    from .evaluate import nr_steps
    from .identity import Setting
    from .wording import visible

    if out.exists():
        raise ValueError(f"--out: {visible(str(out))}: found a file of that name, wanted a new file")
    setting, loaded, names = Setting(kernel=kernel), load(scenario), _names(rule)
    with progress.bar(nr_steps(loaded, setting) * len(names), "env steps") as advance:
        drawing.draw(loaded, names, setting, out, lambda: advance(loaded.name, 1))
    progress.say(f"Picture: {out}")


def rules() -> None:
    """List the rules: what they do, where they come from, what a kernel would have to know to run them."""
    from .rule_list import render

    sys.stdout.write(render())


def _names(rules: list[str] | None) -> list[str]:
    """Own names of those asked for, each once; the two that everything is compared with if none is."""
    from .contender import of_rule
    from .results import BASELINES

    return list(dict.fromkeys(of_rule(name).name for name in rules or BASELINES))
