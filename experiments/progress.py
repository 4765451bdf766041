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
    """Yields advance(what is under way, how much was done since). Nothing is shown before its first call."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task("", total=total)

    def advance(words: str, done: int) -> None:
        progress.start()
        progress.update(task, description=escape(visible(words)), advance=done)

    try:
        yield advance
    finally:
        progress.stop()


def _lines() -> Callable[[str, int], None]:
    """For a log: a line whenever something else is under way."""
    said: list[str] = []

    def advance(words: str, done: int) -> None:
        if said[-1:] != [words]:
            said.append(words)
            say(words)

    return advance
