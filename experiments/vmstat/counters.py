"""One set of names for the counters of all kernels: those of the model, which are those of 5.9 and later."""

from collections.abc import Iterator, Mapping
from math import nan

import numpy as np

from reclaim_env.model.layout import VMSTAT

from .lines import Reading, refusal
from .procfs import Node

# No kernel counts them.
OURS = {
    "atomic_fail",
    "boosted_fruitless_runs",
    "boosts",
    "bystander_refault_pages",
    "kswapd_fruitless_runs",
    "oomd_kill",
}
KNOWN = {name for name in VMSTAT.names or () if VMSTAT[name] == np.int64} - OURS
RENAMED = {  # up to 5.8 only files were counted
    "workingset_refault": "workingset_refault_file",
    "workingset_activate": "workingset_activate_file",
}
BY_ZONE = "allocstall_"  # one counter for each kind of zone


def of_machine(vmstat: Mapping[str, Reading]) -> dict[str, Reading]:
    """The counters of /proc/vmstat that the model has as well."""
    found: dict[str, Reading] = {}
    for name, reading in vmstat.items():
        if name.startswith(BY_ZONE):
            so_far = found["allocstall"].value if "allocstall" in found else 0
            found["allocstall"] = Reading(so_far + reading.value, reading.line)
        elif (known := RENAMED.get(name, name)) in KNOWN:
            found[known] = reading
    return found


def of_node(node: Node) -> dict[str, Reading]:
    """Those of one node: numa_hit and its like by zone; refaults, and on newer kernels scans, by node."""
    return of_machine({**node.zones, **node.stats})


def others(vmstat: Mapping[str, Reading]) -> dict[str, Reading]:
    """What the machine counts besides, by its own names."""
    return {
        name: reading
        for name, reading in vmstat.items()
        if RENAMED.get(name, name) not in KNOWN and not name.startswith(BY_ZONE)
    }


class Growth:
    """First and last reading of each counter. One that falls says that two boots were mixed."""

    def __init__(self) -> None:
        self._first: dict[str, Reading] = {}
        self._last: dict[str, Reading] = {}

    def add(self, readings: Mapping[str, Reading]) -> None:
        for name, reading in readings.items():
            before = self._last.get(name)
            if before is not None and reading.value < before.value:
                wanted = "a counter that never falls (a reboot? import each boot by itself)"
                raise refusal(reading.line, name, f"{reading.value} after {before.value}", wanted)
            self._first.setdefault(name, reading)
            self._last[name] = reading

    def __getitem__(self, name: str) -> float:
        return self._last[name].value - self._first[name].value if name in self._last else nan

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)
