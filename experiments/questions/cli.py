"""`reclaim map`, `reclaim weights`, `reclaim falsify`, `reclaim foresight`: their options."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..options import AsJson
from ..wording import slug

DEFAULT_SCENARIOS = ("incident", "dead_kswapd")
DEFAULT_BASE, DEFAULT_X, DEFAULT_Y = "trap_or_trove/alone", "cold_ratio", "device"

Rules = Annotated[list[str] | None, typer.Option("--rule", help="Kernel rule; the usual ones if left out.")]
Weights = Annotated[str, typer.Option(help="Cost weights: a preset of the reward.")]
Kernel = Annotated[str, typer.Option(help="Kernel preset.")]
Out = Annotated[Path | None, typer.Option(help="Run folder; one of an interrupted run is gone on with.")]


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
    from reclaim_env.reset_rules import KERNEL_RULES

    from .. import files, progress
    from ..command_line import as_typed
    from ..contender import contenders
    from ..identity import Setting
    from ..ledger import Ledger
    from ..run_folder import RunFolder
    from . import map_picture, rule_map
    from .axes import Base

    base, setting = Base(on), Setting(kernel=kernel, weights=weights)
    sides = base.axis(x), base.axis(y)
    question = rule_map.Question(base, *sides, points, contenders(rule or KERNEL_RULES, ()), seeds, setting)
    total = rule_map.nr_env_steps(question)
    folder = RunFolder.open(out, "map")
    folder.write_manifest({"command": as_typed(), **rule_map.manifest(question)})
    with Ledger(folder.ledger) as ledger, progress.bar(total, "env steps") as advance:
        found = rule_map.draw(question, ledger, advance)
    text = rule_map.render(found)
    folder.write_text("map.txt", text)
    files.write_bytes(folder.path / "map.png", map_picture.picture(found))
    sys.stdout.write(json.dumps(rule_map.as_json(found), allow_nan=False) + "\n" if as_json else text)
    progress.say(f"Run folder: {folder.path}")


def weigh(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Folder of a run: its rows are weighed.")
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="ID|FILE|FAMILY/NAME#0..15; without RUN.", show_default=False)
    ] = None,
    rule: Rules = None,
    seeds: Annotated[int, typer.Option(min=2, max=10_000, help="Paired seeds of a scenario.")] = 16,
    kernel: Kernel = "7.0",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show how the ranking moves with the weights of the cost: the Pareto front, and who wins under which.

    Every scenario or family alone, then all together.
    """
    from . import weighed, weighing

    found = weighed.of_run(run) if run else _weighed_now(scenario, rule, seeds, kernel, out)
    found += [weighed.together(found)] if len(found) > 1 else []
    if as_json:
        content = {"scenarios": {one.name: weighing.as_json(one) for one in found}}
        sys.stdout.write(json.dumps(content, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(weighing.render(one) for one in found))


def _weighed_now(
    scenario: list[str] | None, rule: list[str] | None, seeds: int, kernel: str, out: Path | None
) -> list[Any]:
    from reclaim_env.reset_rules import KERNEL_RULES

    from .. import progress
    from ..command_line import as_typed
    from ..contender import contenders
    from ..identity import Setting, provenance
    from ..ledger import Ledger
    from ..run_folder import RunFolder
    from . import weighed

    names, setting = scenario or list(DEFAULT_SCENARIOS), Setting(kernel=kernel)
    chosen = contenders(rule or KERNEL_RULES, ())
    total = weighed.nr_env_steps(names, len(chosen), seeds, setting)
    folder = RunFolder.open(out, "weights")
    folder.write_manifest({"kind": "weights", "command": as_typed(), **provenance(), **vars(setting)})
    with Ledger(folder.ledger) as ledger, progress.bar(total, "env steps") as advance:
        return weighed.of_scenarios(names, chosen, seeds, setting, ledger, advance)


def falsify(
    rule: Annotated[str, typer.Option(help="The rule that is put to the test.")],
    family: Annotated[
        list[str] | None, typer.Option(help="Family or FAMILY/NAME to search; all if left out.")
    ] = None,
    members: Annotated[int, typer.Option(min=1, max=1000, help="Members of each variant to try.")] = 4,
    weights: Weights = "default",
    kernel: Kernel = "7.0",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find a scenario in which a rule does worst against the oracle, and write the smallest that shows it.

    Members of the families are drawn, the worst is driven further within its ranges, and then whatever is
    not needed is taken away: tables, fields, digits, time. Minutes. The file goes to the run folder.
    """
    from reclaim_env.reset_rules import rule_of

    from .. import progress
    from ..command_line import as_typed
    from ..identity import Setting, provenance
    from ..ledger import Ledger
    from ..run_folder import RunFolder
    from . import falsify as falsifying

    chosen, setting = rule_of(rule), Setting(kernel=kernel, weights=weights)
    names = falsifying.members(family or (), members)
    folder = RunFolder.open(out, "falsify")
    folder.write_manifest({"kind": "falsify", "command": as_typed(), **provenance(), **vars(setting)})
    with Ledger(folder.ledger) as ledger, progress.bar(len(names), "regrets") as advance:
        found = falsifying.Falsifier(chosen, setting, ledger, advance).run(names)
    target = folder.path / f"worst-{slug(chosen.name)}.toml"
    falsifying.write(target, found, as_typed())
    content = json.dumps(falsifying.as_json(found), allow_nan=False) + "\n"
    sys.stdout.write(content if as_json else falsifying.render(found))
    progress.say(f"Scenario: {target}")


def foresight(
    scenario: Annotated[
        list[str] | None, typer.Option(help="ID|FILE|FAMILY/NAME#0..3", show_default=False)
    ] = None,
    rule: Rules = None,
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="Seeds of a scenario.")] = 4,
    budget: Annotated[float, typer.Option(min=1, help="Episodes the oracle may simulate.")] = 60,
    weights: Weights = "default",
    kernel: Kernel = "7.0",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Estimate how much of what the oracle saves it saves by seeing the future.

    Hundreds of episodes for each seed: seconds to minutes.
    """
    from reclaim_env.reset_rules import KERNEL_RULES

    from .. import progress
    from ..command_line import as_typed
    from ..contender import contenders
    from ..identity import Setting, provenance
    from ..ledger import Ledger
    from ..run_folder import RunFolder
    from . import foresight as looking

    names, setting = scenario or list(DEFAULT_SCENARIOS), Setting(kernel=kernel, weights=weights)
    folder = RunFolder.open(out, "foresight")
    folder.write_manifest({"kind": "foresight", "command": as_typed(), **provenance(), **vars(setting)})
    with Ledger(folder.ledger) as ledger, progress.bar(len(names) * seeds, "episodes") as advance:
        chosen = contenders(rule or KERNEL_RULES, ())
        found = looking.measure(names, chosen, seeds, setting, budget, ledger, advance)
    content = json.dumps(looking.as_json(found), allow_nan=False) + "\n"
    sys.stdout.write(content if as_json else looking.render(found))
