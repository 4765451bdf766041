"""What a reader is shown of a machine, in a reader's units: the text and the picture are drawn from this."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reclaim_env.model.constants import ACTIVE, DOZE, INACTIVE, PRESSURES, REASONS, RUN
from reclaim_env.reset_rules import GLOBAL_DIRECT_MASK, KSWAPD_MASK, MEMCG_MASK, WHOLE_COUNT, is_hopeless
from reclaim_env.units import PAGES_PER_MIB

if TYPE_CHECKING:
    from reclaim_env.vector import ReclaimVectorEnv

MEMORY_COLOURS = {
    "anon": "#7a6fae",
    "kernel": "#9aa0a6",
    "active file": "#2f7fb8",
    "inactive file": "#8cc3e8",
    "free": "#eef1f4",
}
STATE_COLOURS = {"running": "#2e9e5b", "dozing": "#d9a514", "asleep": "#8a9199", "hopeless": "#cf3b32"}
# Of free memory at or below a watermark; above high: ""
MARK_COLOURS = {"min": "#cf3b32", "low": "#e07b39", "high": "#d9a514", "": "#2e9e5b"}
FAILURE_CELLS = 16
REASON_WORDS = dict(
    zip(
        REASONS,
        (
            "kswapd",
            "direct reclaim",
            "memory.high",
            "memory.max",
            "memory.reclaim",
            "freed pages",
            "a probe or demotion on",
        ),
        strict=True,
    )
)


@dataclass(frozen=True)
class NodeView:
    """One node."""

    nid: int
    memory_mib: dict[str, float]  # name -> MiB, the node's whole
    usable_mib: float  # free pages that count against the watermarks
    watermarks_mib: dict[str, float]
    state: str
    failures: int
    failure_limit: int
    resets: str
    allowed: str  # what an agent lets reset the count now; empty under a rule
    activity: str
    besides: str  # what not every machine has; empty where this one has nothing of it

    @property
    def total_mib(self) -> float:
        return sum(self.memory_mib.values())

    @property
    def scale_mib(self) -> float:
        """Right end of the picture of free memory."""
        return 1.6 * self.watermarks_mib["high"]

    @property
    def below(self) -> str:
        """The lowest watermark that free memory does not pass; empty above high."""
        return next(
            (name for name in self.watermarks_mib if self.usable_mib <= self.watermarks_mib[name]), ""
        )

    @property
    def failure_cells(self) -> int:
        """Of FAILURE_CELLS, those that the count fills on its way to giving up."""
        return -(-FAILURE_CELLS * min(self.failures, self.failure_limit) // self.failure_limit)

    @property
    def failures_text(self) -> str:
        return (
            f"{self.failures}"
            if self.failure_limit == WHOLE_COUNT
            else f"{self.failures}/{self.failure_limit}"
        )


@dataclass(frozen=True)
class MachineView:
    """A machine at the end of a control interval."""

    title: str
    subtitle: str
    pressure: str
    nodes: tuple[NodeView, ...]


def machine_view(env: "ReclaimVectorEnv", row: int) -> MachineView:
    record = env.records[row]
    name = env.scenarios[env.scenario_of_row[row]].name
    who = f"rule {env.rule}" if env.rule else "an agent"
    return MachineView(
        title=f"{name}, kernel {env.kernel}, {who}: t = {record['time_s']:.1f} s",
        subtitle=f"the last interval cost {0.0 - env.last_reward[row]:.3f} s, all nodes together",
        pressure=_pressure(record),
        nodes=tuple(_node_view(record, nid, env.rule) for nid in range(record["nr_nodes"])),
    )


def _node_view(record: np.void, nid: int, rule: str | None) -> NodeView:
    node = record["node"][nid]
    inactive, active = (node["list_pages"][which] for which in (INACTIVE, ACTIVE))
    kernel = node["kernel_pages"] + node["slab_pages"]
    rest = node["managed_pages"] - node["free_pages"] - kernel - inactive - active
    pages = {
        "anon": rest,
        "kernel": kernel,
        "active file": active,
        "inactive file": inactive,
        "free": node["free_pages"],
    }
    return NodeView(
        nid=nid,
        memory_mib={name: float(count) / PAGES_PER_MIB for name, count in pages.items()},
        usable_mib=float(node["free_pages"] - node["unusable_pages"]) / PAGES_PER_MIB,
        watermarks_mib={
            mark: float(node[f"{mark}_wmark_pages"]) / PAGES_PER_MIB for mark in ("min", "low", "high")
        },
        state=_state(node),
        failures=int(node["kswapd_failures"]),
        failure_limit=int(node["failure_limit"]),
        resets=_resets(node, float(record["time_s"])),
        allowed="" if rule else _allowed(int(node["reset_always_mask"])),
        activity=_activity(node),
        besides=_besides(node),
    )


def _pressure(record: np.void) -> str:
    """Some and full, of memory and of reads."""
    percent: dict[str, float] = dict(zip(PRESSURES, 100 * record["psi"]["avg10_ratio"], strict=True))
    shares = (
        f"{resource} {percent[f'{resource}_some']:.0f}/{percent[f'{resource}_full']:.0f} %"
        for resource in ("memory", "io")
    )
    return f"pressure 10 s, some/full: {', '.join(shares)}"


def _besides(node: np.void) -> str:
    vmstat = node["vmstat"]
    demoted_pages = vmstat["pgdemote_kswapd"] + vmstat["pgdemote_direct"]
    sizes = {
        "in swap": node["swapped_pages"],
        "demoted": demoted_pages,
        "boosted by": node["boost_pages"],
        "in a balloon": node["balloon_pages"],
    }
    counts = {"killed by the kernel": vmstat["oom_kill"], "killed by oomd": vmstat["oomd_kill"]}
    said = [f"{words} {pages / PAGES_PER_MIB:,.0f} MiB" for words, pages in sizes.items() if pages]
    return ", ".join([*said, *(f"{words} {count}" for words, count in counts.items() if count)])


def _state(node: np.void) -> str:
    if is_hopeless(node):
        return "hopeless"
    return {int(RUN): "running", int(DOZE): "dozing"}.get(int(node["kswapd_phase"]), "asleep")


def _resets(node: np.void, time_s: float) -> str:
    """How many, by whom, and the last."""
    counts = {
        REASON_WORDS[name]: int(n) for name, n in zip(REASONS, node["vmstat"]["resets"], strict=True) if n
    }
    if not counts:
        return "none"
    who = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda one: -one[1]))
    ago_s = max(time_s - float(node["last_reset_s"]), 0.0)
    return f"{who}; the last {ago_s:.1f} s ago by {REASON_WORDS[REASONS[int(node['last_reset_reason'])]]}"


def _allowed(mask: int) -> str:
    """What the agent lets reset the count in this interval."""
    sources = {"kswapd": KSWAPD_MASK, "direct": GLOBAL_DIRECT_MASK, "memcg": MEMCG_MASK}
    allowed = [name for name, bits in sources.items() if mask & bits == bits]
    if len(allowed) == len(sources):
        return "reset"
    return f"reset by {' and '.join(allowed)}" if allowed else "keep"


def _activity(node: np.void) -> str:
    vmstat = node["vmstat"]
    refaults = f"refaults {node['refault_2s_per_s'] / PAGES_PER_MIB:.1f} MiB/s"
    return f"{refaults}, kswapd {vmstat['kswapd_cpu_s']:.1f} CPU s, stalls {vmstat['stall_s']:.1f} s"
