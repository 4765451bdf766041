"""Files of /proc and /sys below a root, read without privilege; what cannot be read is noted, not fatal."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ..vmstat.lines import Line, numbered_lines

T = TypeVar("T")
MAX_LINES = 100_000  # zoneinfo of 1000 CPUs is shorter


class HostFiles:
    """`unread` says of each file that was of no use why; names are those of the host, without the root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.unread: dict[str, str] = {}

    def exists(self, name: str) -> bool:
        return self._path(name).exists()

    def children(self, name: str) -> list[str]:
        """Names of the folders in a folder."""
        try:
            return sorted(one.name for one in self._path(name).iterdir() if one.is_dir())
        except OSError:
            return []

    def lines(self, name: str, said_as: str | None = None) -> list[Line]:
        """Lines that are not empty; none if the file cannot be read. `said_as` hides a name."""
        told = said_as or name
        found: list[Line] = []
        try:
            for line in numbered_lines(self._path(name), told):
                if len(found) == MAX_LINES:
                    raise ValueError(f"{told}: found more than {MAX_LINES} lines")
                if line.text.strip():
                    found.append(line)
        except ValueError as error:
            self.unread[told] = _why(str(error), told)
            return []
        return found

    def parsed(
        self, name: str, parse: Callable[[Sequence[Line]], T], nothing: T, said_as: str | None = None
    ) -> T:
        """What `parse` makes of the lines; `nothing` where there are none or they make no sense."""
        found = self.lines(name, said_as)
        if not found:
            return nothing
        try:
            return parse(found)
        except ValueError as error:
            told = said_as or name
            self.unread[told] = _why(str(error), told)
            return nothing

    def _path(self, name: str) -> Path:
        return self._root / name.lstrip("/")


def _why(error: str, name: str) -> str:
    return error.removeprefix(f"{name}: ")
