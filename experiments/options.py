"""Options that several commands have."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
Scenarios = Annotated[
    list[str] | None, typer.Option("--scenario", help="ID|FILE|family/name#seed", show_default=False)
]
