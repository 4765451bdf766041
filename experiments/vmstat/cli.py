"""`reclaim import vmstat` and `reclaim export vmstat`: their options."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

import_app = typer.Typer(help="What a real machine recorded, brought into the same ledger.")
export_app = typer.Typer(help="What a simulated machine would record.")


@export_app.callback()
def _exporting() -> None:
    """Keeps `vmstat` a command of its own: the formats may become several."""


@import_app.command("vmstat")
def import_vmstat(
    source: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="Snapshots, as recorded below.")],
    out: Annotated[Path | None, typer.Option(help="Run folder.", show_default=False)] = None,
) -> None:
    """Measure snapshots of /proc/vmstat, zoneinfo and pressure: a ledger and a report.

    \b
    To record (any Linux from 5.0 on, no root):
        while sleep 1; do
            tail -n +1 /proc/uptime /proc/vmstat /proc/zoneinfo /proc/pressure/*
        done 2>/dev/null > snapshots.txt

    Each sample begins with /proc/uptime; any other file may be missing from all samples. DIR holds such
    files, or folders of one sample each with copies of the /proc files. Where the kernel is 7.0 or later,
    and trace-cmd may run, DIR/trace.txt also tells who cleared kswapd_failures:

    \b
        trace-cmd record -C boot -e vmscan:mm_vmscan_kswapd_reclaim_fail \\
            -e vmscan:mm_vmscan_kswapd_clear_hopeless
        trace-cmd report > DIR/trace.txt
    """
    from .. import progress
    from ..reporting import tensorboard
    from ..run_folder import RunFolder
    from . import importing, report
    from .snapshots import Recording

    recording = Recording(source)
    folder = RunFolder.open(out, importing.KIND)
    command = shlex.join(["reclaim", "import", "vmstat", source.name])
    with progress.bar(recording.size_kib(), "KiB") as advance:
        imported = importing.run(recording, folder, command, advance)
    text = report.render_text(imported)
    tensorboard.write_runs(folder.path / "tb", imported.found, nr_seeds=1)
    folder.write_reports(text, report.render_html(imported))
    sys.stdout.write(text)
    progress.say(f"Report: {folder.report}")


@export_app.command("vmstat")
def export_vmstat(
    out: Annotated[Path, typer.Option(help="New folder for snapshots.txt and trace.txt.")],
    scenario: Annotated[str, typer.Option(help="ID|FILE")] = "incident",
    rule: Annotated[str, typer.Option(help="Kernel rule.")] = "balanced",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 1_000_000,
    every_ms: Annotated[int, typer.Option(min=10, help="Time from sample to sample.")] = 100,
    kernel: Annotated[str, typer.Option(help="Kernel preset.")] = "7.0",
) -> None:
    """Run an episode and write what `reclaim import vmstat` reads: snapshots of /proc, and a trace."""
    from reclaim_env.scenario import load

    from .. import progress
    from ..contender import of_rule
    from ..identity import Setting
    from . import exporting

    setting, contender, loaded = Setting(kernel=kernel), of_rule(rule), load(scenario)
    with progress.bar(exporting.nr_ticks(loaded), "ticks") as advance:
        exporting.export(
            loaded,
            contender.name,
            setting.kernel,
            seed,
            every_ms,
            out,
            lambda: advance(f"{loaded.name}: {rule}", 1),
        )
    progress.say(f"Snapshots: {out}")
