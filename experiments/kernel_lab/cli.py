"""`reclaim kernel build`, `run`, `report` and `export`: their options."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

kernel_app = typer.Typer(help="The kernel lab: the same scenario on a real kernel in a virtual machine.")

RECORDED = Path(__file__).parent.parent / "results" / "kernel"
SCENARIOS = Path(__file__).parent / "scenarios"


@kernel_app.command("build")
def build_kernel(
    source: Annotated[
        Path | None,
        typer.Option(metavar="TARBALL|DIR", help="Linux 6.12 source; the distribution's if left out."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Compilers side by side.")] = os.cpu_count() or 1,
) -> None:
    """Build the lab's kernel in the cache folder; what is built already stays."""
    from .build import build

    build(source, jobs)


@kernel_app.command("run")
def run_kernel(
    scenario: Annotated[
        list[str],
        typer.Option(metavar="ID|FILE", help="A scenario of the lab, or any file the guest can do."),
    ],
    rule: Annotated[
        list[str] | None, typer.Option(help="Kernel rule; the four main ones if left out.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=1000, help="Boots of each scenario and rule.")] = 5,
    kernel: Annotated[
        str,
        typer.Option(
            metavar="6.12|6.18",
            help="6.12, or the same build with the free-path reset of 6.18 switched on: "
            "the only difference between the two that the model's presets know.",
        ),
    ] = "6.12",
    accel: Annotated[
        str, typer.Option(metavar="auto|kvm|tcg", help="auto tries kvm by a boot, and falls back to tcg.")
    ] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --out; what it holds is kept.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Run folder.", show_default=False)] = None,
) -> None:
    """Boot the lab's kernel on scenarios under reset rules: a ledger and a report as of `reclaim compare`.

    Every repeat of a rule is a boot of its own. A boot that hangs or panics is ended at its deadline and
    recorded with its reason; Ctrl-C loses the boot under way and nothing else.
    """
    from .. import progress
    from ..command_line import flags
    from . import accel as accelerator
    from . import outcome, run
    from .build import image

    loaded = tuple(_load(name) for name in scenario)
    rules = run.rules_of(rule or run.MAIN_RULES)
    words = flags(
        scenario=scenario, rule=[one.name for one in rules], repeats=[repeats], kernel=[kernel], accel=[accel]
    )
    command = shlex.join(["reclaim", "kernel", "run", *words])
    run.check(loaded, kernel)
    folder = run.open_folder(out, resume)
    request = run.Request(loaded, rules, repeats, kernel, accelerator.choose(accel, image()), command)
    with progress.bar(request.nr_boots, "boots") as advance:
        run.run(request, folder, advance)
    sys.stdout.write(outcome.report(folder, command))
    progress.say(f"Report: {folder.report}")


@kernel_app.command("export")
def export_runs(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Run folders of `reclaim kernel run`.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for two Parquet files; the recorded runs' if left out.", show_default=False
        ),
    ] = RECORDED,
) -> None:
    """Write the boots of run folders as Parquet, from which tables are made without QEMU."""
    from ..progress import say
    from . import records

    say(f"{records.export(runs, out)} boots: {out}")


@kernel_app.command("report")
def report_runs(
    runs: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder, finished or not.")],
) -> None:
    """Measure the boots of a run folder from their logs, and write its report anew."""
    from ..run_folder import RunFolder
    from . import outcome
    from .boot_ledger import KIND

    folder = RunFolder.of_run(runs, KIND)
    sys.stdout.write(outcome.report(folder, shlex.join(["reclaim", "kernel", "report", runs.name])))


def _load(name: str):
    """The lab's own scenarios go by their ids too."""
    from reclaim_env.scenario import load

    own = SCENARIOS / f"{name}.toml"
    return load(own if "/" not in name and own.is_file() else name)
