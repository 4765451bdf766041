"""From a scenario to the state of its machine at time 0: pages and seconds, members multiplied out."""

import math

import numpy as np

from reclaim_env.boot_anon import fill_anon_lists, set_heats, set_swap
from reclaim_env.model.constants import (
    ACTIVE,
    ANON,
    ATOMIC,
    BIND,
    DEFLATE,
    DEMOTION_OFF,
    DEMOTION_ON,
    EXEC,
    FRESH,
    INACTIVE,
    INFLATE,
    INTERLEAVE,
    LOCAL,
    MEMCG_HIGH,
    MEMCG_MAX,
    MMAP,
    NR_BINS,
    OFFLINE,
    ONLINE,
    PAGE_BYTES,
    PREFERRED,
    PROACTIVE,
    READ,
    READER,
    REFERENCED,
    SLAB_OBJECTS_PER_PAGE,
    STREAM,
    SWAPON,
    UNREFERENCED,
)
from reclaim_env.model.layout import alloc
from reclaim_env.presets import preset
from reclaim_env.reset_rules import RULES, begin_under
from reclaim_env.scenario import Scenario
from reclaim_env.scenario.workloads import Anon, Atomic, File, Reader, Stream
from reclaim_env.units import PAGES_PER_MIB, pages_from_kib, pages_from_mib

_ACCESS = {"read": READ, "mmap": MMAP, "exec": EXEC}
_POLICY = {"local": LOCAL, "bind": BIND, "preferred": PREFERRED, "interleave": INTERLEAVE}
_EVENT = {
    "memory_high": MEMCG_HIGH,
    "memory_max": MEMCG_MAX,
    "memory_reclaim": PROACTIVE,
    "swapon": SWAPON,
    "demotion_on": DEMOTION_ON,
    "demotion_off": DEMOTION_OFF,
}
_HOTPLUG = {"online": ONLINE, "offline": OFFLINE, "inflate": INFLATE, "deflate": DEFLATE}
_KIND = {Anon: ANON, Reader: READER, Stream: STREAM, Atomic: ATOMIC}
_ANON_PAGES_PER_OP = 256  # an operation of an anonymous workload is a MiB touched
_NODE_TO_ITSELF, _NODE_TO_OTHER = 10, 20  # distances where the scenario gives none


def boot(scenario: Scenario, kernel: str = "7.0") -> np.ndarray:
    """(1,) machine of layout.ENV under a kernel preset (ValueError if unknown), rule `never`, seed 0."""
    machine = alloc(1)
    env = machine[0]
    env["tick_s"] = scenario.tick_ms / 1000
    for name, switch in preset(kernel)._asdict().items():
        env[name] = switch
    env["watermark_boost_factor"] = scenario.watermark_boost_factor
    env["watermark_scale_factor"] = scenario.watermark_scale_factor
    env["user_min_free_kib"] = scenario.min_free_kib or 0
    env["thp"] = scenario.thp
    _set_costs(env, scenario)
    set_swap(env, scenario)
    _set_nodes(env, scenario)
    begin_under(machine, RULES["never"])
    _set_memcgs(env, scenario)
    _set_workloads(env, scenario)
    _set_events(env, scenario)
    _set_hotplugs(env, scenario)
    _set_oomd(env, scenario)
    _set_lruvecs(env)
    _fill(env, scenario)
    fill_anon_lists(env, scenario)
    _date_filling(env, scenario)
    return machine


def memcg_row(scenario: Scenario, cgroup: str) -> int:
    """Rows of cgroups are those of the file; the root, if anything lives in it, comes last."""
    return len(scenario.cgroup) if cgroup == "" else scenario.cgroup_names.index(cgroup)


def _set_costs(env: np.void, scenario: Scenario) -> None:
    cost = scenario.cost
    for name in (
        "scan",
        "scan_mapped",
        "free",
        "unmap",
        "pass",
        "pass_memcg",
        "direct_entry",
        "anon_fault",
        "anon_free",
        "migrate",
    ):
        env["cost"][f"{name}_s"] = getattr(cost, f"{name}_us") * 1e-6
    env["cost"]["tlb_s"] = cost.tlb_ms * 1e-3
    env["device"]["latency_s"] = scenario.device.latency_us * 1e-6
    env["device"]["request_s"] = 1 / scenario.device.iops_per_s
    env["device"]["page_s"] = PAGE_BYTES / (scenario.device.bandwidth_mib_per_s * 2**20)


def _set_nodes(env: np.void, scenario: Scenario) -> None:
    env["nr_nodes"] = len(scenario.node)
    env["nr_cpus"] = sum(node.cpus for node in scenario.node)
    for nid, table in enumerate(scenario.node):
        node = env["node"][nid]
        marks = scenario.watermarks[nid]
        node["managed_pages"] = scenario.managed_pages[nid]
        node["unusable_pages"] = pages_from_mib(table.unusable_mib)
        node["kernel_pages"] = pages_from_mib(table.kernel_mib)
        node["slab_pages"] = pages_from_mib(table.slab_mib)
        node["slab_objects"] = node["slab_pages"] * SLAB_OBJECTS_PER_PAGE
        node["slab_pages_per_s"] = table.slab_mib_per_s * PAGES_PER_MIB
        node["free_pages"] = scenario.free_pages[nid]
        for name in ("min", "low", "high", "promo"):
            node[f"{name}_wmark_pages"] = getattr(marks, f"{name}_pages")
        node["kswapd_cpu_share_ratio"] = table.kswapd_cpu_share_ratio
        node["boosts_per_s"] = table.boosts_per_s
        node["zonelist"][: len(scenario.node)] = _zonelist(scenario, nid)
        node["below_high"] = node["free_pages"] - node["unusable_pages"] <= node["high_wmark_pages"]
        node["demotion_target"] = -1 if table.demotes_to is None else table.demotes_to
        node["last_reset_reason"] = -1
        node["probed_s"] = -math.inf
        for name in ("hopeless_since_s", "first_fruitless_s", "first_hopeless_s"):
            node[name] = -1.0
    for table in scenario.hopeless:
        env["node"][table.node]["hopeless_since_s"] = 0.0
        env["node"][table.node]["first_hopeless_s"] = 0.0


def _zonelist(scenario: Scenario, nid: int) -> list[int]:
    """Itself, then the others by distance; among equals those with a larger id first, round the ring."""
    nr_nodes = len(scenario.node)
    row = scenario.node[nid].distance or [
        _NODE_TO_ITSELF if j == nid else _NODE_TO_OTHER for j in range(nr_nodes)
    ]
    return sorted(range(nr_nodes), key=lambda j: (row[j], (j - nid) % nr_nodes))


def _limit_pages(mib: float | None, members: int) -> int:
    return -1 if mib is None else pages_from_mib(mib) * members


def _set_memcgs(env: np.void, scenario: Scenario) -> None:
    lives_in_root = any(getattr(workload, "cgroup", None) == "" for workload in scenario.workloads)
    # A machine without any cgroup still has the root to walk.
    env["nr_memcgs"] = len(scenario.cgroup) + (lives_in_root or not scenario.cgroup)
    for g, table in enumerate(scenario.cgroup):
        memcg = env["memcg"][g]
        memcg["parent"] = memcg_row(scenario, table.parent) if table.parent else -1
        memcg["nr_members"] = table.count
        for name in ("min", "low", "high", "max"):
            memcg[f"{name}_pages"] = _limit_pages(getattr(table, f"memory_{name}_mib"), table.count)
        memcg["swap_max_pages"] = _limit_pages(table.memory_swap_max_mib, table.count)
        memcg["last_descendant"] = g
        ancestor = memcg["parent"]
        while ancestor >= 0:
            env["memcg"][ancestor]["last_descendant"] = g
            ancestor = env["memcg"][ancestor]["parent"]
        unlimited = table.memory_high_mib is None and table.memory_max_mib is None
        above = table.parent == "" or env["memcg"][memcg["parent"]]["bystander"]
        memcg["bystander"] = unlimited and above
    for g in range(len(scenario.cgroup), env["nr_memcgs"]):
        root = env["memcg"][g]
        root["parent"], root["nr_members"], root["bystander"] = -1, 1, 1
        root["last_descendant"] = g
        root["min_pages"] = root["low_pages"] = root["high_pages"] = root["max_pages"] = -1
        root["swap_max_pages"] = -1
    env["first_memcg"] = env["nr_memcgs"] - 1 if lives_in_root else 0
    env["node"]["reclaim_cursor"] = env["first_memcg"]
    env["nr_members"] = env["memcg"]["nr_members"][: env["nr_memcgs"]].sum()


def _set_workloads(env: np.void, scenario: Scenario) -> None:
    env["nr_workloads"] = len(scenario.workloads)
    for w, table in enumerate(scenario.workloads):
        row = env["workload"][w]
        row["kind"] = _KIND[type(table)]
        cgroup = getattr(table, "cgroup", "")
        row["memcg"] = 0 if isinstance(table, Atomic) else memcg_row(scenario, cgroup)
        members = scenario.members(cgroup)
        row["threads"] = members * getattr(table, "threads", 1)
        row["start_s"] = getattr(table, "start_s", 0.0)
        stop_s = getattr(table, "stop_s", None)
        row["stop_s"] = math.inf if stop_s is None else stop_s
        if isinstance(table, Anon):
            row["op_cpu_s"] = _ANON_PAGES_PER_OP * scenario.cost.anon_fault_us * 1e-6
        _set_policy(row, table, len(scenario.node))
        _SETTERS[type(table)](row, table, members)
    _set_classes(env, scenario)


def _set_policy(row: np.void, table: Anon | Reader | Stream | Atomic, nr_nodes: int) -> None:
    """Node mask and start: bind and interleave allow their nodes only, preferred starts at its first."""
    everything = (1 << nr_nodes) - 1
    policy = _POLICY[getattr(table, "policy", "local")]
    nodes = getattr(table, "nodes", ())
    mask = sum(1 << nid for nid in nodes) if policy in (BIND, INTERLEAVE) else everything
    row["policy"] = policy
    row["node_mask"] = mask
    row["bound"] = policy == BIND and mask != everything
    row["cpu_node"] = table.cpu_node if table.cpu_node in nodes else (*nodes, table.cpu_node)[0]
    row["interleave_next"] = nr_nodes - 1


def _set_anon(row: np.void, table: Anon, members: int) -> None:
    points = table.breakpoints
    row["nr_breakpoints"] = len(points)
    row["breakpoint_s"][: len(points)] = [t_s for t_s, _ in points]
    row["breakpoint_pages"][: len(points)] = [members * pages_from_mib(mib) for _, mib in points]
    if table.schedule is None:  # constant at what was placed, to the page
        row["breakpoint_pages"][0] = members * sum(pages_from_mib(mib) for mib in table.initial_mib)
    row["churn_pages_per_s"] = members * table.churn_mib_per_s * (2**20 / PAGE_BYTES)
    row["burst_pages"] = members * pages_from_mib(table.burst_mib)
    row["period_s"] = (table.burst_every_ms or 0.0) / 1000
    row["hold_s"] = (table.burst_hold_ms or 0.0) / 1000
    row["oom_score_adj"] = table.oom_score_adj
    row["restart_s"] = table.restart_s
    row["pages_per_op"] = _ANON_PAGES_PER_OP


def _set_reader(row: np.void, table: Reader, members: int) -> None:
    row["think_s"] = table.think_ms / 1000
    row["op_cpu_s"] = table.op_cpu_us * 1e-6
    row["pages_per_op"] = table.pages_per_op
    row["ops_per_s"] = members * (table.ops_per_s or 0.0)
    row["max_backlog_ops"] = members * table.max_backlog_ops


def _set_stream(row: np.void, table: Stream, members: int) -> None:
    """An operation of a stream is a page read; what it may fall behind by is one second of its pace."""
    row["ops_per_s"] = members * table.mib_per_s * (2**20 / PAGE_BYTES)
    row["max_backlog_ops"] = row["ops_per_s"]
    row["op_cpu_s"] = 1e-6
    row["pages_per_op"] = 1.0


def _set_atomic(row: np.void, table: Atomic, members: int) -> None:
    row["burst_pages"] = pages_from_kib(table.burst_kib)
    row["period_s"] = table.every_ms / 1000
    row["hold_s"] = table.hold_ms / 1000


_SETTERS = {Anon: _set_anon, Reader: _set_reader, Stream: _set_stream, Atomic: _set_atomic}


def _set_classes(env: np.void, scenario: Scenario) -> None:
    """Classes lie in the order of their cgroups, so that a cgroup's sets on a node are neighbours."""
    c = 0
    by_memcg = sorted(range(env["nr_workloads"]), key=lambda w: (env["workload"][w]["memcg"], w))
    for w in by_memcg:
        table = scenario.workloads[w]
        files = table.file if isinstance(table, Reader) else (table,) if isinstance(table, Stream) else ()
        env["workload"][w]["first_class"] = c
        env["workload"][w]["nr_classes"] = len(files)
        for file in files:
            _set_class(env, c, w, file, scenario)
            c += 1
    env["nr_classes"] = c
    env["nr_sets"] = c * env["nr_nodes"]
    if scenario.has_anon_lists:
        set_heats(env, scenario, by_memcg)


def _set_class(env: np.void, c: int, w: int, file: File | Stream, scenario: Scenario) -> None:
    row, work = env["class_"][c], env["workload"][w]
    row["workload"], row["memcg"] = w, work["memcg"]
    row["readahead_pages"] = file.readahead_pages
    row["share_ratio"] = 1.0
    if isinstance(file, Stream):
        row["one_touch"] = 1
        row["pages"] = 1
        return
    table = scenario.workloads[w]
    assert isinstance(table, Reader)
    row["access"] = _ACCESS[file.access]
    row["loop"] = file.pattern == "loop"
    row["on_s"], row["off_s"] = file.on_s or 0.0, file.off_s or 0.0
    resident = sum(pages_from_mib(mib) for mib in (*file.inactive_mib, *file.active_mib))
    row["pages"] = scenario.members(table.cgroup) * max(pages_from_mib(file.mib), resident, 1)
    row["share_ratio"] = file.share / sum(other.share for other in table.file)


def _set_events(env: np.void, scenario: Scenario) -> None:
    env["nr_events"] = len(scenario.event)
    for row, event in zip(env["event"], sorted(scenario.event, key=lambda event: event.at_s), strict=False):
        row["at_s"] = event.at_s
        row["kind"] = _EVENT[event.kind]
        row["target"] = memcg_row(scenario, event.cgroup)
        row["pages"] = event.pages * scenario.members(event.cgroup)


def _set_hotplugs(env: np.void, scenario: Scenario) -> None:
    env["nr_hotplugs"] = len(scenario.hotplug)
    for row, hotplug in zip(env["hotplug"], scenario.hotplug, strict=False):
        row["at_s"], row["nid"] = hotplug.at_s, hotplug.node
        row["kind"] = _HOTPLUG[hotplug.kind]
        row["left_pages"] = pages_from_mib(hotplug.mib)


def _set_oomd(env: np.void, scenario: Scenario) -> None:
    env["oomd"]["above_since_s"] = -1.0
    if scenario.oomd is not None:
        env["oomd"]["limit_ratio"] = scenario.oomd.pressure_limit_ratio
        env["oomd"]["duration_s"] = scenario.oomd.duration_s


def _set_lruvecs(env: np.void) -> None:
    nr_memcgs, nr_classes = int(env["nr_memcgs"]), int(env["nr_classes"])
    owner = env["class_"]["memcg"][:nr_classes]
    env["nr_lruvecs"] = env["nr_nodes"] * nr_memcgs * (2 if env["nr_anon_classes"] else 1)
    for nid in range(env["nr_nodes"]):
        for g in range(nr_memcgs):
            lruvec = env["lruvec"][nid * nr_memcgs + g]
            own = np.flatnonzero(owner == g)
            lruvec["memcg"], lruvec["nid"] = g, nid
            lruvec["first_set"] = nid * nr_classes + (own[0] if own.size else 0)
            lruvec["nr_sets"] = own.size
            lruvec["has_mapped"] = np.any(env["class_"]["access"][own] != READ)
        for c in range(nr_classes):
            set_ = env["set_"][nid * nr_classes + c]
            set_["class_id"], set_["nid"] = c, nid
            set_["lruvec"] = nid * nr_memcgs + owner[c]


def _fill(env: np.void, scenario: Scenario) -> None:
    """What is resident at the start, charged; the rest of each file has not been read."""
    for c in range(env["nr_classes"]):
        row = env["class_"][c]
        row["new_pages"] = row["absent_pages"] = 0 if row["one_touch"] else row["pages"]
    for w, table in enumerate(scenario.workloads):
        work = env["workload"][w]
        members = scenario.members(getattr(table, "cgroup", ""))
        if isinstance(table, Anon):
            for nid, mib in enumerate(table.initial_mib):
                pages = members * pages_from_mib(mib)
                work["anon_pages"][nid] = pages
                env["memcg"][work["memcg"]]["anon_pages"][nid] += pages
                _charge(env, work["memcg"], pages)
        files = table.file if isinstance(table, Reader) else (table,) if isinstance(table, Stream) else ()
        for offset, file in enumerate(files):
            for nid in range(env["nr_nodes"]):
                inactive = members * pages_from_mib(file.inactive_mib[nid])
                _put(env, nid, work["first_class"] + offset, INACTIVE, inactive)
                if isinstance(file, File):
                    active = members * pages_from_mib(file.active_mib[nid])
                    _put(env, nid, work["first_class"] + offset, ACTIVE, active)


def _date_filling(env: np.void, scenario: Scenario) -> None:
    """When each file's resident pages had been read in: one file after the other, the last one at time 0."""
    if scenario.filled_mib_per_s is None:
        return
    env["fill_s"] = 1 / (PAGES_PER_MIB * scenario.filled_mib_per_s)
    left_pages = 0
    for work in reversed(env["workload"][: env["nr_workloads"]]):
        for c in reversed(range(work["first_class"], work["first_class"] + work["nr_classes"])):
            for nid in reversed(range(env["nr_nodes"])):
                set_ = env["set_"][nid * env["nr_classes"] + c]
                set_["filled_s"] = -left_pages * env["fill_s"]
                left_pages += set_["resident_pages"].sum()


def _put(env: np.void, nid: int, c: int, lst: np.int64, pages: int) -> None:
    """Pages of a class, even over a list's bins. Mapped ones begin young, active read() ones unreferenced."""
    row = env["class_"][c]
    if pages == 0:
        return
    set_ = env["set_"][nid * env["nr_classes"] + c]
    flag = FRESH if row["access"] != READ else REFERENCED if lst == INACTIVE else UNREFERENCED
    set_["cells"][lst, flag] += pages / NR_BINS
    set_["resident_pages"][lst] += pages
    for name in ("list_pages", "stat_list_pages", "settled_pages"):
        env["lruvec"][set_["lruvec"]][name][lst] += pages
    for name in ("list_pages", "stat_list_pages"):
        env["node"][nid][name][lst] += pages
    if not row["one_touch"]:
        row["new_pages"] -= pages
        row["absent_pages"] -= pages
    _charge(env, row["memcg"], pages)


def _charge(env: np.void, g: int, pages: int) -> None:
    while g >= 0:
        env["memcg"][g]["usage_pages"] += pages
        g = env["memcg"][g]["parent"]
