"""One episode over time: what the charts and the story of the resets are drawn from."""

import io
from dataclasses import dataclass, fields

import numpy as np

from reclaim_env.model.constants import DOZE, RUN

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

    def awake_ratio(self) -> np.ndarray:
        return np.clip(self.per_s("awake_s"), 0.0, 1.0)

    def hopeless(self) -> np.ndarray:
        return self.kswapd_failures >= self.failure_limit

    def not_asleep(self) -> np.ndarray:
        return np.isin(self.kswapd_phase, (RUN, DOZE))

    def new_resets(self) -> np.ndarray:
        """(samples - 1, nodes, reasons): resets within each interval."""
        return np.diff(self.resets, axis=0)

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{field.name: getattr(self, field.name) for field in fields(self)})
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Series":
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


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
        for name in (*CUMULATIVE, "resets"):
            self._sampled.setdefault(name, []).append(node["vmstat"][name].copy())
        self._sampled.setdefault("time_s", []).append(np.array(record["time_s"]))

    def series(self) -> Series:
        return Series(**self._constant, **{name: np.stack(found) for name, found in self._sampled.items()})
