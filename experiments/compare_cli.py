"""`reclaim compare` and `reclaim sensitivity`: their options."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, Scenarios

DEFAULT_SCENARIOS = ("incident", "dead_kswapd")

Kernel = Annotated[
    str,
    typer.Option(
        help="Kernel preset: every writer of kswapd_failures but the progress rule; one of them alone as in "
        "'7.0?counts_boosted_runs=1'."
    ),
]
Weights = Annotated[str, typer.Option(help="Cost weights: a preset of the reward.")]


def compare(
    scenario: Scenarios = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME[?PARAMETER=VALUE&...] or all; left out: those of kernels, and the package's agent."
        ),
    ] = None,
    agent: Annotated[list[Path] | None, typer.Option(help="File of a trained agent.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100_000, help="Paired seeds.")] = 32,
    weights: Weights = "default",
    kernel: Kernel = "7.0",
    out: Annotated[
        Path | None,
        typer.Option(help="Run folder; an interrupted run is gone on with, a finished one may grow."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare rules and agents on the same seeds: the reviewer's table, a ledger and a report."""
    from . import compare as comparison
    from . import progress
    from .command_line import flags
    from .contender import contenders
    from .overlap import not_trained_on, refuse_overlap
    from .reporting import report, tables, tensorboard
    from .run_folder import RunFolder

    names = scenario or list(DEFAULT_SCENARIOS)
    setting, loaded = _checked(kernel, weights, names)
    words = flags(
        scenario=names, rule=rule or (), agent=agent or (), seeds=[seeds], weights=[weights], kernel=[kernel]
    )
    command = shlex.join(["reclaim", "compare", *words])
    chosen = contenders(rule or (), agent or (), kernel)
    for contender in chosen:
        if agent and contender.agent:
            refuse_overlap(contender, names)
    request = comparison.Request(loaded, not_trained_on(chosen, names), seeds, setting, command)
    folder = RunFolder.open(out)
    with progress.bar(request.nr_env_steps, "env steps") as advance:
        results = comparison.run(request, folder, advance)
    text = tables.render(results)
    tensorboard.write(folder.path / "tb", results)
    folder.write_reports(text, report.render(results))
    sys.stdout.write(json.dumps(results.as_json(), allow_nan=False) + "\n" if as_json else text)
    progress.say(f"Report: {folder.report}")


def sensitivity(
    scenario: Annotated[str, typer.Argument(help="ID|FILE")] = "incident",
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="Paired seeds of each point.")] = 4,
    points: Annotated[int, typer.Option(min=2, max=100, help="Points from low to high.")] = 5,
    weights: Weights = "default",
    kernel: Kernel = "7.0",
    as_json: AsJson = False,
) -> None:
    """Sweep every assumed number of a scenario: where the verdict holds, and where it flips."""
    from . import progress
    from . import sensitivity as sweeping

    setting, (loaded,) = _checked(kernel, weights, [scenario])
    with progress.bar(len(loaded.assumed), "numbers") as advance:
        sweeps = sweeping.sweep(loaded, setting, seeds, points, advance)
    if as_json:
        sys.stdout.write(json.dumps(sweeping.as_json(loaded, sweeps), allow_nan=False) + "\n")
    else:
        sys.stdout.write(sweeping.render(loaded, sweeps, seeds))


def _checked(kernel: str, weights: str, names: list[str]) -> tuple:
    """The setting and the scenarios, refused here if they are wrong and not when a rule's turn comes."""
    from reclaim_env.scenario import load_all

    from .identity import Setting

    setting = Setting(kernel=kernel, weights=weights)
    loaded = tuple(load_all(names))
    setting.check_clock(loaded)
    taken = [one.name for one in loaded]
    for name in taken:
        if taken.count(name) > 1:
            raise ValueError(f"--scenario: found {name} {taken.count(name)} times, wanted names that differ")
    return setting, loaded
