"""Panels of a timeline for what not every machine has: swap, a lower tier, pressure, and who was killed."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from reclaim_env.model.constants import PRESSURES

from ..series import Series

# Of the machine: the dark ones memory, the light ones reads
PRESSURE_COLOURS = {
    "memory_full": "#a32c3f",
    "memory_some": "#dd8a95",
    "io_full": "#4c6a92",
    "io_some": "#a9bcd6",
}
KILL_COLOURS = {"oom_kill": "#cf3b32", "oomd_kill": "#8a4fc2"}
KILLERS = {"oom_kill": "killed by the kernel", "oomd_kill": "killed by the killer in user space"}
LEAST_PRESSURE_RATIO = 0.01  # below it nobody minds


def kills(axis: Any, series: Series) -> None:
    """A line across the panel where somebody was killed."""
    for kind, colour in KILL_COLOURS.items():
        for time_s in kill_times(series, kind):
            axis.axvline(time_s, color=colour, linewidth=1.2)


def kill_times(series: Series, kind: str) -> Iterator[float]:
    """Ends of the intervals with a kill on any node."""
    counted = getattr(series, kind)
    if counted is not None:
        yield from series.time_s[1:][np.diff(counted.sum(axis=1)) > 0]


def most_pressure(several: list[Series], mean_of) -> float:
    """The largest of any kind; 0 where it is nowhere worth a panel."""
    most = max(float(mean_of(one.pressure_ratio(name)).max()) for one in several for name in PRESSURES)
    return most if most >= LEAST_PRESSURE_RATIO else 0.0
