"""An episode of the simulator as a machine would show it: snapshots of /proc, and a trace.

What the model does not know is not written: cgroups, and without swap or a lower tier the lists of anonymous
pages.
Scans and refaults by node stand in zoneinfo's per-node stats, where the newest kernels have them.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from reclaim_env.arguments import whole
from reclaim_env.model.constants import ACTIVE, INACTIVE, PRESSURES
from reclaim_env.reset_rules import is_hopeless, rule_of
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from .. import files
from ..evaluate import no_action
from . import procfs
from .between_ticks import trace_lines
from .snapshots import TRACE_NAME, shown

SNAPSHOTS_NAME = "snapshots.txt"
NS_PER_MS = 1_000_000
UPTIME_MS = 10  # /proc/uptime counts in hundredths of a second
NUMA = ("numa_hit", "numa_miss", "numa_foreign")
WORKINGSET = (
    "workingset_refault_anon",
    "workingset_refault_file",
    "workingset_activate_anon",
    "workingset_activate_file",
)
SCANS = (
    "pgrefill",
    "pgsteal_kswapd",
    "pgsteal_direct",
    "pgscan_kswapd",
    "pgscan_direct",
    "pgscan_anon",
    "pgscan_file",
    "pgsteal_anon",
    "pgsteal_file",
    "pgdemote_kswapd",
    "pgdemote_direct",
)
EVENTS = (
    "pgpgin",
    "pswpin",
    "pswpout",
    "pgalloc_normal",
    "allocstall",
    "pgfree",
    "pgactivate",
    "pgdeactivate",
    "pgmajfault",
    "slabs_scanned",
    *SCANS,
    "pgscan_direct_throttle",
    "kswapd_low_wmark_hit_quickly",
    "kswapd_high_wmark_hit_quickly",
    "pageoutrun",
    "oom_kill",
)
PRINTED = {"allocstall": "allocstall_movable"}  # pages of users are movable


def export(
    scenario: Scenario,
    rule: str,
    kernel: str,
    seed: int,
    every_ms: int,
    out: Path,
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Writes one episode to out, a new folder that `reclaim import vmstat` reads."""
    ticks_per_sample = _ticks_per_sample(scenario, every_ms)
    if not rule_of(rule).counts_as_kernel:
        raise ValueError(f"--rule: found {rule}, wanted one that counts failures as kernels do")
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"--out: {shown(out)}: found files, wanted a new folder")
    samples, events = [], []
    before = None
    for env in _ticks(scenario, rule, kernel, seed):
        if before is not None:
            events += _events(before, env, scenario.tick_ms)
        if env["tick"] % ticks_per_sample == 0:
            samples.append(sample(env, scenario.tick_ms))
        before = env
        on_tick()
    files.write_text(out / SNAPSHOTS_NAME, "\n".join(samples))
    events.sort(key=lambda event: event[0])
    files.write_text(out / TRACE_NAME, f"cpus={len(scenario.node)}\n" + "".join(line for _, line in events))


def _ticks_per_sample(scenario: Scenario, every_ms: int) -> int:
    whole("--every-ms", every_ms, UPTIME_MS, "the step of /proc/uptime in ms")
    whole("duration_s in ms", scenario.duration_s * 1000, every_ms, "--every-ms")
    return whole("--every-ms", every_ms, scenario.tick_ms, "tick_ms")


def nr_ticks(scenario: Scenario) -> int:
    return round(scenario.duration_s * 1000 / scenario.tick_ms)


def _ticks(scenario: Scenario, rule: str, kernel: str, seed: int) -> Iterator[np.void]:
    """A copy of the machine at time 0 and after each tick."""
    env = ReclaimVectorEnv(
        1, scenario, kernel=kernel, control_ms=scenario.tick_ms, episode_s=scenario.duration_s, rule=rule
    )
    env.reset(seed=[seed])
    yield env.records[0].copy()
    for _ in range(nr_ticks(scenario)):
        env.step(no_action(env))
        yield env.records[0].copy()


def _events(before: np.void, after: np.void, tick_ms: int) -> Iterator[tuple[int, str]]:
    start_ns, end_ns = (int(env["tick"]) * tick_ms * NS_PER_MS for env in (before, after))
    for nid in range(after["nr_nodes"]):
        yield from trace_lines(nid, before["node"][nid], after["node"][nid], start_ns, end_ns)


def sample(env: np.void, tick_ms: int) -> str:
    """What the shell loop of `reclaim import vmstat --help` prints once."""
    nodes = env["node"][: env["nr_nodes"]]
    stats = [_stats(env, nid) for nid in range(len(nodes))]
    zones = [_zone(node) for node in nodes]
    hopeless = is_hopeless(nodes)
    parts = {
        "uptime": procfs.print_uptime(int(env["tick"]) * tick_ms * NS_PER_MS),
        "vmstat": procfs.print_vmstat(_vmstat(nodes, stats, zones)),
        **{f"pressure/{resource}": _pressure(env, resource) for resource in ("io", "memory")},
        "zoneinfo": "".join(map(procfs.print_zone, range(len(nodes)), stats, zones, hopeless)),
    }
    return "\n".join(f"==> /proc/{name} <==\n{text}" for name, text in parts.items())


def _pressure(env: np.void, resource: str) -> str:
    """some and full of one resource."""
    psi = env["psi"]
    place = {who: PRESSURES.index(f"{resource}_{who}") for who in ("some", "full")}
    names = ("avg10_ratio", "avg60_ratio", "total_s")
    return procfs.print_pressure({who: tuple(float(psi[n][i]) for n in names) for who, i in place.items()})


def _stats(env: np.void, nid: int) -> dict[str, int]:
    """zoneinfo's per-node stats."""
    node = env["node"][nid]
    inactive, active = (int(node["list_pages"][lst]) for lst in (INACTIVE, ACTIVE))
    return {
        **_anon_lists(env, node),
        "nr_inactive_file": inactive,
        "nr_active_file": active,
        **{name: int(node["vmstat"][name]) for name in WORKINGSET},
        "nr_anon_pages": int(env["memcg"]["anon_pages"][: env["nr_memcgs"], nid].sum()),
        "nr_file_pages": inactive + active,
        "nr_slab_reclaimable": int(node["slab_pages"]),
        **{name: int(node["vmstat"][name]) for name in SCANS},
    }


def _anon_lists(env: np.void, node: np.void) -> dict[str, int]:
    """Where anonymous memory can leave; elsewhere the model does not sort it."""
    if env["nr_anon_classes"] == 0:
        return {}
    names = ("nr_inactive_anon", "nr_active_anon")
    return {
        name: int(node["anon_list_pages"][lst]) for name, lst in zip(names, (INACTIVE, ACTIVE), strict=True)
    }


def _zone(node: np.void) -> dict[str, int]:
    free = int(node["free_pages"])
    return {
        "free": free,
        "boost": int(node["boost_pages"]),
        **{name: int(node[f"{name}_wmark_pages"]) for name in ("min", "low", "high", "promo")},
        "managed": int(node["managed_pages"]),
        "nr_free_pages": free,
        **{name: int(node["vmstat"][name]) for name in NUMA},
    }


def _vmstat(nodes: np.ndarray, stats: list[dict[str, int]], zones: list[dict[str, int]]) -> dict[str, int]:
    """The sums over the nodes, in the kernel's order: zones, nodes, events."""
    of_zones = ("nr_free_pages", *NUMA)
    of_nodes = [name for name in stats[0] if name not in SCANS]
    return {
        **{name: sum(zone[name] for zone in zones) for name in of_zones},
        **{name: sum(node[name] for node in stats) for name in of_nodes},
        **{PRINTED.get(name, name): int(nodes["vmstat"][name].sum()) for name in EVENTS},
    }
