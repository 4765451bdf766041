"""The two tracepoints of Linux 7.0 on kswapd_failures, as `trace-cmd report` and the kernel log show them.

    kswapd0-68  [001]  812.345678: mm_vmscan_kswapd_reclaim_fail: nid=0 failures=16
        app-91  [000]  813.000210: mm_vmscan_kswapd_clear_hopeless: nid=0 reason=DIRECT

The first is a run of kswapd that freed nothing, with the count after it; the second is a count above 0
that was cleared. The clock must be that of /proc/uptime: `trace-cmd record -C boot`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .lines import Line, nanoseconds, numbered_lines, refusal, whole_number

FAIL = "mm_vmscan_kswapd_reclaim_fail"
CLEAR = "mm_vmscan_kswapd_clear_hopeless"
REASONS = ("OTHER", "KSWAPD", "DIRECT", "PCP")  # by the kernel's numbers

EVENT = re.compile(rf"(\d+\.\d+)[:\]]\s+({FAIL}|{CLEAR}):\s+nid=(\d+)\s+(failures|reason)=(\w+)\s*")
LOST = re.compile(r"EVENTS DROPPED|LOST \d+ EVENTS")


class Event(NamedTuple):
    time_ns: int
    nid: int
    failures: int  # after the event
    reason: str  # who cleared the count; empty: a run failed
    line: Line


@dataclass(frozen=True)
class Trace:
    events: tuple[Event, ...]  # by time
    lossy: bool  # the tracer says that it dropped some


def read_trace(path: Path) -> Trace:
    events, lossy = [], False
    for line in numbered_lines(path, str(path)):
        if f"{FAIL}:" in line.text or f"{CLEAR}:" in line.text:
            events.append(_event(line))
        lossy = lossy or LOST.search(line.text) is not None
    return Trace(tuple(sorted(events, key=lambda event: event.time_ns)), lossy)


def _event(line: Line) -> Event:
    match = EVENT.search(line.text)
    if match is None or (match[2] == FAIL) != (match[4] == "failures"):
        wanted = f"`TIME: {FAIL}: nid=0 failures=1` or `TIME: {CLEAR}: nid=0 reason=KSWAPD`"
        raise refusal(line, "", repr(line.text.strip()[:100]), wanted)
    nid = whole_number(line, "nid", match[3]).value
    time_ns = nanoseconds(line, "time", match[1])
    if match[4] == "failures":
        return Event(time_ns, nid, whole_number(line, "failures", match[5]).value, "", line)
    return Event(time_ns, nid, 0, _reason(line, match[5]), line)


def _reason(line: Line, word: str) -> str:
    """A name, or its number where the tracer could not look it up."""
    if word.isdigit() and int(word) < len(REASONS):
        return REASONS[int(word)]
    if word not in REASONS:
        raise refusal(line, "reason", word, f"one of {', '.join(REASONS)}")
    return word


def print_event(time_ns: int, nid: int, failures: int, reason: str) -> str:
    """The line of `trace-cmd report -t`, which shows nanoseconds; who ran, and where, is made up."""
    task = f"kswapd{nid}" if reason in ("", "KSWAPD") else "task"
    name, says = (CLEAR, f"reason={reason}") if reason else (FAIL, f"failures={failures}")
    time = f"{time_ns // 10**9}.{time_ns % 10**9:09}"
    return f"{task:>16}-{100 + nid:<5} [{nid:03}] {time:>19}: {name + ':':<33} nid={nid} {says}\n"
