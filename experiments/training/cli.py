"""`reclaim train`, `reclaim tune` and `reclaim import sb3`: their options."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import Scenarios


def train(
    algo: Annotated[
        str | None,
        typer.Option(
            help="ppo (if left out), recurrent_ppo, dqn, qrdqn, a2c or supervised.", show_default=False
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of a run; options win over it.")] = None,
    scenario: Scenarios = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Decisions of one node.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of weights and episodes.", show_default=False)
    ] = None,
    sources: Annotated[
        bool, typer.Option("--sources", help="Decide for each source of progress: a bit for each.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="New run folder.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Run folder to go on with.")] = None,
    weights: Annotated[str | None, typer.Option(help="Cost weights.", show_default=False)] = None,
    kernel: Annotated[str | None, typer.Option(help="Kernel preset.", show_default=False)] = None,
) -> None:
    """Train an agent beside the kernel's rules; `reclaim compare --agent` takes its file."""
    from .. import progress
    from ..command_line import flags
    from . import train as training
    from .train_config import read_config

    given = {"algo": algo, "steps": steps, "seed": seed, "weights": weights, "kernel": kernel}
    given["scenarios"] = tuple(scenario) if scenario else None
    options = {name: value for name, value in given.items() if value is not None}
    words = flags(**{name: [value] for name, value in options.items() if name != "scenarios"})
    words += flags(scenario=scenario or (), config=[config] if config else ())
    if sources:
        options["sources"], words = True, [*words, "--sources"]
    command = shlex.join(["reclaim", "train", *words])
    asked = (read_config(config) if config else {}) | options
    try:
        with progress.bar(training.planned_steps(asked, resume), "steps") as advance:
            folder = training.run(asked, out, resume, command, advance)
    except training.Interrupted as stop:
        progress.say(str(stop))
        raise typer.Exit(stop.exit_code) from None
    progress.say(f"Agent: {folder / training.AGENT_NAME}")


def tune(
    config: Annotated[Path, typer.Option(help="TOML file of a run, with a table [search.FIELD] per range.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials, those of a resumed search included.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    silent_s: Annotated[float, typer.Option(min=1, help="A trial silent for so long has failed.")] = 1800,
    out: Annotated[Path | None, typer.Option(help="New folder.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a search to go on with.")] = None,
) -> None:
    """Search for settings of a training run by its validation; prints the best as TOML."""
    from .. import progress
    from . import tune as tuning
    from .tune_config import read_tune_config

    asked = read_tune_config(config)
    folder = tuning.open_folder(out, resume)
    with progress.bar(trials, "trials") as advance:
        best = tuning.run(asked, folder, trials, seed, silent_s, advance)
    sys.stdout.write(tuning.render(best))


def import_sb3(
    archive: Annotated[
        Path, typer.Argument(metavar="FILE", help="What model.save() of stable-baselines3 wrote.")
    ],
    algo: Annotated[str, typer.Option(help="Its algorithm.")] = "ppo",
    hidden: Annotated[list[int] | None, typer.Option(help="Units of each hidden layer: 64 64.")] = None,
    foreign: Annotated[
        bool, typer.Option("--foreign", help="Read a file that is not of your own making.")
    ] = False,
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="What it was trained on: no evaluation will ask for that.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="New policy file; FILE with .safetensors if left out.")
    ] = None,
) -> None:
    """Take the weights of a model saved by stable-baselines3 as a policy file, for `compare --agent`.

    Only the weights are read: nothing in the archive is executed.
    """
    from ..command_line import flags
    from ..progress import say
    from .foreign_model import convert
    from .train_config import config_of

    if not foreign:
        raise ValueError(
            "import sb3: found a file from elsewhere, wanted --foreign to say that it may be read"
        )
    config = config_of({"algo": algo, **({"hidden": tuple(hidden)} if hidden else {})})
    target = out or Path(archive.with_suffix(".safetensors").name)
    words = flags(algo=[algo], hidden=hidden or (), scenario=scenario or ())
    command = shlex.join(["reclaim", "import", "sb3", archive.name, "--foreign", *words])
    convert(archive, config, command, target, scenario or ())
    say(f"Agent: {target}")
