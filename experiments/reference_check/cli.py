"""`reclaim validate reference`: its options."""

import json
import sys
from typing import Annotated

import typer


def validate_reference(
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", help="ID|FILE, under two rules; the standard variants if left out."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Seeds of each side.")] = 4,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")
    ] = False,
) -> None:
    """Hold the fast model against a simulator of single pages, window by window."""
    from .. import progress
    from . import compare, table, variants

    chosen = variants.named(scenario) if scenario else variants.standard()
    with progress.bar(len(chosen), "variants") as advance:
        advance("compiling both simulators, if this version is new: some minutes", 0)
        found = compare.compare(chosen, seeds, advance)
    sys.stdout.write(json.dumps(found.as_json(), allow_nan=False) + "\n" if as_json else table.render(found))
