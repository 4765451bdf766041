"""A recording: samples of a machine's /proc files in the order of its clock, from one file or a folder.

One file is what `tail -n +1 /proc/uptime /proc/vmstat ...` prints again and again: each sample begins
with /proc/uptime, its time stamp. A folder holds such files, and folders of one sample each into which
/proc files were copied; trace.txt in it is what `trace-cmd report` printed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reclaim_env.scenario.file import printable

from . import procfs
from .lines import Line, Reading, numbered_lines, refusal, seconds
from .procfs import Node

HEADER = re.compile(r"==> (.+) <==")
NAMES = re.compile(r"(?:/?proc/)?(uptime|vmstat|zoneinfo|pressure/\w+)")
TRACE_NAME = "trace.txt"

Sections = dict[str, list[Line]]  # by the names that NAMES knows
Progress = Callable[[str, int], None]  # what is under way, KiB read since the last call


@dataclass(frozen=True)
class Sample:
    stamp: Line
    time_ns: int
    files: frozenset[str]
    vmstat: dict[str, Reading]  # empty: there was no such file
    nodes: dict[int, Node]
    pressure: dict[str, Reading]  # memory_some, ...: microseconds

    def parts(self) -> set[str]:
        """All that a sample must have where the first of the recording has it."""
        nodes = {
            f"node {nid}: {name}" for nid, node in self.nodes.items() for name in (*node.zones, *node.stats)
        }
        return {*self.vmstat, *self.pressure, *nodes, *(f"/proc/{name}" for name in self.files)}


class Recording:
    """Where the samples of one machine lie; `notes` says what was passed over once they are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self._units = sorted(_units(path), key=_begins)
        if not self._units:
            raise ValueError(f"{shown(path)}: found an empty folder, wanted snapshots")
        trace = path / TRACE_NAME
        self.trace = trace if trace.is_file() else None

    def files(self) -> list[Path]:
        """Everything that is read."""
        found: list[Path] = []
        for unit in self._units:
            found += [unit] if unit.is_file() else [path for _, path in _copies(unit)]
        return found if self.trace is None else [*found, self.trace]

    def size_kib(self) -> int:
        return sum(path.stat().st_size for path in self.files()) // 1024

    def samples(self, progress: Progress = lambda words, kib: None) -> Iterator[Sample]:
        """By time, each with what the first has; the last is left out where it breaks off."""
        first = before = None
        for sections, is_last in _marking_last(self._samples()):
            progress(f"reading {shown(self.path.name)}", _kib(sections))
            if is_last and any(lines[-1].cut for lines in sections.values()):
                self._leave_out(sections)
                return
            sample = _parsed(sections)
            if first is None:
                first = sample
            missing = sorted(first.parts() - sample.parts())
            if missing and is_last:
                self._leave_out(sections)
                return
            if missing:
                raise refusal(sample.stamp, "", f"no {missing[0]}", "it in every sample, as in the first")
            if before is not None and sample.time_ns <= before.time_ns:
                found = f"{seconds(sample.time_ns):.2f} s after {seconds(before.time_ns):.2f} s"
                wanted = "a later time (a reboot? import each boot by itself)"
                raise refusal(sample.stamp, "uptime", found, wanted)
            before = sample
            yield sample

    def _samples(self) -> Iterator[Sections]:
        for unit in self._units:
            yield from _grouped(_sections(unit) if unit.is_file() else _copied(unit))

    def _leave_out(self, sections: Sections) -> None:
        stamp = sections["uptime"][0]
        self.notes.append(
            f"The last sample ({shown(Path(stamp.file).name)}, line {stamp.number}) is not whole."
        )


def shown(path: Path | str) -> str:
    return printable(str(path)[-120:])


def _units(path: Path) -> Iterator[Path]:
    """Files of many samples and folders of one."""
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (one for one in path.iterdir() if one.name != TRACE_NAME and not one.name.startswith("."))
    else:
        raise ValueError(f"{shown(path)}: found no such file, wanted snapshots or a folder of them")


def _begins(unit: Path) -> int:
    """The clock at a unit's first sample."""
    for name, lines in _sections(unit) if unit.is_file() else _copied(unit):
        _refuse_unstamped(name, lines)
        return procfs.parse_uptime(lines)
    raise ValueError(f"{shown(unit)}: found nothing, wanted snapshots that begin with /proc/uptime")


def _sections(path: Path) -> Iterator[tuple[str, list[Line]]]:
    """The parts of a file between `==> NAME <==` lines, those of no interest left out."""
    name, lines = "", list[Line]()
    for line in numbered_lines(path, str(path)):
        header = HEADER.fullmatch(line.text)
        if header is None:
            if line.number == 1:
                raise refusal(line, "", repr(line.text[:60]), "`==> /proc/uptime <==` first")
            if line.text.strip():
                lines.append(line)
            continue
        if name and lines:
            yield name, lines
        known = NAMES.fullmatch(header[1])
        name, lines = known[1] if known else "", []
    if name and lines:
        yield name, lines


def _copied(folder: Path) -> Iterator[tuple[str, list[Line]]]:
    """The files of one sample."""
    for name, path in _copies(folder):
        lines = [line for line in numbered_lines(path, str(path)) if line.text.strip()]
        if lines:
            yield name, lines


def _copies(folder: Path) -> list[tuple[str, Path]]:
    """The /proc files in a folder and what they are, the time stamp first."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [(NAMES.fullmatch(path.relative_to(folder).as_posix()), path) for path in paths]
    return sorted(((name[1], path) for name, path in named if name), key=lambda one: one[0] != "uptime")


def _grouped(parts: Iterable[tuple[str, list[Line]]]) -> Iterator[Sections]:
    """Each sample from its time stamp on."""
    sample: Sections = {}
    for name, lines in parts:
        if name == "uptime" and sample:
            yield sample
            sample = {}
        if not sample:
            _refuse_unstamped(name, lines)
        if name in sample:
            raise refusal(lines[0], "", f"{name} a second time", "/proc/uptime before it")
        sample[name] = lines
    if sample:
        yield sample


def _refuse_unstamped(name: str, lines: list[Line]) -> None:
    if name != "uptime":
        raise refusal(lines[0], "", name, "/proc/uptime, the time stamp of a sample, before it")


def _marking_last(groups: Iterable[Sections]) -> Iterator[tuple[Sections, bool]]:
    before: Sections | None = None
    for group in groups:
        if before is not None:
            yield before, False
        before = group
    if before is not None:
        yield before, True


def _kib(sections: Sections) -> int:
    return sum(len(line.text) + 1 for lines in sections.values() for line in lines) // 1024


def _parsed(sections: Sections) -> Sample:
    pressure = {
        f"{name.removeprefix('pressure/')}_{who}": total
        for name, lines in sections.items()
        if name.startswith("pressure/")
        for who, total in procfs.parse_pressure(lines).items()
    }
    return Sample(
        stamp=sections["uptime"][0],
        time_ns=procfs.parse_uptime(sections["uptime"]),
        files=frozenset(sections),
        vmstat=procfs.parse_vmstat(sections.get("vmstat", ())),
        nodes=procfs.parse_zoneinfo(sections.get("zoneinfo", ())),
        pressure=pressure,
    )
