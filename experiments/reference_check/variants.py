"""What is compared where no scenario is named: the kernel lab's scenarios, and small made ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from reclaim_env.scenario import Scenario, load, parse, parse_text

LAB_RULES = ("always", "balanced", "never")
ACCESS = ("read", "mmap", "exec")
MEMBERS = (1, 8, 64)
DEVICES = {"quick": 3000.0, "saturated": 8.0}  # MiB/s


@dataclass(frozen=True)
class Variant:
    scenario: Scenario
    rule: str
    kernel: str = "6.12"

    @property
    def label(self) -> str:
        return f"{self.scenario.name} ({self.rule})"


def named(scenarios: Sequence[str]) -> list[Variant]:
    """Each scenario, bundled or a file, under the two rules of history."""
    return [Variant(load(one), rule) for one in scenarios for rule in LAB_RULES[:2]]


def standard() -> list[Variant]:
    return [*_made(), *_lab()]


def _lab() -> list[Variant]:
    folder = resources.files("experiments.kernel_lab") / "scenarios"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    texts = [parse_text(file.read_text("utf-8"), file.name) for file in files]
    return [Variant(scenario, rule) for scenario in texts for rule in LAB_RULES]


def _made() -> list[Variant]:
    made = [_readers(access, 1, device) for device in DEVICES for access in ACCESS]
    made += [_readers(access, members, "quick") for members in MEMBERS[1:] for access in ACCESS]
    made += [_stream(rate) for rate in (10.0, 200.0)]
    made += [_low(low_mib) for low_mib in (10.0, 25.0)]
    return [Variant(scenario, "always") for scenario in made]


def _scenario(name: str, bandwidth_mib_per_s: float = 3000.0, **tables: Any) -> Scenario:
    """One node of 256 MiB of which 216 are the kernel's; 40 are for files and free pages."""
    return parse(
        {
            "name": name,
            "source": "made to be compared",
            "duration_s": 10,
            "thp": False,
            "min_free_kib": 2048,
            "node": [{"total_mib": 256, "kernel_mib": 216}],
            "device": {
                "latency_us": 80,
                "bandwidth_mib_per_s": bandwidth_mib_per_s,
                "iops_per_s": 400_000,
            },
            **tables,
        }
    )


def _reader(access: str, members: int) -> dict[str, Any]:
    """Eight of ten touches go to 16 MiB, the others to 60; 34 are resident at the start."""
    hot = {"mib": 16 / members, "share": 8, "access": access, "active_mib": [8 / members]}
    cold = {"mib": 60 / members, "share": 2, "access": access, "inactive_mib": [26 / members]}
    pace = {"op_cpu_us": 5, "ops_per_s": 20_000 / members, "threads": 4}
    return {"name": "reader", "cgroup": "box", "cpu_node": 0, "file": [hot, cold], **pace}


def _readers(access: str, members: int, device: str) -> Scenario:
    return _scenario(
        f"{access}-{members}-{device}",
        DEVICES[device],
        cgroup=[{"name": "box", "count": members}],
        reader=[_reader(access, members)],
    )


def _stream(mib_per_s: float) -> Scenario:
    """A stream of new pages beside a mapped working set."""
    stream = {"name": "stream", "cpu_node": 0, "mib_per_s": mib_per_s}
    return _scenario(
        f"stream-{mib_per_s:g}", cgroup=[{"name": "box"}], reader=[_reader("mmap", 1)], stream=[stream]
    )


def _low(low_mib: float) -> Scenario:
    """A cgroup under memory.low beside a stream."""
    stream = {"name": "stream", "cpu_node": 0, "mib_per_s": 20}
    box = {"name": "box", "memory_low_mib": low_mib}
    return _scenario(f"low-{low_mib:g}", cgroup=[box], reader=[_reader("read", 1)], stream=[stream])
