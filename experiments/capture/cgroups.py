"""Memory cgroups of a host, version 2 or 1: those that matter to reclaim, each with its limits and pages.

Taken are cgroups with a limit or protection of their own, the topmost where they lie in one another, and
whole branches without any; the largest of them. The rest is counted with the root.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..vmstat.lines import Line, refusal, whole_number
from .host_files import HostFiles

V2, V1 = "/sys/fs/cgroup", "/sys/fs/cgroup/memory"
LIMITS_OF_V2 = {name: f"memory.{name}" for name in ("min", "low", "high", "max")}
SWAP_LIMIT_OF_V2 = {"swap_max": "memory.swap.max"}
LIMITS_OF_V1 = {"max": "memory.limit_in_bytes"}
STATS_OF_V2 = ("anon", "active_file", "inactive_file")
STATS_OF_V1 = ("total_rss", "total_active_file", "total_inactive_file")
MAX_DEPTH, MAX_FOLDERS = 8, 20_000
MIB = 2**20
NO_LIMIT_MIB = 2**42 / MIB  # version 1 writes a number near 2^63 for none


@dataclass(frozen=True)
class Cgroup:
    """One taken cgroup with all below it. Limits that are not set are left out."""

    name: str  # as the host has it; only written to a file if asked
    limits_mib: dict[str, float]  # min, low, high, max, swap_max
    anon_mib: float
    active_file_mib: float
    inactive_file_mib: float

    @property
    def size_mib(self) -> float:
        return self.anon_mib + self.active_file_mib + self.inactive_file_mib


@dataclass(frozen=True)
class Cgroups:
    version: int  # 0: no memory controller that can be read
    taken: tuple[Cgroup, ...]  # the largest first
    nr_left_out: int  # smaller ones, counted with the root

    def limits_file(self, limit: str) -> str:
        return ({**LIMITS_OF_V2, **SWAP_LIMIT_OF_V2} if self.version == 2 else LIMITS_OF_V1)[limit]


def read_cgroups(files: HostFiles, most: int, with_swap: bool) -> Cgroups:
    """The `most` largest that matter; limits of swap where the host's swap is of interest."""
    top, version = _hierarchy(files)
    if version == 0:
        files.unread["cgroups"] = "no memory controller, neither of version 2 nor of 1"
        return Cgroups(0, (), 0)
    found = sorted(_taken(_Reader(files, version, with_swap), top, ""), key=lambda one: -one.size_mib)
    found = [one for one in found if one.size_mib > 0 or one.limits_mib]
    return Cgroups(version, tuple(found[:most]), len(found) - len(found[:most]))


def _hierarchy(files: HostFiles) -> tuple[str, int]:
    controllers = f"{V2}/cgroup.controllers"
    if files.exists(controllers):
        words = " ".join(line.text for line in files.lines(controllers)).split()
        if "memory" in words:
            return V2, 2
    return (V1, 1) if files.exists(f"{V1}/memory.stat") else ("", 0)


class _Reader:
    """Reads single cgroups, up to so many in all."""

    def __init__(self, files: HostFiles, version: int, with_swap: bool) -> None:
        self.files, self.version, self.with_swap = files, version, with_swap
        self.nr_read = 0

    def limits_mib(self, folder: str) -> dict[str, float]:
        names = LIMITS_OF_V2 if self.version == 2 else LIMITS_OF_V1
        if self.version == 2 and self.with_swap:
            names = {**names, **SWAP_LIMIT_OF_V2}
        found = {}
        for limit, file in names.items():
            name = f"{folder}/{file}"
            if self.files.exists(name):  # the root has none
                parse = _most_mib if limit in SWAP_LIMIT_OF_V2 else _limit_mib
                found[limit] = self.files.parsed(name, parse, None, f"{file} of a cgroup")
        return {limit: mib for limit, mib in found.items() if mib is not None}

    def pages(self, folder: str) -> tuple[float, float, float] | None:
        """MiB of anonymous, active file and inactive file pages."""
        wanted = STATS_OF_V2 if self.version == 2 else STATS_OF_V1
        stat = self.files.parsed(f"{folder}/memory.stat", _stat, {}, "memory.stat of a cgroup")
        if not all(name in stat for name in wanted):
            return None
        anon, active, inactive = (stat[name] / MIB for name in wanted)
        return anon, active, inactive


def _taken(reader: _Reader, folder: str, name: str, depth: int = 0) -> Iterator[Cgroup]:
    reader.nr_read += 1
    limits_mib = reader.limits_mib(folder)
    children = reader.files.children(folder) if depth < MAX_DEPTH and reader.nr_read < MAX_FOLDERS else []
    if not limits_mib and children:
        below = [
            one
            for child in children
            for one in _taken(reader, f"{folder}/{child}", f"{name}/{child}".lstrip("/"), depth + 1)
        ]
        if depth == 0 or any(one.limits_mib for one in below):
            yield from below
            return
    sizes = reader.pages(folder) if depth > 0 or limits_mib else None
    if sizes is not None:
        yield Cgroup(name, limits_mib, *sizes)


def _limit_mib(lines: Sequence[Line]) -> float | None:
    """A limit in MiB, None where none is set: `max`, or 0 for a protection."""
    return _most_mib(lines) or None


def _most_mib(lines: Sequence[Line]) -> float | None:
    """As _limit_mib(), where 0 says that none is allowed."""
    line = lines[0]
    word = line.text.strip()
    if word == "max":
        return None
    mib = whole_number(line, "", word).value / MIB
    return mib if mib < NO_LIMIT_MIB else None


def _stat(lines: Sequence[Line]) -> dict[str, int]:
    found = {}
    for line in lines:
        words = line.text.split()
        if len(words) != 2:
            raise refusal(line, "", repr(line.text[:60]), "a name and a number")
        found[words[0]] = whole_number(line, words[0], words[1]).value
    return found
