"""`reclaim validate kernel` and `reclaim calibrate`: their options."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import AsJson
from .cli import RECORDED

validate_app = typer.Typer(help="Where the model's verdict and a real machine's agree.")

Runs = Annotated[
    Path | None, typer.Option("--runs", help="Run folder, or folder of recorded runs.", show_default=False)
]


@validate_app.command("kernel")
def validate_kernel(
    runs: Runs = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Costs by `reclaim calibrate`; only the other runs are compared.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the scenarios of kernel runs in the model too, and compare: signs between rules, and ratios."""
    from .. import progress
    from . import calibrate, compare_model, kernel_runs, validation_table

    costs = None if calibration is None else calibrate.read(calibration)
    found = kernel_runs.load(runs or RECORDED)
    left = found if costs is None else calibrate.others(costs, found)
    cases = compare_model.cases(left)
    with progress.bar(sum(len(case.runs) for case in cases), "episodes") as advance:
        result = compare_model.compare(cases, advance, costs.apply if costs else None)
    if as_json:
        sys.stdout.write(json.dumps(result.as_json(), allow_nan=False) + "\n")
        return
    failed = sum(run.why_failed is not None for run in left)
    sys.stdout.write(validation_table.render(result, failed, costs.words if costs else None))


def calibrate_kernel(
    runs: Annotated[
        Path, typer.Option("--from", help="Run folder, or folder of recorded runs.", show_default=False)
    ] = RECORDED,
    out: Annotated[Path | None, typer.Option(help="File to write; stdout if left out.")] = None,
) -> None:
    """Fit the model's costs to the first repeats of kernel runs; the others are left to compare with."""
    from .. import progress
    from . import calibrate, calibrate_misses, kernel_runs

    chosen = calibrate.first_repeats(kernel_runs.load(runs))
    fitted = calibrate.calibrate(chosen)
    with progress.bar(calibrate_misses.NR_TRIALS, "trials") as advance:
        fitted = calibrate_misses.with_misses(fitted, chosen, advance)
    for field, why in fitted.not_identified.items():
        progress.say(f"{field}: left as it is: {why}")
    if out is None:
        sys.stdout.write(json.dumps(fitted.as_json(), indent=2, allow_nan=False) + "\n")
        return
    fitted.write(out)
    progress.say(f"Calibration: {out}")
