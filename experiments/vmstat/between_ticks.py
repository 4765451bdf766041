"""What happened to a simulated kswapd_failures within a tick, event by event, for a trace.

The model counts failed runs and resets by reason, and keeps the time of a few; their order within a
tick it does not keep. Told here is an order that fits all it counted.
"""

from collections.abc import Iterator

import numpy as np

from reclaim_env.model.constants import MAX_RECLAIM_RETRIES, NR_REASONS

from .failures import COLUMNS
from .tracepoints import print_event

Step = tuple[int, str]  # the count after an event, who cleared it (empty: a run failed)


def trace_lines(
    nid: int, before: np.void, after: np.void, start_ns: int, end_ns: int
) -> Iterator[tuple[int, str]]:
    """(time, line) of each event of a node between two copies of its record, the start and end of a tick."""
    steps = _steps(before, after)
    times_ns = _times_ns(steps, before, after, start_ns, end_ns)
    for (count, reason), time_ns in zip(steps, times_ns, strict=True):
        yield time_ns, print_event(time_ns, nid, count, reason)


def _steps(before: np.void, after: np.void) -> list[Step]:
    steps: list[Step] = []
    count = int(before["kswapd_failures"])
    for found, reason in _cleared(before, after):
        steps += [(failures, "") for failures in range(count + 1, found + 1)]
        steps.append((0, reason))
        count = 0
    return steps + [(failures, "") for failures in range(count + 1, int(after["kswapd_failures"]) + 1)]


def _cleared(before: np.void, after: np.void) -> list[tuple[int, str]]:
    """The count that each reset found, and who it was: the largest first, which fits any count before.

    A reset of a hopeless node found 16, another one 1 to 15; together they found all failures there were.
    """
    resets, revivals = (after["vmstat"][name] - before["vmstat"][name] for name in ("resets", "revivals"))
    nr_resets, nr_revivals = int(resets.sum()), int(revivals.sum())
    if nr_resets == 0:
        return []
    new = after["vmstat"]["kswapd_fruitless_runs"] - before["vmstat"]["kswapd_fruitless_runs"]
    left = int(before["kswapd_failures"] + new - after["kswapd_failures"])
    found = [MAX_RECLAIM_RETRIES] * nr_revivals + [1] * (nr_resets - nr_revivals)
    left -= sum(found)
    for index in range(nr_revivals, nr_resets):
        more = min(left, MAX_RECLAIM_RETRIES - 2)
        found[index] += more
        left -= more
    who = [_name(r) for r in range(NR_REASONS) for _ in range(revivals[r])]
    who += [_name(r) for r in range(NR_REASONS) for _ in range(resets[r] - revivals[r])]
    return list(zip(found, who, strict=True))


def _name(reason: int) -> str:
    """The tracepoint's word for a reason of the model."""
    return next(name for name, reasons in COLUMNS.items() if reason in reasons)


def _times_ns(steps: list[Step], before: np.void, after: np.void, start_ns: int, end_ns: int) -> list[int]:
    """Where the model kept the time of an event, that; the others evenly between. All within the tick."""
    runs = [index for index, (_, reason) in enumerate(steps) if not reason]
    clears = [index for index, (_, reason) in enumerate(steps) if reason]
    deaths = [index for index, (count, _) in enumerate(steps) if count == MAX_RECLAIM_RETRIES]
    known_s: dict[int, float] = {}
    for field, places in (("last_reset_s", clears[-1:]), ("hopeless_since_s", deaths[-1:])):
        known_s |= {index: after[field] for index in places if after[field] >= 0}
    for field, places in (("first_fruitless_s", runs[:1]), ("first_hopeless_s", deaths[:1])):
        known_s |= {index: after[field] for index in places if before[field] < 0}
    edges_ns = {
        -1: start_ns,
        **{index: known_s[index] * 1e9 for index in sorted(known_s)},
        len(steps): end_ns,
    }
    times_ns = np.interp(range(len(steps)), list(edges_ns), list(edges_ns.values()))
    times_ns = np.maximum.accumulate(np.clip(np.rint(times_ns), start_ns, end_ns - 1))
    return times_ns.astype(np.int64).tolist()
