"""`reclaim map`, `reclaim weights`, `reclaim falsify`: their options."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_BASE, DEFAULT_X, DEFAULT_Y = "trap_or_trove/alone", "cold_ratio", "device"

Rules = Annotated[list[str] | None, typer.Option("--rule", help="Kernel rule; the usual ones if left out.")]
Weights = Annotated[str, typer.Option(help="Cost weights: a preset of the reward.")]
Kernel = Annotated[str, typer.Option(help="Kernel preset.")]
Out = Annotated[Path | None, typer.Option(help="Run folder; one of an interrupted run is gone on with.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


def map_rules(
    x: Annotated[
        str, typer.Argument(help="NAME or NAME=LOW..HIGH: a family's parameter, or a scenario's path")
    ] = DEFAULT_X,
    y: Annotated[str, typer.Argument(help="The same, upwards")] = DEFAULT_Y,
    on: Annotated[
        str, typer.Option(help="ID|FILE|FAMILY/NAME: what is varied; unnamed numbers stay in the middle.")
    ] = DEFAULT_BASE,
    rule: Rules = None,
    points: Annotated[int, typer.Option(min=2, max=40, help="Points along each axis.")] = 8,
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="Paired seeds of each point.")] = 8,
    weights: Weights = "default",
    kernel: Kernel = "7.0",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Map which rule is cheapest over two numbers, by how much, and where the winner changes.

    The default asks for the file cache over the gap between the watermarks, against the price of a refault.
    """
    from .. import progress
    from ..contender import contenders
    from ..identity import Setting
    from ..ledger import Ledger
    from ..run_folder import RunFolder
    from . import rule_map
    from .axes import Base

    base, setting = Base(on), Setting(kernel=kernel, weights=weights)
    sides = base.axis(x), base.axis(y)
    question = rule_map.Question(base, *sides, points, contenders(rule or (), ()), seeds, setting)
    total = rule_map.nr_env_steps(question)
    folder = RunFolder.open(out, "map")
    folder.write_manifest({"command": _command(), **rule_map.manifest(question)})
    with Ledger(folder.ledger) as ledger, progress.bar(total, "env steps") as advance:
        found = rule_map.draw(question, ledger, advance)
    text = rule_map.render(found)
    folder.write_text("map.txt", text)
    sys.stdout.write(json.dumps(rule_map.as_json(found), allow_nan=False) + "\n" if as_json else text)
    progress.say(f"Run folder: {folder.path}")


def _command() -> str:
    """As it was typed, files by their bare names: a manifest tells nobody's folders."""
    return shlex.join(["reclaim", *(_without_folders(word) for word in sys.argv[1:])])


def _without_folders(word: str) -> str:
    option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{equals}{Path(value).name}" if Path(value).exists() else word
