"""`reclaim scenario`: its options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

scenario_app = typer.Typer(help="Scenarios: the bundled ones, and new ones from a real machine.")


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
