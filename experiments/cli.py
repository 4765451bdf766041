"""The command `reclaim`: its options. What is slow to import is imported by the command that needs it."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .benchmark.cli import evaluate, families
from .kernel_lab.cli import kernel_app
from .kernel_lab.validate_cli import calibrate_kernel, validate_app
from .questions.cli import falsify, foresight, map_rules, weigh
from .reference_check.cli import validate_reference
from .run_cli import report, validate_results
from .views_cli import picture, watch
from .vmstat.cli import export_app, import_app

app = typer.Typer(
    help="Which rule should reset kswapd_failures? A model of Linux reclaim, its rules and agents, compared.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
scenario_app = typer.Typer(help="Scenarios: the bundled ones, and new ones from a real machine.")
app.add_typer(scenario_app, name="scenario")
app.add_typer(kernel_app, name="kernel")
bench_app = typer.Typer()
app.add_typer(bench_app, name="bench")
app.add_typer(import_app, name="import")
app.add_typer(export_app, name="export")
app.add_typer(validate_app, name="validate")
app.command("calibrate")(calibrate_kernel)
app.command("evaluate")(evaluate)
app.command("families")(families)
app.command("watch")(watch)
app.command("picture")(picture)
validate_app.command("reference")(validate_reference)
validate_app.command("results")(validate_results)
app.command("report")(report)
app.command("map")(map_rules)
app.command("weights")(weigh)
app.command("falsify")(falsify)
app.command("foresight")(foresight)

DEFAULT_SCENARIOS = ("incident", "dead_kswapd")

Scenarios = Annotated[
    list[str] | None, typer.Option("--scenario", help="ID|FILE|family/name#seed", show_default=False)
]
Kernel = Annotated[
    str,
    typer.Option(
        help="Kernel preset: every writer of kswapd_failures but the progress rule; one of them alone as in "
        "'7.0?counts_boosted_runs=1'."
    ),
]
Weights = Annotated[str, typer.Option(help="Cost weights: a preset of the reward.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


@app.command()
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


@app.command()
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


@app.command()
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
    from . import progress
    from .command_line import flags
    from .training import train as training
    from .training.train_config import read_config

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


@import_app.command("sb3")
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
    from .command_line import flags
    from .progress import say
    from .training.foreign_model import convert
    from .training.train_config import config_of

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


@app.command()
def tune(
    config: Annotated[Path, typer.Option(help="TOML file of a run, with a table [search.FIELD] per range.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials, those of a resumed search included.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    silent_s: Annotated[float, typer.Option(min=1, help="A trial silent for so long has failed.")] = 1800,
    out: Annotated[Path | None, typer.Option(help="New folder.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a search to go on with.")] = None,
) -> None:
    """Search for settings of a training run by its validation; prints the best as TOML."""
    from . import progress
    from .training import tune as tuning
    from .training.tune_config import read_tune_config

    asked = read_tune_config(config)
    folder = tuning.open_folder(out, resume)
    with progress.bar(trials, "trials") as advance:
        best = tuning.run(asked, folder, trials, seed, silent_s, advance)
    sys.stdout.write(tuning.render(best))


@bench_app.callback(invoke_without_command=True)
def bench(context: typer.Context, as_json: AsJson = False) -> None:
    """Time the environment: steps by batch size and threads, start-up, memory, growth with size."""
    if context.invoked_subcommand is None:
        from .bench import run as timing

        _time(timing, as_json)


@bench_app.command("train")
def bench_train(as_json: AsJson = False) -> None:
    """Time PPO from end to end, beside PPO on an env that costs nothing."""
    from .bench import train as timing

    _time(timing, as_json)


def _time(timing: Any, as_json: bool) -> None:
    from . import progress

    with progress.bar(timing.NR_PARTS, "parts") as advance:
        found = timing.run(advance)
    sys.stdout.write(json.dumps(found, allow_nan=False) + "\n" if as_json else timing.render(found))


@app.command()
def rules() -> None:
    """List the rules: what they do, where they come from, what a kernel would have to know to run them."""
    from .rule_list import render

    sys.stdout.write(render())


@scenario_app.command("list")
def list_scenarios() -> None:
    """List the bundled scenarios."""
    from reclaim_env.scenario import bundled_ids, load

    from .reporting.tables import paragraph

    for name in bundled_ids():
        description = " ".join(load(name).description.split())
        sys.stdout.write("\n".join([name, *paragraph(description, indent="    ")]) + "\n")


@scenario_app.command("show")
def show_scenario(scenario: Annotated[str, typer.Argument(help="ID|FILE")]) -> None:
    """Print a scenario as it was understood, as JSON, every default filled in."""
    from reclaim_env.scenario import load

    sys.stdout.write(load(scenario).model_dump_json(indent=2) + "\n")


@scenario_app.command("from-numastat")
def from_numastat(
    table: Annotated[Path, typer.Argument(metavar="FILE", help="What `numastat -m` printed.")],
    out: Annotated[
        Path | None, typer.Option(help="Scenario file to write; FILE with .toml if left out.")
    ] = None,
) -> None:
    """Write a scenario from the table of a real machine."""
    from reclaim_env.numastat import from_numastat as write

    from .progress import say

    target = out or Path(table.with_suffix(".toml").name)
    write(table, target)
    say(f"Scenario: {target}")


@scenario_app.command("capture")
def capture_host(
    out: Annotated[Path, typer.Option(help="New scenario file; its name is the scenario's.")] = Path(
        "captured.toml"
    ),
    seconds: Annotated[
        float, typer.Option(min=0, max=86_400, help="From the first reading of the counters to the second.")
    ] = 10,
    names: Annotated[bool, typer.Option(help="Keep the names of cgroups.")] = False,
    root: Annotated[Path, typer.Option(help="Where the host's /proc and /sys lie.")] = Path("/"),
) -> None:
    """Write a scenario from this host: its nodes, limits and rates, each beside the file it was read from."""
    from .capture.capture import capture
    from .progress import say

    host = capture(out, seconds, root, names)
    for file, why in host.unread.items():
        say(f"Not read: {file}: {why}")
    say(f"Scenario: {out}; now: reclaim compare --scenario {out}")


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


# By version, typer carries a click of its own or imports one: the ancestor of usage errors is found by name.
USAGE_ERRORS: Any = tuple(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main() -> None:
    """Bad input: one line and 2. Ctrl-C: 130. What was finished is in the ledger either way."""
    try:
        command = typer.main.get_command(app)
        code = command.main(sys.argv[1:] or ["--help"], prog_name="reclaim", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except USAGE_ERRORS as error:
        _refuse(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ValueError as error:
        _refuse(str(error))
    except OSError as error:  # a full or failing disk: what is in the ledger stays
        sys.exit(f"reclaim: {error.strerror}: {error.filename or 'output'}")


def _refuse(message: str) -> None:
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    sys.stderr.write(f"reclaim: {line}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
