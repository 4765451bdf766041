"""The workloads of a scenario, and what happens to it by the clock.

A workload in a cgroup with `count = N` stands for N of them: threads, rates and sizes are those
of each.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reclaim_env.model.layout import MAX_BREAKPOINTS
from reclaim_env.scenario.fields import (
    MAX_S,
    Mib,
    NodeId,
    NodeIds,
    PerNode,
    Reference,
    Slug,
    Table,
    Text,
    count,
    mib,
    ms,
    number,
    one_of,
    per_node,
    seconds,
    tables,
    text,
    wrong,
)
from reclaim_env.scenario.swap import Heat, check_on_off
from reclaim_env.units import pages_from_mib

Policy = Literal["local", "bind", "preferred", "interleave"]
Breakpoint = Annotated[tuple[Annotated[float, Field(ge=0, le=MAX_S)], Mib], Field(strict=False)]


class Task(Table):
    """What every workload that lives in a cgroup says of itself."""

    name: Slug = text("name, unique among the workloads")
    cgroup: Reference = text("cgroup it is charged to; empty: the root", "")
    cpu_node: NodeId = number("node its threads run on", "node", low=0, high=7)
    policy: Policy = one_of("memory policy (mm/mempolicy.c)", "local")
    nodes: NodeIds = Field((), description="nodes of the policy; for every policy but local")
    threads: int = count("threads of each", 1)

    @model_validator(mode="after")
    def _policy_has_its_nodes(self) -> Self:
        if self.policy == "local" and self.nodes:
            raise wrong("nodes", list(self.nodes), "no nodes with policy local")
        if self.policy != "local" and not self.nodes:
            raise wrong("nodes", "nothing", f"the nodes of policy {self.policy}")
        if len(set(self.nodes)) != len(self.nodes):
            raise wrong("nodes", list(self.nodes), "every node once")
        return self


def check_period(start_s: float, stop_s: float | None) -> None:
    if stop_s is not None and stop_s <= start_s:
        raise wrong("stop_s", stop_s, f"a time after start_s = {start_s}")


def check_hold(prefix: str, every_ms: float, hold_ms: float) -> None:
    """One burst at a time: the next begins when the last has been given back."""
    if hold_ms > every_ms:
        raise wrong(f"{prefix}hold_ms", hold_ms, f"at most {prefix}every_ms = {every_ms}")


class Anon(Task):
    """A process that holds anonymous memory."""

    initial_mib: PerNode = per_node("resident at the start")
    schedule: Annotated[tuple[Breakpoint, ...] | None, Field(strict=False)] = Field(
        None,
        description="[[t_s, mib], ...]: wanted size over time, linear between points, the first at t 0; "
        "left out: the initial size for ever",
        min_length=1,
        max_length=MAX_BREAKPOINTS,
        json_schema_extra={"unit": "s, MiB"},
    )
    churn_mib_per_s: float = number("memory freed and touched again", "MiB/s", 0, high=1e7)
    burst_mib: float = mib("short-lived allocation", 0)
    burst_every_ms: float | None = ms("period of the bursts", None, low=1)
    burst_hold_ms: float | None = ms("after which a burst is freed", None)
    oom_score_adj: int = number("as in /proc/PID/oom_score_adj", "1/1000", 0, low=-1000, high=1000)
    restart_s: float = seconds("from an OOM kill to the restart", 30, low=0.1)
    heat: tuple[Heat, ...] = tables(
        "how hot its pages are; needed where they can be swapped or demoted", most=8
    )

    @model_validator(mode="after")
    def _schedule_goes_forward(self) -> Self:
        times_s = [t_s for t_s, _ in self.schedule or ((0.0, 0.0),)]
        if times_s[0] != 0:
            raise wrong("schedule", times_s[0], "a first breakpoint at t 0")
        if any(later <= earlier for earlier, later in pairwise(times_s)):
            raise wrong("schedule", times_s, "breakpoints in the order of time")
        return self

    @model_validator(mode="after")
    def _burst_is_complete(self) -> Self:
        given = (self.burst_every_ms is not None, self.burst_hold_ms is not None, self.burst_mib > 0)
        if any(given) and not all(given):
            raise wrong("burst_mib", self.burst_mib, "burst_mib, burst_every_ms and burst_hold_ms together")
        if self.burst_every_ms is not None and self.burst_hold_ms is not None:
            check_hold("burst_", self.burst_every_ms, self.burst_hold_ms)
        return self

    @property
    def breakpoints(self) -> tuple[tuple[float, float], ...]:
        """(t_s, mib) of the wanted size; at least one, the first at 0."""
        return self.schedule or ((0.0, sum(self.initial_mib)),)


class File(Table):
    """A set of file pages with one popularity; `share` of the reader's accesses go to it."""

    mib: float = mib("size", low=1 / 256)
    share: float = number("weight of this file among the reader's accesses", "ratio", 1, low=1e-9)
    access: Literal["read", "mmap", "exec"] = one_of("how its pages are touched", "read")
    pattern: Literal["random", "loop"] = one_of("uniform at random, or in file order for ever", "random")
    readahead_pages: int = count("pages one miss brings", 1, high=32)
    on_s: float | None = seconds("mean time the file is in use at a stretch", None, low=1e-3)
    off_s: float | None = seconds("mean time between such stretches", None, low=1e-3)
    inactive_mib: PerNode = per_node("resident at the start on the inactive list")
    active_mib: PerNode = per_node("resident at the start on the active list")

    @model_validator(mode="after")
    def _on_and_off_go_together(self) -> Self:
        check_on_off(self.on_s, self.off_s)
        return self

    @model_validator(mode="after")
    def _resident_part_is_within_the_file(self) -> Self:
        resident_mib = sum(self.inactive_mib) + sum(self.active_mib)
        if resident_mib > self.mib + 1e-6:
            raise wrong("mib", self.mib, f"at least the {resident_mib:g} MiB resident at the start")
        return self


class Reader(Task):
    """Threads that read files: a closed loop, or paced by `ops_per_s`."""

    think_ms: float = ms("thread's pause after an operation (closed loop)", 0)
    op_cpu_us: float = number(
        "CPU time of one operation besides reclaim and IO", "us", 10, low=0.01, high=1e8
    )
    pages_per_op: float = number("pages one operation touches", "pages", 1, low=1e-3, high=1e6)
    ops_per_s: float | None = number(
        "operations that arrive per second (open loop); left out: closed loop", "1/s", None, low=1e-3
    )
    max_backlog_ops: float = number(
        "operations that wait before they are dropped (open loop)", "ops", 1000, low=1
    )
    start_s: float = seconds("first operation", 0)
    stop_s: float | None = seconds("no operation after it; left out: to the end", None)
    file: tuple[File, ...] = tables("the files it reads", least=1, most=64)

    @model_validator(mode="after")
    def _stops_after_it_starts(self) -> Self:
        check_period(self.start_s, self.stop_s)
        return self


class Stream(Task):
    """A sequential reader of new pages, none of them touched again."""

    mib_per_s: float = number("reading speed, all threads together", "MiB/s", low=1e-3, high=1e7)
    start_s: float = seconds("first read", 0)
    stop_s: float | None = seconds("no read after it; left out: to the end", None)
    readahead_pages: int = count("pages of one read from the device", 32, high=32)
    inactive_mib: PerNode = per_node("old pages of the stream resident at the start")

    @model_validator(mode="after")
    def _stops_after_it_starts(self) -> Self:
        check_period(self.start_s, self.stop_s)
        return self


class Atomic(Table):
    """Bursts of atomic allocations (network receive): may dip below min, may fail, are given back."""

    name: Slug = text("name, unique among the workloads")
    cpu_node: NodeId = number("the node they are taken from", "node", low=0, high=7)
    burst_kib: float = number("size of a burst", "KiB", low=4, high=MAX_S * 1e5)
    every_ms: float = ms("period of the bursts", low=1)
    hold_ms: float = ms("after which a burst is given back")
    start_s: float = seconds("first burst", 0)
    stop_s: float | None = seconds("no burst after it; left out: to the end", None)

    @model_validator(mode="after")
    def _one_burst_at_a_time(self) -> Self:
        check_hold("", self.every_ms, self.hold_ms)
        check_period(self.start_s, self.stop_s)
        return self


MEMCG_EVENTS = ("memory_high", "memory_max", "memory_reclaim")


class Event(Table):
    """What the administrator does by the clock: a write to a cgroup file, swapon, demotion on or off."""

    at_s: float = seconds("when")
    kind: Literal["memory_high", "memory_max", "memory_reclaim", "swapon", "demotion_on", "demotion_off"] = (
        one_of("the file of a cgroup written to, or the machine's switch")
    )
    cgroup: Reference = text("of which cgroup (each, where count is above 1); for cgroup files only", "")
    mib: float | None = mib("the value written; for cgroup files only", None)

    @model_validator(mode="after")
    def _says_what_is_written_where(self) -> Self:
        of_cgroup = self.kind in MEMCG_EVENTS
        if of_cgroup != (self.cgroup != ""):
            wanted = f"the name of a [[cgroup]] for {self.kind}" if of_cgroup else f"none for {self.kind}"
            raise wrong("cgroup", self.cgroup or "nothing", wanted)
        if of_cgroup != (self.mib is not None):
            wanted = f"the value of {self.kind}" if of_cgroup else f"none for {self.kind}"
            raise wrong("mib", "nothing" if self.mib is None else self.mib, wanted)
        return self

    @property
    def pages(self) -> int:
        """The value written to a cgroup file; 0 for a switch."""
        return pages_from_mib(self.mib or 0.0)


class Hopeless(Table):
    """A node that begins with kswapd_failures at 16."""

    node: NodeId = number("the node", "node", low=0, high=7)


class Assumed(Table):
    """A number of this file that no source gives; `reclaim sensitivity` sweeps low..high."""

    field: Text = text(
        "path of the number, e.g. reader.web.file.0.mib or device.latency_us; a step may name several tables "
        "joined by a bar, or be * for all: the number they share"
    )
    low: float = number("lowest value that is plausible", "that of the field", low=-1e12, high=1e12)
    high: float = number("highest value that is plausible", "that of the field", low=-1e12, high=1e12)
    why: Text = text("why this value and this range")

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.low > self.high:
            raise wrong("low", self.low, f"at most high = {self.high}")
        return self
