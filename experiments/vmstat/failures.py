"""kswapd_failures of one node over a recording: the staircase of the trace, or what zoneinfo shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from reclaim_env.model.constants import (
    FREE_PATH,
    GLOBAL_DIRECT,
    KSWAPD,
    MAX_RECLAIM_RETRIES,
    MEMCG_HIGH,
    MEMCG_MAX,
    NR_REASONS,
    OTHER,
    PROACTIVE,
)

from . import tracepoints
from .lines import seconds
from .tracepoints import Event

# What the trace calls a reason, as the model's reasons; DIRECT may be any of four.
COLUMNS = {
    "KSWAPD": [KSWAPD],
    "DIRECT": [GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE],
    "PCP": [FREE_PATH],
    "OTHER": [OTHER],
}


@dataclass(frozen=True)
class Failures:
    """NaN: cannot be told."""

    count: np.ndarray  # (samples,)
    hopeless: np.ndarray  # (samples,) 0 or 1
    resets: np.ndarray  # (samples, reasons)
    revivals: np.ndarray  # (reasons,)
    nr_cleared: dict[str, int]  # by the trace's reasons
    fruitless_runs: float
    hopeless_s: float
    first_fruitless_s: float
    first_hopeless_s: float
    last_reset_s: float

    @property
    def nr_resets(self) -> float:
        return sum(self.nr_cleared.values()) if self.nr_cleared else nan


def seen_in_zoneinfo(time_ns: np.ndarray, hopeless: np.ndarray) -> Failures:
    """Without a trace: node_unreclaimable (0, 1, NaN) holds for the interval that ends with a sample."""
    return Failures(
        count=np.where(hopeless == 1, MAX_RECLAIM_RETRIES, nan),  # kswapd sleeps, so it counts no further
        hopeless=hopeless,
        resets=np.full((len(time_ns), NR_REASONS), nan),
        revivals=np.full(NR_REASONS, nan),
        nr_cleared={},
        fruitless_runs=nan,
        hopeless_s=seconds(float(np.diff(time_ns) @ hopeless[1:])),
        first_fruitless_s=nan,
        first_hopeless_s=_first_s(time_ns[hopeless == 1], time_ns[0]),
        last_reset_s=nan,
    )


def told_by_trace(time_ns: np.ndarray, hopeless: np.ndarray, events: Sequence[Event]) -> Failures:
    """The staircase from the first sample to the last; an event shows in the samples after it."""
    within = [event for event in events if time_ns[0] <= event.time_ns < time_ns[-1]]
    at_ns = np.array([event.time_ns for event in within], np.int64)
    reasons = np.array([event.reason for event in within], object)
    count = _count_at(time_ns[0], hopeless[0], events)
    counts = np.array([count, *(event.failures for event in within)], float)  # from each event to the next
    dead = np.where(np.isnan(counts), hopeless[0], counts >= MAX_RECLAIM_RETRIES)
    edges_ns = np.concatenate((time_ns[:1], at_ns, time_ns[-1:]))
    before = np.searchsorted(at_ns, time_ns)
    return Failures(
        count=counts[before],
        hopeless=dead[before],
        resets=_by_reason(reasons, np.ones(len(within)))[before],
        revivals=_by_reason(reasons, dead[:-1])[-1],
        nr_cleared={name: int((reasons == name).sum()) for name in tracepoints.REASONS},
        fruitless_runs=int((reasons == "").sum()),
        hopeless_s=seconds(float(np.diff(edges_ns) @ dead)),
        first_fruitless_s=_first_s(at_ns[reasons == ""], time_ns[0]),
        first_hopeless_s=_first_s(edges_ns[:-1][dead == 1], time_ns[0]),
        last_reset_s=_first_s(at_ns[reasons != ""][::-1], time_ns[0]),
    )


def _count_at(start_ns: int, hopeless: float, events: Sequence[Event]) -> float:
    """kswapd_failures at the first sample: what the last event before left, or the next one found."""
    earlier = [event for event in events if event.time_ns < start_ns]
    if earlier:
        return earlier[-1].failures
    if events and not events[0].reason:
        return events[0].failures - 1
    return MAX_RECLAIM_RETRIES if hopeless == 1 else nan


def _by_reason(reasons: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """(events + 1, reasons): sums up to each event; NaN where the trace's reason may be one of several."""
    sums = np.zeros((len(reasons) + 1, NR_REASONS))
    for name, columns in COLUMNS.items():
        one = np.cumsum(np.where(reasons == name, amounts, 0.0))
        sums[1:, columns] = (one if len(columns) == 1 else np.where(one == 0, 0.0, nan))[:, None]
    return sums


def _first_s(times_ns: np.ndarray, start_ns: int) -> float:
    return seconds(int(times_ns[0] - start_ns)) if times_ns.size else nan
