"""How far a long command is, on stderr: stdout belongs to the result."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .wording import visible


def say(line: str) -> None:
    Console(stderr=True).print(visible(line), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def bar(total: int, unit: str) -> Iterator[Callable[[str, int], None]]:
    """Yields advance(what is under way, how much was done since)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=total)

        def advance(words: str, done: int) -> None:
            progress.update(task, description=escape(visible(words)), advance=done)

        yield advance
