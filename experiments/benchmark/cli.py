"""`reclaim evaluate` and `reclaim families`: their options."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import AsJson

Families = Annotated[
    list[str] | None, typer.Option("--family", help="FAMILY|family/name?param=value; all if left out.")
]
Prices = Annotated[
    list[str] | None, typer.Option(help="fixed, or varied: device, watermark gap, kswapd's CPU share.")
]
Rules = Annotated[list[str] | None, typer.Option(help="Rule; fifteen usual ones if left out.")]
Out = Annotated[Path | None, typer.Option(help="Run folder.")]


def evaluate(
    rule: Rules = None,
    agent: Annotated[list[Path] | None, typer.Option(help="File of a trained agent.")] = None,
    family: Families = None,
    split: Annotated[
        list[str] | None, typer.Option(help="train, validation, test or transfer; the last two if left out.")
    ] = None,
    prices: Prices = None,
    seeds: Annotated[int, typer.Option(min=2, max=100_000, help="Paired seeds: members of a family.")] = 64,
    oracle: Annotated[bool, typer.Option("--oracle", help="Search what each episode could cost at best.")] = (
        False
    ),
    oracle_seeds: Annotated[
        int | None, typer.Option(min=2, help="Search for so many of the seeds only.", show_default=False)
    ] = None,
    budget: Annotated[float, typer.Option(min=1, help="Episodes a search may simulate.")] = 100,
    weights: Annotated[str, typer.Option(help="Cost weights: a preset of the reward.")] = "default",
    kernel: Annotated[str, typer.Option(help="Kernel preset.")] = "7.0",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate rules and agents on families of scenarios: costs, scores and verdicts, family by family."""
    from .. import files, progress
    from ..command_line import as_typed
    from ..contender import contenders
    from ..identity import Setting
    from . import request as asking
    from . import run, tables

    splits, varied = split or asking.DEFAULT_SPLITS, prices or ["fixed"]
    request = asking.Request(
        asking.cases(family or (), splits, varied),
        contenders(rule or asking.DEFAULT_RULES, agent or ()),
        seeds,
        Setting(kernel=kernel, weights=weights),
        as_typed(),
        nr_oracle_seeds=min(oracle_seeds or seeds, seeds) if oracle else 0,
        budget_episodes=budget,
    )
    folder = _folder(out, "evaluate", resume)
    with progress.bar(request.nr_env_steps, "env steps") as advance:
        frame = run.run(request, folder, advance)
    text = tables.render(frame)
    files.write_text(folder.path / "report.txt", text)
    files.write_json(folder.path / "report.json", frame.as_json())
    sys.stdout.write(json.dumps(frame.as_json(), allow_nan=False) + "\n" if as_json else text)
    progress.say(f"Run: {folder.path}")


def families(
    family: Families = None,
    rule: Rules = None,
    prices: Prices = None,
    seeds: Annotated[int, typer.Option(min=4, max=100_000, help="Paired seeds of each rule.")] = 16,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure what there is to decide in each family: how often the bit matters, and what may be won."""
    from .. import progress
    from ..command_line import as_typed
    from ..contender import contenders
    from ..identity import Setting
    from . import admission, run, tables
    from . import request as asking

    request = asking.Request(
        asking.cases(family or (), ("train", "transfer"), prices or ["fixed"]),
        contenders(rule or asking.DEFAULT_RULES, ()),
        seeds,
        Setting(),
        as_typed(),
        kind="families",
    )
    folder = _folder(out, "families", resume)
    with progress.bar(request.nr_env_steps, "env steps") as advance:
        found = run.each_family(request, folder, admission.admit, advance)
    by_id = {case.label: found[case.stem] for case in request.cases}
    if as_json:
        content = {"families": {name: one.as_json() for name, one in by_id.items()}}
        sys.stdout.write(json.dumps(content, allow_nan=False) + "\n")
    else:
        sys.stdout.write(tables.render_admissions(by_id))
    progress.say(f"Run: {folder.path}")


def _folder(out: Path | None, kind: str, resume: bool):
    from ..run_folder import RunFolder
    from ..wording import visible

    if resume and out is None:
        raise ValueError("--resume: found no --out, wanted the folder of the run to go on with")
    folder = RunFolder.open(out, kind)
    if not resume and folder.ledger.exists():
        raise ValueError(f"--out: {visible(str(out))}: found a run, wanted --resume or a new folder")
    return folder
