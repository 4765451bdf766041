"""`reclaim report` and `reclaim validate results`: their options."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished compare or evaluate.")],
    out: Annotated[
        Path | None, typer.Option(help="New folder for the pages; RUN/pages if left out.", show_default=False)
    ] = None,
) -> None:
    """Write a finished run as HTML, Markdown, plain text for a mailing list, and TensorBoard.

    `mail.txt` has at most 75 columns and nothing but ASCII. `tensorboard --logdir FOLDER/tb` shows every
    rule, and the oracle, as lines of the same tags, with a layout of its own and HParams.
    """
    from . import files, past_run, progress
    from .reporting import pages, tensorboard
    from .reporting import report as html
    from .wording import visible

    folder = out or run / "pages"
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"--out: {visible(str(folder))}: found files, wanted a new folder")
    found = past_run.read(run)
    results = past_run.results(found)
    made = past_run.how_made(found, results)
    files.write_text(folder / "report.html", html.render(results, made))
    files.write_text(folder / "report.md", pages.markdown(results, made))
    files.write_text(folder / "mail.txt", pages.mail(results, made))
    tensorboard.write(folder / "tb", results)
    progress.say(f"Pages: {folder}")


def validate_results(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished compare or evaluate.")],
    rows: Annotated[
        int, typer.Option(min=0, help="Rows to simulate again, evenly over all; 0: every one.")
    ] = 200,
    agent: Annotated[list[Path] | None, typer.Option(help="Agents' files of the run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate rows of a run again: a ledger that does not reproduce to the last bit is refused."""
    from . import past_run, progress, replay

    found = past_run.read(run)
    total = len(replay.spread(found.rows, rows))
    with progress.bar(total, "rows") as advance:
        done = replay.replay(found, rows, agent or (), advance)
    sys.stdout.write(json.dumps(vars(done)) + "\n" if as_json else replay.render(done))
