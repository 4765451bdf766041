"""Runs of the kernel lab as they are compared: recorded as Parquet, or still in their run folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reclaim_env.scenario import Scenario

from ..wording import visible


@dataclass(frozen=True)
class KernelRun:
    """One boot, as far as it is compared."""

    scenario: Scenario
    rule: str
    kernel: str  # the model's preset with the same writers of kswapd_failures
    repeat: int
    key: str
    why_failed: str | None
    metrics: Mapping[str, float]  # NaN: undefined; none where the boot failed


def load(folder: Path) -> list[KernelRun]:
    """ValueError where the folder holds neither."""
    from . import records

    if not folder.is_dir():
        raise ValueError(f"{visible(str(folder))}: found no such folder, wanted one of kernel runs")
    recorded = (folder / records.RUNS).exists()
    found = records.read(folder) if recorded else records.from_run_folder(folder)
    return [
        KernelRun(one.scenario, one.rule, one.kernel, one.repeat, one.key, one.why_failed, one.metrics)
        for one in found
    ]
