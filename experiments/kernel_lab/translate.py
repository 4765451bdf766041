"""From a scenario to what the guest does: its program, the files it reads, the memory it is given.

The program is text, one statement a line: a word, then `key=value` pairs in any order. Sizes are pages of
4 KiB, times whole microseconds, `nodes` a bit mask. A line belongs to the last one above it that it can
belong to. Names of `count = N` cgroups and their workloads stand for N; numbers are those of each.

    run version=1 duration_us sample_us seed reset_rule free_path_reset
    sysctl name=vm/watermark_scale_factor value=200
    node id kernel_pages
    cgroup name count [parent] [min_pages] [low_pages] [high_pages] [max_pages]
    anon name TASK churn_pages_per_s burst_pages burst_every_us burst_hold_us oom_score_adj restart_us
      initial node pages
      point at_us pages
    reader name TASK PERIOD think_us op_cpu_us pages_per_op ops_per_s max_backlog_ops
    stream name TASK PERIOD pages_per_s
      file path pages share access=read|mmap|exec pattern=random|loop readahead_pages on_us off_us
        resident node inactive_pages active_pages
    event at_us file=memory.high|memory.max|memory.reclaim cgroup pages
    hopeless node

    TASK   = cgroup (or -: the root) cpu_node policy=local|bind|preferred|interleave nodes threads
    PERIOD = start_us stop_us

Zero means: no burst, always on, a closed loop. Member m of a file is `path.m` on the disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reclaim_env.scenario import Scenario
from reclaim_env.scenario.workloads import Anon, Event, File, Reader, Stream, Task
from reclaim_env.units import KIB_PER_PAGE, PAGES_PER_MIB, pages_from_mib

from .refusals import refuse

VERSION = 1
_STREAM_SLACK_PAGES = 256  # read ahead past the last window


@dataclass(frozen=True)
class DiskFile:
    """One file of the data disk."""

    path: str
    pages: int


@dataclass(frozen=True)
class Request:
    """What is asked of one boot besides the scenario."""

    reset_rule: int
    seed: int
    free_path_reset: bool = False
    sample_ms: int = 500


def program(scenario: Scenario, request: Request) -> str:
    """The guest's program; ValueError names the first field it cannot carry out."""
    refuse(scenario)
    return "".join(f"{line}\n" for line in _lines(scenario, request))


def disk_layout(scenario: Scenario) -> tuple[DiskFile, ...]:
    """Every file of every member, in the order of the scenario."""
    refuse(scenario)
    layout = []
    for workload in (*scenario.reader, *scenario.stream):
        for index, pages in enumerate(_file_pages(scenario, workload)):
            path = _path(workload, index)
            members = range(scenario.members(workload.cgroup))
            layout += [DiskFile(f"{path}.{member}", pages) for member in members]
    return tuple(layout)


def node_memory_mib(scenario: Scenario) -> tuple[int, ...]:
    """Memory to give each node of the machine, so that what its kernel manages is the node's total_mib.

    The page descriptors take 64 bytes a page; the rest was measured on the lab's kernel.
    """
    reserved_mib = [_FIRST_NODE_RESERVED_MIB] + [_NODE_RESERVED_MIB] * (len(scenario.node) - 1)
    return tuple(
        round((node.total_mib + reserved) * 64 / 63)
        for node, reserved in zip(scenario.node, reserved_mib, strict=True)
    )


_FIRST_NODE_RESERVED_MIB = 15.5  # kernel text and data, hash tables, the first megabyte
_NODE_RESERVED_MIB = 0.2


def not_enforced(scenario: Scenario) -> tuple[str, ...]:
    """What the file says and the lab leaves as it is, one line each."""
    notes = [
        "device.latency_us: a miss takes as long as the emulated device needs",
        "reader.op_cpu_us: the time of the accesses themselves comes on top",
    ]
    if scenario.thp:
        notes.append("thp: only its vm.min_free_kbytes; the lab's kernel has no huge pages")
    if any(cgroup.count > 1 for cgroup in scenario.cgroup):
        notes.append("cgroup.count: members lie below one more cgroup, which holds no page of its own")
    return tuple(notes)


def _lines(scenario: Scenario, request: Request) -> Iterator[str]:
    yield _line(
        "run",
        version=VERSION,
        duration_us=_us(scenario.duration_s),
        sample_us=request.sample_ms * 1000,
        seed=request.seed,
        reset_rule=request.reset_rule,
        free_path_reset=int(request.free_path_reset),
    )
    for name, value in _sysctls(scenario).items():
        yield _line("sysctl", name=name, value=value)
    for nid, node in enumerate(scenario.node):
        yield _line("node", id=nid, kernel_pages=pages_from_mib(node.kernel_mib))
    yield from _cgroups(scenario)
    for anon in scenario.anon:
        yield from _anon(anon)
    for reader in scenario.reader:
        yield from _reader(scenario, reader)
    for stream in scenario.stream:
        yield from _stream(scenario, stream)
    yield from (_event(event) for event in scenario.event)
    yield from (_line("hopeless", node=table.node) for table in scenario.hopeless)


def _sysctls(scenario: Scenario) -> dict[str, int]:
    """min_free_kbytes is written out: the lab's kernel would compute another one without huge pages."""
    min_pages = sum(marks.min_pages for marks in scenario.watermarks)
    return {
        "vm/watermark_scale_factor": scenario.watermark_scale_factor,
        "vm/min_free_kbytes": min_pages * KIB_PER_PAGE,
        "vm/watermark_boost_factor": 0,
        "vm/percpu_pagelist_high_fraction": 1000,
        "vm/stat_interval": 1,
        "vm/overcommit_memory": 1,
    }


def _cgroups(scenario: Scenario) -> Iterator[str]:
    for cgroup in scenario.cgroup:
        limits = {
            f"{name}_pages": pages_from_mib(mib)
            for name in ("min", "low", "high", "max")
            if (mib := getattr(cgroup, f"memory_{name}_mib")) is not None
        }
        parent = {"parent": cgroup.parent} if cgroup.parent else {}
        yield _line("cgroup", name=cgroup.name, count=cgroup.count, **parent, **limits)


def _anon(anon: Anon) -> Iterator[str]:
    yield _line(
        "anon",
        name=anon.name,
        **_task(anon),
        churn_pages_per_s=f"{anon.churn_mib_per_s * PAGES_PER_MIB:g}",
        burst_pages=pages_from_mib(anon.burst_mib),
        burst_every_us=_us((anon.burst_every_ms or 0) / 1000),
        burst_hold_us=_us((anon.burst_hold_ms or 0) / 1000),
        oom_score_adj=anon.oom_score_adj,
        restart_us=_us(anon.restart_s),
    )
    for nid, mib in enumerate(anon.initial_mib):
        if mib > 0:
            yield _line("initial", node=nid, pages=pages_from_mib(mib))
    for at_s, mib in anon.breakpoints:
        yield _line("point", at_us=_us(at_s), pages=pages_from_mib(mib))


def _reader(scenario: Scenario, reader: Reader) -> Iterator[str]:
    yield _line(
        "reader",
        name=reader.name,
        **_task(reader),
        **_period(scenario, reader),
        think_us=_us(reader.think_ms / 1000),
        op_cpu_us=f"{reader.op_cpu_us:g}",
        pages_per_op=f"{reader.pages_per_op:g}",
        ops_per_s=f"{reader.ops_per_s or 0:g}",
        max_backlog_ops=f"{reader.max_backlog_ops:g}",
    )
    sizes = _file_pages(scenario, reader)
    for index, (file, pages) in enumerate(zip(reader.file, sizes, strict=True)):
        yield _line(
            "file",
            path=_path(reader, index),
            pages=pages,
            share=f"{file.share:g}",
            access=file.access,
            pattern=file.pattern,
            readahead_pages=file.readahead_pages,
            on_us=_us(file.on_s or 0),
            off_us=_us(file.off_s or 0),
        )
        yield from _resident(file.inactive_mib, file.active_mib)


def _stream(scenario: Scenario, stream: Stream) -> Iterator[str]:
    """Its old pages are the beginning of its file; it reads on from there."""
    yield _line(
        "stream",
        name=stream.name,
        **_task(stream),
        **_period(scenario, stream),
        pages_per_s=f"{stream.mib_per_s * PAGES_PER_MIB:g}",
    )
    yield _line(
        "file",
        path=_path(stream, 0),
        pages=_file_pages(scenario, stream)[0],
        share=1,
        access="read",
        pattern="loop",
        readahead_pages=stream.readahead_pages,
        on_us=0,
        off_us=0,
    )
    yield from _resident(stream.inactive_mib, (0.0,) * len(scenario.node))


def _resident(inactive_mib: tuple[float, ...], active_mib: tuple[float, ...]) -> Iterator[str]:
    for nid, (inactive, active) in enumerate(zip(inactive_mib, active_mib, strict=True)):
        if inactive or active:
            pages = {"inactive_pages": pages_from_mib(inactive), "active_pages": pages_from_mib(active)}
            yield _line("resident", node=nid, **pages)


def _event(event: Event) -> str:
    file = event.kind.replace("_", ".")
    return _line("event", at_us=_us(event.at_s), file=file, cgroup=event.cgroup, pages=event.pages)


def _task(task: Task) -> dict[str, object]:
    return {
        "cgroup": task.cgroup or "-",
        "cpu_node": task.cpu_node,
        "policy": task.policy,
        "nodes": sum(1 << nid for nid in task.nodes),
        "threads": task.threads,
    }


def _period(scenario: Scenario, table: Reader | Stream) -> dict[str, object]:
    return {"start_us": _us(table.start_s), "stop_us": _us(_stop_s(scenario, table))}


def _stop_s(scenario: Scenario, table: Reader | Stream) -> float:
    return scenario.duration_s if table.stop_s is None else min(table.stop_s, scenario.duration_s)


def _file_pages(scenario: Scenario, workload: Reader | Stream) -> tuple[int, ...]:
    """Of each file of one member; a stream's lasts to its end."""
    if isinstance(workload, Reader):
        return tuple(max(pages_from_mib(file.mib), _resident_pages(file)) for file in workload.file)
    read_s = max(_stop_s(scenario, workload) - workload.start_s, 0)
    old_pages = sum(pages_from_mib(mib) for mib in workload.inactive_mib)
    return (old_pages + pages_from_mib(workload.mib_per_s * read_s) + _STREAM_SLACK_PAGES,)


def _resident_pages(file: File) -> int:
    return sum(pages_from_mib(mib) for mib in (*file.inactive_mib, *file.active_mib))


def _path(workload: Reader | Stream, index: int) -> str:
    return f"{workload.name}.{index}"


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


def _line(word: str, **values: object) -> str:
    return " ".join((word, *(f"{key}={value}" for key, value in values.items())))
