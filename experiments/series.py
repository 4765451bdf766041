"""One episode over time: what the charts and the story of the resets are drawn from."""

import io
from dataclasses import MISSING, dataclass, fields

import numpy as np

from reclaim_env.model.constants import PRESSURES

from .metrics import MIB_PER_PAGE

CUMULATIVE = (
    "kswapd_cpu_s",
    "awake_s",
    "workingset_refault_file",
    "bystander_refault_pages",
    "allocstall",
    "stall_s",
    "pgscan_kswapd",
    "pgsteal_kswapd",
)
STATE = (
    "min_wmark_pages",
    "low_wmark_pages",
    "high_wmark_pages",
    "free_pages",
    "kswapd_failures",
    "kswapd_phase",
)
CONSTANT = ("unusable_pages", "failure_limit")
# Counters that the model samples and a real machine does not tell node by node
PARTS = ("pswpout", "pswpin", "pgdemote_kswapd", "pgdemote_direct", "oom_kill", "oomd_kill")


@dataclass(frozen=True)
class Series:
    """Samples at the start and after each control interval, (samples, nodes) unless said."""

    time_s: np.ndarray  # (samples,)
    unusable_pages: np.ndarray  # (nodes,)
    failure_limit: np.ndarray  # (nodes,) kswapd has given up at so many failures
    min_wmark_pages: np.ndarray
    low_wmark_pages: np.ndarray
    high_wmark_pages: np.ndarray
    free_pages: np.ndarray
    kswapd_failures: np.ndarray
    kswapd_phase: np.ndarray
    resets: np.ndarray  # (samples, nodes, reasons)
    kswapd_cpu_s: np.ndarray
    awake_s: np.ndarray
    workingset_refault_file: np.ndarray
    bystander_refault_pages: np.ndarray  # one column for all nodes where only the machine is known
    allocstall: np.ndarray
    stall_s: np.ndarray
    pgscan_kswapd: np.ndarray
    pgsteal_kswapd: np.ndarray
    # None where they were not sampled
    pswpout: np.ndarray | None = None
    pswpin: np.ndarray | None = None
    pgdemote_kswapd: np.ndarray | None = None
    pgdemote_direct: np.ndarray | None = None
    oom_kill: np.ndarray | None = None
    oomd_kill: np.ndarray | None = None
    pressure_s: np.ndarray | None = None  # (samples, PRESSURES) of the machine

    @property
    def nr_nodes(self) -> int:
        return self.free_pages.shape[1]

    @property
    def interval_s(self) -> np.ndarray:
        return np.diff(self.time_s)

    def per_s(self, counter: str) -> np.ndarray:
        """(samples - 1, nodes): growth of a counter per second."""
        return np.diff(getattr(self, counter), axis=0) / self.interval_s[:, None]

    def refault_mib_per_s(self) -> np.ndarray:
        return self.per_s("workingset_refault_file") * MIB_PER_PAGE

    def mib_per_s(self, *counters: str) -> np.ndarray:
        """(samples - 1, nodes): growth of counters of pages, together; zeros where they were not sampled."""
        known = [self.per_s(name) for name in counters if getattr(self, name) is not None]
        return sum(known, np.zeros((len(self.time_s) - 1, self.nr_nodes))) * MIB_PER_PAGE

    def pressure_ratio(self, name: str) -> np.ndarray:
        """(samples - 1,): share of each interval in which somebody, or everybody, waited."""
        if self.pressure_s is None:
            return np.zeros(len(self.time_s) - 1)
        return np.diff(self.pressure_s[:, PRESSURES.index(name)]) / self.interval_s

    def awake_ratio(self) -> np.ndarray:
        return np.clip(self.per_s("awake_s"), 0.0, 1.0)

    def hopeless(self) -> np.ndarray:
        return self.kswapd_failures >= self.failure_limit

    def new_resets(self) -> np.ndarray:
        """(samples - 1, nodes, reasons): resets within each interval."""
        return np.diff(self.resets, axis=0)

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(buffer, **{name: array for name, array in arrays.items() if array is not None})
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Series":
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names = [one.name for one in fields(cls) if one.default is MISSING or one.name in arrays]
            return cls(**{name: arrays[name] for name in names})


class Recorder:
    """Collects the series of one row of a running vector env."""

    def __init__(self, record: np.void) -> None:
        self._nodes = slice(0, int(record["nr_nodes"]))
        first = record["node"][self._nodes]
        self._constant = {name: first[name].copy() for name in CONSTANT}
        self._sampled: dict[str, list[np.ndarray]] = {}
        self.sample(record)

    def sample(self, record: np.void) -> None:
        node = record["node"][self._nodes]
        for name in STATE:
            self._sampled.setdefault(name, []).append(node[name].copy())
        for name in (*CUMULATIVE, *PARTS, "resets"):
            self._sampled.setdefault(name, []).append(node["vmstat"][name].copy())
        self._sampled.setdefault("pressure_s", []).append(record["psi"]["total_s"].copy())
        self._sampled.setdefault("time_s", []).append(np.array(record["time_s"]))

    def series(self) -> Series:
        return Series(**self._constant, **{name: np.stack(found) for name, found in self._sampled.items()})
