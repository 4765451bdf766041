"""`reclaim validate reference`: its options."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import AsJson


def validate_reference(
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            help="A standard variant's name, or ID|FILE under two rules; all standard ones if left out.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Seeds of each side.")] = 4,
    draw: Annotated[int, typer.Option(min=0, help="The integer random machines are drawn from.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder of finished episodes; an interrupted run is gone on with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold the fast model against a simulator of single pages, window by window."""
    from .. import progress
    from ..run_folder import RunFolder
    from . import compare, table, variants
    from .kept import Kept

    chosen = variants.named(scenario, draw) if scenario else variants.standard(draw)
    kept = None
    if out:
        folder = RunFolder.open(out, "validate-reference")
        folder.write_manifest(
            {"kind": "validate-reference", "seeds": seeds, "draw": draw, "scenarios": scenario or []}
        )
        kept = Kept(folder.path)
    with progress.bar(len(chosen) * seeds, "episodes") as advance:
        found = compare.compare(chosen, seeds, advance, kept, None if scenario else draw)
    sys.stdout.write(json.dumps(found.as_json(), allow_nan=False) + "\n" if as_json else table.render(found))
