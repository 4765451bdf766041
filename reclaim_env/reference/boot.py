"""From a scenario to a machine of single pages at time 0; every member of a cgroup is one of its own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from reclaim_env.reset_rules import KERNEL_RULES
from reclaim_env.scenario import Scenario, ScenarioError
from reclaim_env.scenario.machine import Device
from reclaim_env.scenario.swap import Swap
from reclaim_env.scenario.workloads import Anon, Atomic, Reader, Stream
from reclaim_env.units import pages_from_kib, pages_from_mib

from . import names, records
from .records import Machine
from .simulate import advance

_FREE_PATH_RESET = {"6.12": False, "6.18": True, "6.19": True, "7.0": True}
_COUNTS_BOOSTED_RUNS = {"6.12": True, "6.18": True, "6.19": False, "7.0": False}
_ACCESS = {"read": names.READ, "mmap": names.MMAP, "exec": names.EXEC}
_EVENT = {
    "memory_high": names.MEMCG_HIGH,
    "memory_max": names.MEMCG_MAX,
    "memory_reclaim": names.PROACTIVE,
    "swapon": names.SWAPON,
    "demotion_on": names.DEMOTION_ON,
    "demotion_off": names.DEMOTION_OFF,
}
_PLUG = {
    "online": names.ONLINE,
    "offline": names.OFFLINE,
    "inflate": names.INFLATE,
    "deflate": names.DEFLATE,
}
_KIND = {Anon: names.ANON, Reader: names.READER, Stream: names.STREAM, Atomic: names.ATOMIC}

# By workload and file or heat: the moments at which it falls silent or is in use again, and its state at 0
Phases = dict[tuple[str, int], tuple[bool, Sequence[float]]]


class Trace(NamedTuple):
    """What happens to a machine whatever it does: given to two simulators, they differ by what they do."""

    phases: Phases
    first_flush_s: float
    burst_phase_s: Mapping[str, float]  # of workloads with bursts: how far into their period time 0 is
    steals_s: Sequence[Sequence[float]]  # of each node: when blocks are stolen, and boosts begin


First = tuple[float, np.int64, int]  # an event: when, of what kind, of whom


class Member(NamedTuple):
    """One cgroup: a row of the scenario's table (-1 the root), which of its members, its parent's row."""

    table: int
    number: int
    parent: int


def boot(
    scenario: Scenario, rule: str = "always", seed: int = 0, kernel: str = "7.0", trace: Trace | None = None
) -> Machine:
    """A machine ready for simulate.advance(). Without a trace it draws its own by the seed."""
    if kernel not in _FREE_PATH_RESET:
        raise ValueError(f"kernel: found {kernel!r}, wanted one of {', '.join(_FREE_PATH_RESET)}")
    if scenario.oomd is not None:
        raise ScenarioError(scenario.name, "", "oomd", "none: the reference has none")
    if scenario.filled_mib_per_s is not None:
        raise ScenarioError(scenario.name, "filled_mib_per_s", f"{scenario.filled_mib_per_s:g}", "none")
    rng = np.random.default_rng(seed)
    members = _members(scenario)
    trace = trace or draw_trace(scenario, rng)
    m = _allocate(scenario, members)
    m.system["random"] = seed
    m.system["free_path_reset"] = _FREE_PATH_RESET[kernel]
    m.system["counts_boosted_runs"] = _COUNTS_BOOSTED_RUNS[kernel]
    _set_system(m, scenario, members)
    _set_nodes(m, scenario, rule)
    _set_memcgs(m, scenario, members)
    _set_instances(m, scenario, members, trace)
    _set_classes(m, scenario, trace.phases)
    _fill(m, scenario, members, rng)
    _set_limits(m, scenario, members)
    _set_plugs(m, scenario)
    _set_steals(m, trace.steals_s)
    _start(m, rng, trace)
    return m


def run(m: Machine, until_s: float) -> None:
    advance(m, until_s)


def draw_trace(scenario: Scenario, rng: np.random.Generator) -> Trace:
    return Trace(
        _draw_phases(scenario, rng),
        names.FLUSH_S * rng.random(),
        _draw_burst_phases(scenario, rng),
        [_draw_steals(node.boosts_per_s, scenario.duration_s, rng) for node in scenario.node],
    )


def _draw_steals(per_s: float, duration_s: float, rng: np.random.Generator) -> list[float]:
    return sorted(duration_s * rng.random(rng.poisson(per_s * duration_s)))


def _draw_burst_phases(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    periods_ms = {one.name: one.burst_every_ms for one in scenario.anon if one.burst_every_ms}
    periods_ms |= {one.name: one.every_ms for one in scenario.atomic}
    return {name: period_ms / 1e3 * rng.random() for name, period_ms in periods_ms.items()}


def _draw_phases(scenario: Scenario, rng: np.random.Generator) -> Phases:
    """Exponential periods, from the long-run shares."""
    phases: Phases = {}
    for task in (*scenario.reader, *(scenario.anon if scenario.has_anon_lists else ())):
        for index, part in enumerate(task.file if isinstance(task, Reader) else task.heat):
            if part.on_s is None or part.off_s is None:
                continue
            on = began_on = bool(rng.random() * (part.on_s + part.off_s) < part.on_s)
            moments, now_s = [], 0.0
            while now_s <= scenario.duration_s:
                now_s += rng.exponential(part.on_s if on else part.off_s)
                moments.append(now_s)
                on = not on
            phases[task.name, index] = began_on, moments
    return phases


def _members(scenario: Scenario) -> list[Member]:
    """All cgroups in preorder, the root first."""
    found = [Member(-1, 0, -1)]

    def add_children(parent: str, row: int) -> None:
        for table, cgroup in enumerate(scenario.cgroup):
            if cgroup.parent == parent:
                for number in range(cgroup.count):
                    found.append(Member(table, number, row))
                    add_children(cgroup.name, len(found) - 1)

    add_children("", 0)
    return found


def _parts(scenario: Scenario, table: Any) -> Sequence[Any]:
    """What a workload touches alike: files, or heats where anonymous memory can leave; a class each."""
    if isinstance(table, Anon):
        return table.heat if scenario.has_anon_lists else ()
    return table.file if isinstance(table, Reader) else (table,) if isinstance(table, Stream) else ()


def _homes(scenario: Scenario, members: list[Member]) -> list[tuple[int, int]]:
    """(workload, cgroup row) of each instance."""
    homes = []
    for w, table in enumerate(scenario.workloads):
        name = getattr(table, "cgroup", "")
        wanted = scenario.cgroup_names.index(name) if name else -1
        homes += [(w, row) for row, member in enumerate(members) if member.table == wanted]
    return homes


def _file_pages(scenario: Scenario, file: Any) -> int:
    if isinstance(file, Stream):  # slots for as many of its pages as could ever be resident
        plugged = sum(pages_from_mib(one.mib) for one in scenario.hotplug if one.kind == "online")
        kernel = sum(pages_from_mib(node.kernel_mib) for node in scenario.node)
        return sum(scenario.managed_pages) + plugged - kernel
    resident = sum(pages_from_mib(mib) for mib in (*file.inactive_mib, *file.active_mib))
    return max(pages_from_mib(file.mib), resident, 1)


def _heat_pages(table: Anon, heat: Any) -> int:
    """Room for the heat's part of all the process will ever hold: its threads may each be a batch too far."""
    most_mib = max(sum(table.initial_mib), *(mib for _, mib in table.breakpoints)) + table.burst_mib
    most = pages_from_mib(most_mib) + int(names.CHARGE_BATCH) * table.threads
    return math.ceil(most * heat.share / sum(other.share for other in table.heat)) + len(table.heat)


def _class_pages(scenario: Scenario, table: Any, part: Any) -> int:
    return _heat_pages(table, part) if isinstance(table, Anon) else _file_pages(scenario, part)


def _allocate(scenario: Scenario, members: list[Member]) -> Machine:
    homes = _homes(scenario, members)
    tables = scenario.workloads
    sizes = [
        _class_pages(scenario, tables[w], part) for w, _ in homes for part in _parts(scenario, tables[w])
    ]
    nr_threads = sum(getattr(tables[w], "threads", 0) for w, _ in homes)
    nr_pages = sum(sizes)
    return Machine(
        system=np.zeros(1, records.SYSTEM),
        node=np.zeros(len(scenario.node), records.NODE),
        lruvec=np.zeros(len(scenario.node) * len(members), records.LRUVEC),
        memcg=np.zeros(len(members), records.MEMCG),
        page=np.zeros(max(nr_pages, 1), records.PAGE),
        absent=np.zeros(max(nr_pages, 1), np.int32),
        class_=np.zeros(max(len(sizes), 1), records.CLASS),
        instance=np.zeros(max(len(homes), 1), records.INSTANCE),
        thread=np.zeros(max(nr_threads, 1), records.THREAD_),
        switch=np.zeros(0, records.SWITCH_),
        steal=np.zeros(0, records.STEAL_),
        limit=np.zeros(len(scenario.event) * max(len(members), 1), records.LIMIT_),
        plug=np.zeros(len(scenario.hotplug), records.PLUG_),
        control=np.zeros(len(scenario.node) + 1, records.CONTROL),
        device=np.zeros(2, records.DEVICE_),
        event=np.zeros(10_000 + 2 * nr_threads + 4 * len(homes) + 2 * len(sizes), records.EVENT),
    )


def _set_system(m: Machine, scenario: Scenario, members: list[Member]) -> None:
    system, cost = m.system[0], scenario.cost
    for name in ("scan", "scan_mapped", "free", "unmap", "pass", "pass_memcg", "direct_entry"):
        system[f"{name}_s"] = getattr(cost, f"{name}_us") * 1e-6
    system["anon_fault_s"], system["anon_free_s"] = cost.anon_fault_us * 1e-6, cost.anon_free_us * 1e-6
    system["tlb_s"] = cost.tlb_ms * 1e-3
    _set_device(m.device[names.DISK], scenario.device)
    system["nr_nodes"], system["nr_memcgs"] = len(scenario.node), len(members)
    root_is_used = len(members) == 1 or any(getattr(w, "cgroup", None) == "" for w in scenario.workloads)
    system["nr_walked"] = len(members) - (not root_is_used)
    system["running"] = names.NOWHERE
    system["boost_factor"] = scenario.watermark_boost_factor
    system["scale_factor"], system["thp"] = scenario.watermark_scale_factor, scenario.thp
    system["user_min_free_kib"] = scenario.min_free_kib or 0
    system["demotion_on"], system["migrate_s"] = scenario.demotion_enabled, cost.migrate_us * 1e-6
    system["has_anon_lists"], system["swappiness"] = scenario.has_anon_lists, scenario.swappiness
    if scenario.swap is not None:
        _set_swap(m, scenario.swap)


def _set_device(row: np.void, table: Device | Swap) -> None:
    row["latency_s"] = table.latency_us * 1e-6
    row["request_s"] = 1 / table.iops_per_s
    row["page_s"] = 1 / (table.bandwidth_mib_per_s * 256)


def _set_swap(m: Machine, swap: Swap) -> None:
    _set_device(m.device[names.SWAP], swap)
    system = m.system[0]
    system["swap_pages"], system["swap_on"] = pages_from_mib(swap.mib), swap.on
    system["swap_window"], system["swap_cpu_s"] = swap.readahead_pages, swap.page_cpu_us * 1e-6
    system["pool_ratio"] = swap.pool_ratio


def _set_nodes(m: Machine, scenario: Scenario, rule: str) -> None:
    for nid, table in enumerate(scenario.node):
        node, marks = m.node[nid], scenario.watermarks[nid]
        node["managed_pages"] = scenario.managed_pages[nid]
        node["unusable_pages"] = pages_from_mib(table.unusable_mib)
        node["kernel_pages"] = pages_from_mib(table.kernel_mib)
        node["free_pages"] = scenario.free_pages[nid]
        node["demotes_to"] = names.NOWHERE if table.demotes_to is None else table.demotes_to
        node["slab_pages"] = pages_from_mib(table.slab_mib)
        node["slab_objects"] = node["slab_pages"] * names.OBJECTS_PER_PAGE
        node["slab_per_s"] = table.slab_mib_per_s * 256
        for name in ("min", "low", "high"):
            node[f"{name}_pages"] = getattr(marks, f"{name}_pages")
        node["below_high"] = node["free_pages"] - node["unusable_pages"] <= node["high_pages"]
        node["cpu_share"] = table.kswapd_cpu_share_ratio
        nr = len(scenario.node)
        row = table.distance or [10 if j == nid else 20 for j in range(nr)]
        node["zonelist"][:nr] = sorted(range(nr), key=lambda j, row=row, n=nid: (row[j], (j - n) % nr))
        for name in ("always", "balanced", "coin"):
            node[f"{name}_mask"] = getattr(KERNEL_RULES[rule], name)
        for name in ("first_fruitless_s", "first_hopeless_s", "hopeless_since_s"):
            node[name] = -1.0
    for table in scenario.hopeless:
        m.node[table.node]["kswapd_failures"] = names.MAX_RECLAIM_RETRIES
        m.node[table.node]["hopeless_since_s"] = m.node[table.node]["first_hopeless_s"] = 0.0


def _set_memcgs(m: Machine, scenario: Scenario, members: list[Member]) -> None:
    for g, member in enumerate(members):
        row = m.memcg[g]
        row["table"], row["parent"] = member.table, member.parent
        row["end"] = g + 1
        for name in ("min", "low", "high", "max"):
            mib = None if g == 0 else getattr(scenario.cgroup[member.table], f"memory_{name}_mib")
            row[f"{name}_pages"] = -1 if mib is None else pages_from_mib(mib)
        swap_max_mib = None if g == 0 else scenario.cgroup[member.table].memory_swap_max_mib
        row["swap_max_pages"] = -1 if swap_max_mib is None else pages_from_mib(swap_max_mib)
    for g in range(len(members) - 1, 0, -1):
        above = m.memcg[members[g].parent]
        above["end"] = max(above["end"], m.memcg[g]["end"])
    for g in range(len(members)):
        m.memcg[g]["cursor"] = g
    m.lruvec["head"] = m.lruvec["tail"] = names.NOWHERE


def _set_instances(m: Machine, scenario: Scenario, members: list[Member], trace: Trace) -> None:
    first_thread = first_class = 0
    for row, (w, g) in zip(m.instance, _homes(scenario, members), strict=False):
        table = scenario.workloads[w]
        row["table"], row["kind"], row["memcg"] = w, _KIND[type(table)], g
        row["start_s"] = getattr(table, "start_s", 0.0)
        stop_s = getattr(table, "stop_s", None)
        row["stop_s"] = math.inf if stop_s is None else stop_s
        row["first_thread"], row["nr_threads"] = first_thread, getattr(table, "threads", 0)
        row["first_class"], row["nr_classes"] = first_class, len(_parts(scenario, table))
        threads = m.thread[first_thread : first_thread + row["nr_threads"]]
        threads["idle"] = 1
        threads["missed_page"] = threads["waits_for"] = names.NOWHERE
        first_thread += int(row["nr_threads"])
        first_class += int(row["nr_classes"])
        _set_policy(row, table, len(scenario.node))
        _SETTERS[type(table)](row, table)
        row["phase_s"] = trace.burst_phase_s.get(table.name, 0.0)
    for i, row in enumerate(m.instance):
        m.thread["instance"][row["first_thread"] : row["first_thread"] + row["nr_threads"]] = i


def _set_policy(row: np.void, table: Any, nr_nodes: int) -> None:
    policy, nodes = getattr(table, "policy", "local"), getattr(table, "nodes", ())
    everything = (1 << nr_nodes) - 1
    row["interleaves"] = policy == "interleave"
    row["node_mask"] = sum(1 << n for n in nodes) if policy in ("bind", "interleave") else everything
    row["bound"] = policy == "bind" and row["node_mask"] != everything
    row["cpu_node"] = table.cpu_node if table.cpu_node in nodes else (*nodes, table.cpu_node)[0]
    row["interleave_next"] = nr_nodes - 1


def _set_anon(row: np.void, table: Anon) -> None:
    points = table.breakpoints
    row["nr_points"] = len(points)
    row["point_s"][: len(points)] = [t_s for t_s, _ in points]
    row["point_pages"][: len(points)] = [pages_from_mib(mib) for _, mib in points]
    if table.schedule is None:
        row["point_pages"][0] = sum(pages_from_mib(mib) for mib in table.initial_mib)
    row["churn_per_s"] = table.churn_mib_per_s * 256
    row["burst_pages"] = pages_from_mib(table.burst_mib)
    row["period_s"], row["hold_s"] = (table.burst_every_ms or 0.0) / 1e3, (table.burst_hold_ms or 0.0) / 1e3
    row["oom_score_adj"], row["restart_s"] = table.oom_score_adj, table.restart_s


def _set_reader(row: np.void, table: Reader) -> None:
    row["think_s"], row["op_cpu_s"] = table.think_ms * 1e-3, table.op_cpu_us * 1e-6
    row["pages_per_op"], row["ops_per_s"] = table.pages_per_op, table.ops_per_s or 0.0
    row["max_backlog"] = table.max_backlog_ops
    row["all_mapped"] = all(f.access != "read" and f.pattern == "random" for f in table.file)


def _set_stream(row: np.void, table: Stream) -> None:
    row["ops_per_s"] = row["max_backlog"] = table.mib_per_s * 256
    row["max_backlog"] = max(row["max_backlog"], table.readahead_pages)
    row["pages_per_op"] = 1.0


def _set_atomic(row: np.void, table: Atomic) -> None:
    row["burst_pages"] = pages_from_kib(table.burst_kib)
    row["period_s"], row["hold_s"] = table.every_ms / 1e3, table.hold_ms / 1e3


_SETTERS = {Anon: _set_anon, Reader: _set_reader, Stream: _set_stream, Atomic: _set_atomic}


def _set_classes(m: Machine, scenario: Scenario, phases: Phases) -> None:
    first_page, moments, c = 0, [], 0
    for w, one in enumerate(m.instance):
        table: Any = scenario.workloads[one["table"]] if scenario.workloads else None
        for index, part in enumerate(_parts(scenario, table)):
            row = m.class_[c]
            row["memcg"], row["instance"], row["on"], row["share"] = one["memcg"], w, 1, 1.0
            row["first_page"], row["pages"] = first_page, _class_pages(scenario, table, part)
            m.page["class_"][first_page : first_page + row["pages"]] = c
            first_page += int(row["pages"])
            _CLASS_SETTERS[type(table)](row, table, part)
            on, switches = phases.get((table.name, index), (True, ()))
            row["on"], row["next_switch"] = on, len(moments)
            moments += switches
            row["last_switch"] = len(moments)
            c += 1
    m.switch.resize(len(moments), refcheck=False)
    m.switch["at_s"] = moments


def _set_file(row: np.void, table: Reader, file: Any) -> None:
    row["readahead"], row["access"], row["loop"] = (
        file.readahead_pages,
        _ACCESS[file.access],
        file.pattern == "loop",
    )
    row["share"] = file.share / sum(other.share for other in table.file)


def _set_stream_file(row: np.void, _: Stream, stream: Stream) -> None:
    row["readahead"], row["one_touch"] = stream.readahead_pages, 1


def _set_heat(row: np.void, table: Anon, heat: Any) -> None:
    row["anon"], row["access"], row["touch_per_s"] = 1, names.MMAP, heat.touch_per_s
    row["share"] = heat.share / sum(other.share for other in table.heat)


_CLASS_SETTERS = {Reader: _set_file, Stream: _set_stream_file, Anon: _set_heat}


Lists = dict[tuple[int, int], list[np.ndarray]]  # (lruvec, list) -> its pages, in parts


def _fill(m: Machine, scenario: Scenario, members: list[Member], rng: np.random.Generator) -> None:
    """What is resident at the start, shuffled within its list; everything else is absent, without shadow."""
    m.page["lru"] = m.page["prev"] = m.page["next"] = m.page["shadow"] = m.page["absent_at"] = names.NOWHERE
    lists: Lists = {}
    for one in m.instance:
        table = scenario.workloads[one["table"]] if scenario.workloads else None
        if isinstance(table, Anon):
            for nid, mib in enumerate(table.initial_mib):
                one["anon_pages"][nid] = pages_from_mib(mib)
                _charge(m, int(one["memcg"]), pages_from_mib(mib))
            if scenario.has_anon_lists:
                _fill_heats(m, table, one, lists, rng)
            continue
        for c, file in enumerate(_parts(scenario, table), int(one["first_class"])):
            taken = int(m.class_[c]["first_page"])
            for nid in range(len(scenario.node)):
                for lst, sizes in enumerate((file.inactive_mib, getattr(file, "active_mib", ()))):
                    nr = pages_from_mib(sizes[nid]) if nid < len(sizes) else 0
                    lru = (nid * len(members) + int(one["memcg"]), lst)
                    lists.setdefault(lru, []).append(np.arange(taken, taken + nr))
                    taken += nr
                    _charge(m, int(one["memcg"]), nr)
            _make_absent(m, c, taken)
    for (lruvec, lst), parts in lists.items():
        _link(m, lruvec, lst, rng.permutation(np.concatenate(parts)))


def _fill_heats(m: Machine, table: Anon, one: np.void, lists: Lists, rng: np.random.Generator) -> None:
    """Each heat's part of what the process has on a node, some of it active; its other room is unused."""
    classes = range(int(one["first_class"]), int(one["first_class"] + one["nr_classes"]))
    taken = {c: int(m.class_[c]["first_page"]) for c in classes}
    for nid, pages in enumerate(one["anon_pages"].tolist()):
        begun = 0.0
        for c, heat in zip(classes, table.heat, strict=True):
            ended = begun + pages * float(m.class_[c]["share"])
            nr = round(ended) - round(begun)
            begun = ended
            active = round(nr * heat.active_ratio)
            for lst, size in ((names.ACTIVE_ANON, active), (names.INACTIVE_ANON, nr - active)):
                lru = (nid * int(m.system[0]["nr_memcgs"]) + int(one["memcg"]), int(lst))
                lists.setdefault(lru, []).append(np.arange(taken[c], taken[c] + size))
                taken[c] += size
    for c in classes:
        row = m.class_[c]
        end = int(row["first_page"] + row["pages"])
        row["unused"] = end - taken[c]
        m.absent[taken[c] : end] = np.arange(taken[c], end)
        row["next_touch"] = rng.exponential()


def _make_absent(m: Machine, c: int, first: int) -> None:
    row = m.class_[c]
    pages = np.arange(first, row["first_page"] + row["pages"])
    row["absent"] = len(pages)
    m.absent[row["first_page"] : row["first_page"] + len(pages)] = pages
    m.page["absent_at"][pages] = np.arange(len(pages))


def _link(m: Machine, lruvec: int, lst: int, pages: np.ndarray) -> None:
    """A list in this order, head first. Mapped pages begin young, inactive read() ones referenced."""
    if len(pages) == 0:
        return
    row, page = m.lruvec[lruvec], m.page
    page["lru"][pages] = names.NR_LISTS * lruvec + lst
    page["next"][pages[:-1]] = pages[1:]
    page["prev"][pages[1:]] = pages[:-1]
    row["head"][lst], row["tail"][lst], row["pages"][lst] = pages[0], pages[-1], len(pages)
    m.node[lruvec // int(m.system[0]["nr_memcgs"])]["list_pages"][lst] += len(pages)
    is_mapped = m.class_["access"][page["class_"][pages]] != names.READ
    page["young"][pages] = is_mapped
    page["referenced"][pages] = ~is_mapped & (lst == names.INACTIVE)


def _charge(m: Machine, g: int, pages: int) -> None:
    while g >= 0:
        m.memcg[g]["usage_pages"] += pages
        g = int(m.memcg[g]["parent"])


def _set_limits(m: Machine, scenario: Scenario, members: list[Member]) -> None:
    """One row a member, and one for a switch of the machine's; the rows left over never come."""
    m.limit["at_s"] = math.inf
    i = 0
    for event in scenario.event:
        if not event.cgroup:
            m.limit[i] = (event.at_s, _EVENT[event.kind], names.ROOT, 0)
            i += 1
            continue
        table = scenario.cgroup_names.index(event.cgroup)
        for g, member in enumerate(members):
            if member.table == table:
                m.limit[i] = (event.at_s, _EVENT[event.kind], g, event.pages)
                i += 1


def _set_plugs(m: Machine, scenario: Scenario) -> None:
    for row, one in zip(m.plug, scenario.hotplug, strict=True):
        row["at_s"], row["kind"], row["node"], row["pages"] = (
            one.at_s,
            _PLUG[one.kind],
            one.node,
            pages_from_mib(one.mib),
        )


def _set_steals(m: Machine, steals_s: Sequence[Sequence[float]]) -> None:
    rows = sorted((at_s, nid) for nid, moments in enumerate(steals_s) for at_s in moments)
    m.steal.resize(len(rows), refcheck=False)
    for i, row in enumerate(rows):
        m.steal[i] = row


def _start(m: Machine, rng: np.random.Generator, trace: Trace) -> None:
    """The first events of everybody; the statistics are those of the start."""
    from .workingset import flush_statistics

    flush_statistics(m)
    first: list[First] = [(trace.first_flush_s, names.FLUSH, 0)]
    first += [(float(r["at_s"]), names.LIMIT, i) for i, r in enumerate(m.limit) if r["at_s"] < math.inf]
    first += [(float(r["at_s"]), names.HOTPLUG, i) for i, r in enumerate(m.plug)]
    for c, row in enumerate(m.class_):
        if row["next_switch"] < row["last_switch"]:
            first.append((float(m.switch["at_s"][row["next_switch"]]), names.SWITCH, c))
    first += [(float(m.steal["at_s"][0]), names.BOOST, 0)] if len(m.steal) else []
    first += [(1 / row["slab_per_s"], names.SLAB, nid) for nid, row in enumerate(m.node) if row["slab_per_s"]]
    for w, one in enumerate(m.instance):
        first += _first_events(m, w, one, rng)
    for number, (at_s, kind, of) in enumerate(sorted(first)):  # sorted, an array is a heap
        m.event[number] = (at_s, number, kind, of)
        if kind == names.THREAD:
            m.thread["at_s"][of], m.thread["is_queued"][of] = at_s, 1
        elif kind == names.ARRIVAL:
            m.instance["arrival_s"][of] = at_s
    m.system["nr_events"] = m.system["nr_scheduled"] = len(first)


def _first_events(m: Machine, w: int, one: np.void, rng: np.random.Generator) -> list[First]:
    kind, start_s = one["kind"], float(one["start_s"])
    if kind == names.ANON:
        return [(names.DOZE_S * 0.01 * rng.random(), names.ANON_DEMAND, w)]
    if kind == names.ATOMIC:
        return [(start_s + float(-(start_s + one["phase_s"]) % one["period_s"]), names.BURST, w)]
    if one["ops_per_s"] > 0:
        period_s = 1 / float(one["ops_per_s"])
        if kind == names.STREAM:
            period_s *= float(m.class_[one["first_class"]]["readahead"])
        return [(start_s + period_s * rng.random(), names.ARRIVAL, w)]
    threads = range(int(one["first_thread"]), int(one["first_thread"] + one["nr_threads"]))
    m.thread["idle"][list(threads)] = 0
    cycle_s = float(one["think_s"] + one["op_cpu_s"])
    return [(start_s + cycle_s * rng.random(), names.THREAD, t) for t in threads]
