"""What a number depends on, as hashes, and where it was computed, as a manifest tells it."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reclaim_env.arguments import whole
from reclaim_env.presets import preset
from reclaim_env.reward import WEIGHTS
from reclaim_env.scenario import Scenario

from .contender import Contender
from .wording import visible

ROOT = Path(__file__).parent.parent
PACKAGES = ("reclaim-env", "numpy", "numba", "llvmlite", "gymnasium", "scipy", "torch", "stable-baselines3")


@dataclass(frozen=True)
class Setting:
    """What an episode depends on besides scenario, rule and seed."""

    kernel: str = "7.0"
    weights: str = "default"
    control_ms: int = 100

    def __post_init__(self) -> None:
        preset(self.kernel, "--kernel")
        if self.weights not in WEIGHTS:
            raise ValueError(f"--weights: found {self.weights!r}, wanted one of {', '.join(WEIGHTS)}")

    def check_clock(self, scenarios: Iterable[Scenario]) -> None:
        """A ValueError where episodes are no whole number of decisions, or the time between them of ticks."""
        for one in scenarios:
            where = visible(one.name)
            if self.control_ms % one.tick_ms:
                wanted = f"a divisor of the {self.control_ms} ms between decisions"
                raise ValueError(f"{where}: tick_ms: found {one.tick_ms}, wanted {wanted}")
            unit_name = "the seconds between decisions"
            whole(f"{where}: duration_s", one.duration_s, self.control_ms / 1000, unit_name)


@cache
def source_hash() -> str:
    """Of all that turns a seed into numbers: environment, model, agents and the table of metrics."""
    digest = hashlib.sha256()
    for package in ("reclaim_env", "agents"):
        for source in sorted((ROOT / package).rglob("*.py")):
            digest.update(str(source.relative_to(ROOT)).encode())
            digest.update(source.read_bytes())
    for name in ("metrics.py", "evaluate.py", "series.py"):
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:16]


def row_key(scenario: Scenario, contender: Contender, setting: Setting, seed: int) -> str:
    parts = {
        "scenario": json.loads(scenario.model_dump_json()),
        "contender": contender.identity,
        "name": contender.name,
        "setting": vars(setting),
        "seed": seed,
        "source": source_hash(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def versions() -> dict[str, str]:
    """Of this package and those that can change a number; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def provenance() -> dict[str, object]:
    """Of numbers computed now, as a manifest tells it."""
    return {
        "commit": commit(),
        "source_hash": source_hash(),
        "versions": versions(),
        "machine": machine(),
    }


def machine() -> dict[str, object]:
    """What kind of machine, and nothing that says whose."""
    return {"architecture": platform.machine(), "system": platform.system(), "cpus": usable_cpus()}


def usable_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit() -> str | None:
    """Of the checkout this runs from, -dirty where files differ from it; None for an installed package."""
    if not (ROOT / ".git").exists():
        return None
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
