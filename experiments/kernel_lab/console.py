"""The guest's console: lines of ours begin with @ and are JSON, everything else is the kernel's noise."""

import json
from dataclasses import dataclass
from typing import Any

MARK = "@{"
VERSION = 1
LAST_WORDS = 160  # of a kernel's line, in a reason of failure


@dataclass(frozen=True)
class Console:
    """What a log says; a run is whole only with `boot`, samples and `end`."""

    boot: dict[str, Any] | None
    samples: tuple[dict[str, Any], ...]
    latency_bins: dict[str, list[int]]  # workload -> operations per bin
    kills: tuple[dict[str, Any], ...]
    error: str | None
    ended: bool
    last_kernel_line: str

    @property
    def why_incomplete(self) -> str | None:
        """None: a good run. The guest's own words before the kernel's last ones."""
        if self.error is not None:
            return f"guest: {self.error}"
        if self.boot is None:
            return f"the guest never reached t = 0; last line: {self.last_kernel_line}"
        if not self.ended or not self.samples:
            return f"the log stops before its end; last line: {self.last_kernel_line}"
        return None


def parse(log: bytes) -> Console:
    """Lines that are cut or interleaved with the kernel's are noise: what they said is missing."""
    text = log.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    records = [record for line in lines if (record := _record(line)) is not None]
    noise = [line for line in lines if not line.startswith(MARK)]
    boot = next((record for record in records if record["kind"] == "boot"), None)
    if boot is not None and boot.get("version") != VERSION:
        raise ValueError(f"console log: found version {boot.get('version')}, wanted {VERSION}")
    return Console(
        boot=boot,
        samples=_of(records, "sample"),
        latency_bins={record["name"]: record["bins"] for record in _of(records, "latency")},
        kills=_of(records, "kill"),
        error=next((str(record.get("what")) for record in _of(records, "error")), None),
        ended=bool(_of(records, "end")),
        last_kernel_line=noise[-1][:LAST_WORDS] if noise else "none",
    )


def _of(records: list[dict[str, Any]], kind: str) -> tuple[dict[str, Any], ...]:
    return tuple(record for record in records if record["kind"] == kind)


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith(MARK):
        return None
    try:
        record = json.loads(line[1:])
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and "kind" in record else None
