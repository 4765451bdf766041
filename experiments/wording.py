"""Numbers and names as a reader sees them: safe in a terminal, short enough for a column."""

import math
import unicodedata

from rich.cells import cell_len, set_cell_size

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def visible(text: str) -> str:
    """Names come from files of strangers: no control, escape or direction-changing character survives."""
    return "".join(char if unicodedata.category(char)[0] != "C" else "?" for char in text)


def slug(text: str) -> str:
    """A name that is safe as a folder's: no path can hide in it."""
    return (
        "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text)[:64].lstrip("._")
        or "_"
    )


def fitted(text: str, width: int) -> str:
    """Exactly width cells of a terminal, an ellipsis where something was cut."""
    clean = visible(text)
    if cell_len(clean) > width:
        clean = set_cell_size(clean, width - 1) + "…"
    return set_cell_size(clean, width)


def fitted_name(text: str, width: int) -> str:
    """Exactly width cells; the ellipsis is in the middle, for names that differ at the end."""
    clean = visible(text)
    if cell_len(clean) <= width:
        return set_cell_size(clean, width)
    head, tail = (width - 1) // 2, width // 2
    return fitted(set_cell_size(clean, head) + "…" + clean[len(clean) - tail :], width)


def prefix_of(largest: float) -> tuple[float, str]:
    """The divisor and its sign with which a column's largest number stays below 1000."""
    for size, sign in PREFIXES:
        if largest >= 0.9995 * size:
            return size, sign
    return 1.0, ""


def short(value: float) -> str:
    """Three digits in at most five characters, for |value| < 1000: 123, 12.3, 1.23, .123, .004."""
    magnitude = abs(value)
    if value == 0:
        return "0"
    if magnitude < 0.0005:
        return "~0"
    decimals = 0 if magnitude >= 99.95 else 1 if magnitude >= 9.995 else 2 if magnitude >= 0.9995 else 3
    digits = f"{magnitude:.{decimals}f}"
    return ("-" if value < 0 else "") + digits.removeprefix("0" if magnitude < 0.9995 else "")


def compact(value: float | None) -> str:
    """A number alone in its cell, with its own prefix: 12.3k."""
    if value is None or math.isnan(value):
        return "n/a"
    size, sign = prefix_of(abs(value))
    return short(value / size) + sign


def with_unit(value: float | None, unit: str) -> str:
    return "n/a" if value is None else f"{compact(value)} {unit}".rstrip()


def with_interval(centre: float | None, lo: float | None, hi: float | None) -> str:
    """`12.3 [12.1,12.5]k`, at most 20 characters, one prefix for all; what has no spread stands alone."""
    if centre is None:
        return "n/a"
    if lo is None or hi is None:
        return f"{compact(centre)} [n/a]"
    if lo == hi == centre:
        return compact(centre)
    size, sign = prefix_of(max(abs(lo), abs(hi)))
    return f"{short(centre / size)} [{short(lo / size)},{short(hi / size)}]{sign}"
