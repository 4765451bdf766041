"""Which metrics a recording left undefined, and why: what a reader must not take for zero."""

from collections.abc import Mapping
from math import isnan

from reclaim_env.model.constants import REASONS

from .failures import COLUMNS
from .tracepoints import CLEAR, FAIL

DIRECT = tuple(f"{what}_{REASONS[r]}" for what in ("resets", "revivals") for r in COLUMNS["DIRECT"])
FROM_TRACE = (
    "kswapd_fruitless_runs",
    "first_fruitless_s",
    "kswapd_failures_at_end",
    "last_reset_s",
    "resets",
    *(f"{what}_{reason}" for what in ("resets", "revivals") for reason in REASONS),
)
EVENTS = ("first_fruitless_s", "first_hopeless_s", "last_reset_s")  # undefined: it did not happen
ALWAYS = {
    "no file here holds kswapd's CPU time, nor when it is awake": (
        "kswapd_cpu_s",
        "kswapd_awake_s",
        "running_at_end",
    ),
    "no kernel adds up what threads wait for; the pressure totals are nearest": (
        "stall_s",
        "refault_wait_s",
        "workingset_wait_s",
        "read_wait_s",
        "limit_reclaim_s",
        "high_delay_s",
        "cost_s",
        "cost_refault_io_s",
        "cost_kswapd_cpu_s",
        "cost_stall_s",
    ),
    "no kernel counts boosts or the runs they begin": ("boosts", "boosted_fruitless_runs"),
    "what a killer in user space did stands in its log": ("oomd_kills",),
    "these files do not know cgroups": ("bystander_refault_mib", "bystander_refault_mib_per_s"),
    "which pages are cold, only a model knows": ("false_dead_s", "false_alive_s"),
    "the kernel log has it, these files do not": ("atomic_fail", "cost_atomic_s"),
    "progress that finds the count at 0 leaves no mark": tuple(f"progress_{reason}" for reason in REASONS),
}


def untold(metrics: Mapping[str, float], has_trace: bool) -> list[tuple[str, list[str]]]:
    """(why, names): each undefined metric once, whatever number of nodes lack it."""
    why = {name: words for words, names in ALWAYS.items() for name in names}
    if has_trace:
        why |= dict.fromkeys(DIRECT, f"{CLEAR} calls direct and cgroup reclaim alike DIRECT")
        why["kswapd_failures_at_end"] = "no event of the node tells its count"
    else:
        why |= dict.fromkeys(FROM_TRACE, f"needs a trace of {FAIL} and {CLEAR}")
    found: dict[str, list[str]] = {}
    for name, value in metrics.items():
        last = name.rpartition("/")[2]
        if not isnan(value) or _is_undefined(name, metrics) or (has_trace and last in EVENTS):
            continue
        reason = why.get(last) or _not_there(name, metrics)
        if last not in found.setdefault(reason, []):
            found[reason].append(last)
    return list(found.items())


def _is_undefined(name: str, metrics: Mapping[str, float]) -> bool:
    """An efficiency where nothing was scanned is no secret."""
    scanned = name.replace("efficiency_", "pgscan_")
    return scanned != name and metrics[scanned] == 0


def _not_there(name: str, metrics: Mapping[str, float]) -> str:
    last = name.rpartition("/")[2]
    if not isnan(metrics.get(last, float("nan"))):
        return "this kernel counts it for the machine, not for a node"
    return "the files do not have it: missing, or not counted by this kernel"
