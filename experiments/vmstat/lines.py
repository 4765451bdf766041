"""Lines of text by strangers, each of which knows where it stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reclaim_env.scenario.file import printable, shortened, shown

MAX_LINE_CHARACTERS = 4096


class Line(NamedTuple):
    text: str
    file: str
    number: int
    cut: bool = False  # the file ends in the middle of it


class Reading(NamedTuple):
    """A number and the line it was read from."""

    value: int
    line: Line


def refusal(line: Line, name: str, found: str, wanted: str) -> ValueError:
    """One line: file, line, which number, what was found, what was wanted."""
    place = f"{shortened(printable(line.file[-120:]), 120)}: line {line.number}"
    where = f"{place}: {shortened(printable(name), 60)}" if name else place
    return ValueError(f"{where}: found {printable(found)}, wanted {wanted}")


def whole_number(line: Line, name: str, digits: str) -> Reading:
    """A counter of the kernel: 64 bits, never below 0."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise refusal(line, name, shown(digits), "a whole number of 0 or more")
    return Reading(int(digits), line)


def nanoseconds(line: Line, name: str, seconds: str) -> int:
    """`12.34` as a whole number: the difference of two moments of one clock is then exact."""
    whole, _, fraction = seconds.partition(".")
    digits = whole + fraction.ljust(9, "0")[:9]
    if not (whole and digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise refusal(line, name, shown(seconds), "seconds, as 1234.56")
    return int(digits)


def seconds(time_ns: float) -> float:
    return time_ns / 1e9


def numbered_lines(path: Path, file: str) -> Iterator[Line]:
    """The lines of a file one by one: a day of snapshots is larger than memory."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            number = 0
            while raw := stream.readline(MAX_LINE_CHARACTERS):
                number += 1
                line = Line(raw.rstrip("\n"), file, number, cut=not raw.endswith("\n"))
                if len(raw) == MAX_LINE_CHARACTERS:
                    raise refusal(line, "", "a longer line", f"at most {MAX_LINE_CHARACTERS - 1} characters")
                yield line
    except OSError as error:
        raise ValueError(f"{printable(file)}: found {error.strerror}, wanted a readable file") from None
