"""`reclaim bench`: its options."""

import json
import sys
from typing import Any

import typer

from ..options import AsJson

bench_app = typer.Typer()


@bench_app.callback(invoke_without_command=True)
def bench(context: typer.Context, as_json: AsJson = False) -> None:
    """Time the environment: steps by batch size and threads, start-up, memory, growth with size."""
    if context.invoked_subcommand is None:
        from . import run as timing

        _time(timing, as_json)


@bench_app.command("train")
def bench_train(as_json: AsJson = False) -> None:
    """Time PPO from end to end, beside PPO on an env that costs nothing."""
    from . import train as timing

    _time(timing, as_json)


def _time(timing: Any, as_json: bool) -> None:
    from .. import progress

    with progress.bar(timing.NR_PARTS, "parts") as advance:
        found = timing.run(advance)
    sys.stdout.write(json.dumps(found, allow_nan=False) + "\n" if as_json else timing.render(found))
