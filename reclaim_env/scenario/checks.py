"""What must hold between the tables of a scenario: names, node numbers, memory that exists, sizes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reclaim_env.model.layout import MAX_CLASSES, MAX_LRUVECS, MAX_MEMCGS, MAX_SETS, MAX_WORKLOADS
from reclaim_env.scenario import paths
from reclaim_env.scenario.fields import wrong
from reclaim_env.scenario.swap_checks import check_anon_lists
from reclaim_env.units import mib_from_pages, pages_from_mib

if TYPE_CHECKING:
    from reclaim_env.scenario.scenario import Scenario

WORKLOAD_TABLES = ("anon", "reader", "stream", "atomic")
PER_NODE_FIELDS = {"anon": ("initial_mib",), "stream": ("inactive_mib",)}
PATH_WANTED = "the path of a number such as reader.web.file.0.mib"
FILE_PER_NODE_FIELDS = ("inactive_mib", "active_mib")


def with_zeros(data: Any) -> Any:
    """The document with every left-out per-node list written as zeros; faulty parts stay as they are."""
    if not isinstance(data, dict) or not isinstance(data.get("node"), list | tuple):
        return data
    zeros = (0.0,) * len(data["node"])
    filled = dict(data)
    for table, fields in PER_NODE_FIELDS.items():
        filled |= _filled(filled, table, fields, zeros)
    readers = filled.get("reader")
    if isinstance(readers, list | tuple):
        filled["reader"] = [
            reader | _filled(reader, "file", FILE_PER_NODE_FIELDS, zeros)
            if isinstance(reader, dict)
            else reader
            for reader in readers
        ]
    return filled


def _filled(parent: dict[str, Any], table: str, fields: tuple[str, ...], zeros: tuple) -> dict[str, Any]:
    rows = parent.get(table)
    if not isinstance(rows, list | tuple):
        return {}
    return {table: [dict.fromkeys(fields, zeros) | row if isinstance(row, dict) else row for row in rows]}


def check(scenario: "Scenario") -> None:
    """Raises at the first rule that is broken."""
    if 1000 % scenario.tick_ms:
        raise wrong("tick_ms", scenario.tick_ms, "a divisor of 1000 (ms)")
    _check_names(scenario)
    _check_node_numbers(scenario)
    _check_cgroups(scenario)
    check_anon_lists(scenario)
    _check_sizes(scenario)
    _check_memory(scenario)
    _check_limits_hold(scenario)
    _check_watermarks(scenario)
    _check_assumed(scenario)


def _check_names(scenario: "Scenario") -> None:
    seen: dict[str, str] = {}
    for table in WORKLOAD_TABLES:
        for workload in getattr(scenario, table):
            field = f"{table}.{workload.name}.name"
            if workload.name in seen:
                raise wrong(field, workload.name, f"another name than that of {seen[workload.name]}")
            seen[workload.name] = f"{table}.{workload.name}"


def _check_node_numbers(scenario: "Scenario") -> None:
    nr_nodes = len(scenario.node)
    wanted = f"0..{nr_nodes - 1}, this machine's nodes"
    for table in WORKLOAD_TABLES:
        for workload in getattr(scenario, table):
            where = f"{table}.{workload.name}"
            if workload.cpu_node >= nr_nodes:
                raise wrong(f"{where}.cpu_node", workload.cpu_node, wanted)
            if any(nid >= nr_nodes for nid in getattr(workload, "nodes", ())):
                raise wrong(f"{where}.nodes", list(workload.nodes), wanted)
    for field, _, values in per_node_lists(scenario):
        if len(values) != nr_nodes:
            raise wrong(field, f"{len(values)} numbers", f"{nr_nodes}, one for each node")
    hopeless = [table.node for table in scenario.hopeless]
    for index, nid in enumerate(hopeless):
        if nid >= nr_nodes or nid in hopeless[:index]:
            raise wrong(f"hopeless.{index}.node", nid, f"{wanted}, each once")
    for index, hotplug in enumerate(scenario.hotplug):
        if hotplug.node >= nr_nodes:
            raise wrong(f"hotplug.{index}.node", hotplug.node, wanted)
    _check_distances(scenario)


def _check_distances(scenario: "Scenario") -> None:
    rows = [node.distance for node in scenario.node]
    if all(row is None for row in rows):
        return
    for nid, row in enumerate(rows):
        if row is None or len(row) != len(rows) or row[nid] != 10:
            found = "nothing" if row is None else list(row)
            raise wrong(f"node.{nid}.distance", found, f"{len(rows)} distances, 10 to the node itself")


def per_node_lists(scenario: "Scenario") -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """(path, cgroup, MiB on each node of one member) of all that is resident at the start."""
    for anon in scenario.anon:
        yield f"anon.{anon.name}.initial_mib", anon.cgroup, anon.initial_mib
    for reader in scenario.reader:
        for index, file in enumerate(reader.file):
            where = f"reader.{reader.name}.file.{index}"
            yield f"{where}.inactive_mib", reader.cgroup, file.inactive_mib
            yield f"{where}.active_mib", reader.cgroup, file.active_mib
    for stream in scenario.stream:
        yield f"stream.{stream.name}.inactive_mib", stream.cgroup, stream.inactive_mib


def _check_cgroups(scenario: "Scenario") -> None:
    counts = {"": 1}
    for cgroup in scenario.cgroup:
        where = f"cgroup.{cgroup.name}"
        if cgroup.name in counts:
            raise wrong(f"{where}.name", cgroup.name, "every name once")
        if cgroup.parent not in counts:
            raise wrong(f"{where}.parent", cgroup.parent, "a cgroup of an earlier table")
        if counts[cgroup.parent] > 1:
            raise wrong(f"{where}.parent", cgroup.parent, "a cgroup with count 1")
        counts[cgroup.name] = cgroup.count
    users = [
        (f"{table}.{w.name}", w.cgroup) for table in WORKLOAD_TABLES[:3] for w in getattr(scenario, table)
    ]
    users += [(f"event.{index}", event.cgroup) for index, event in enumerate(scenario.event) if event.cgroup]
    for where, name in users:
        if name not in counts:
            raise wrong(f"{where}.cgroup", name, "the name of a [[cgroup]]")


def _check_sizes(scenario: "Scenario") -> None:
    """The maxima of the state record."""
    nr_nodes = len(scenario.node)
    uses_root = any(getattr(workload, "cgroup", None) == "" for workload in scenario.workloads)
    nr_cgroups = len(scenario.cgroup) + uses_root
    lists_per_cgroup = 2 if scenario.has_anon_lists else 1
    nr_classes = sum(len(reader.file) for reader in scenario.reader) + len(scenario.stream)
    nr_classes += sum(len(anon.heat) for anon in scenario.anon) if scenario.has_anon_lists else 0
    maxima = (
        ("cgroup", nr_cgroups, MAX_MEMCGS, "cgroups with the root"),
        (
            "cgroup",
            nr_nodes * nr_cgroups * lists_per_cgroup,
            MAX_LRUVECS,
            "nodes x cgroups with the root (twice where anonymous memory can leave)",
        ),
        ("reader", nr_classes, MAX_CLASSES, "files, streams and heats"),
        ("reader", nr_nodes * nr_classes, MAX_SETS, "nodes x (files, streams and heats)"),
        ("reader", len(scenario.workloads), MAX_WORKLOADS, "workloads"),
    )
    for field, found, most, what in maxima:
        if found > most:
            raise wrong(field, f"{found} {what}", f"at most {most}")


def free_pages(scenario: "Scenario") -> tuple[int, ...]:
    """What is left of each node; negative if more was placed than exists."""
    free = [
        pages_from_mib(node.total_mib) - pages_from_mib(node.kernel_mib) - pages_from_mib(node.slab_mib)
        for node in scenario.node
    ]
    for _, cgroup, per_node_mib in per_node_lists(scenario):
        members = scenario.members(cgroup)
        free = [left - members * pages_from_mib(mib) for left, mib in zip(free, per_node_mib, strict=True)]
    return tuple(free)


def _check_memory(scenario: "Scenario") -> None:
    for nid, pages in enumerate(free_pages(scenario)):
        node = scenario.node[nid]
        if pages < 0:
            used_mib = node.total_mib - mib_from_pages(pages)
            found = f"{used_mib:.2f} MiB of kernel, slab, anon and resident file pages"
            raise wrong(f"node.{nid}.total_mib", found, f"at most {node.total_mib:g} MiB, the node's memory")
        if pages < pages_from_mib(node.unusable_mib):
            free_mib = mib_from_pages(pages)
            raise wrong(f"node.{nid}.unusable_mib", node.unusable_mib, f"at most the free {free_mib:.2f} MiB")


def _check_limits_hold(scenario: "Scenario") -> None:
    """No cgroup begins above its memory.max."""
    usage_pages = dict.fromkeys(("", *scenario.cgroup_names), 0)
    for _, name, per_node_mib in per_node_lists(scenario):
        usage_pages[name] += scenario.members(name) * sum(pages_from_mib(mib) for mib in per_node_mib)
    for cgroup in reversed(scenario.cgroup):
        usage_mib = mib_from_pages(usage_pages[cgroup.name]) / cgroup.count
        if cgroup.memory_max_mib is not None and usage_mib > cgroup.memory_max_mib:
            wanted = f"at least the {usage_mib:.2f} MiB it holds at the start"
            raise wrong(f"cgroup.{cgroup.name}.memory_max_mib", cgroup.memory_max_mib, wanted)
        usage_pages[cgroup.parent] += usage_pages[cgroup.name]


def _check_watermarks(scenario: "Scenario") -> None:
    for nid, marks in enumerate(scenario.watermarks):
        if marks.promo_pages >= scenario.managed_pages[nid]:
            field = "watermark_scale_factor" if scenario.min_free_kib is None else "min_free_kib"
            wanted = f"watermarks below the {scenario.node[nid].total_mib:g} MiB of node {nid}"
            raise wrong(field, getattr(scenario, field), wanted)


def _check_assumed(scenario: "Scenario") -> None:
    for index, assumed in enumerate(scenario.assumed):
        value = paths.value_at(scenario, assumed.field)
        if value is None:
            raise wrong(f"assumed.{index}.field", assumed.field, PATH_WANTED)
        if not assumed.low <= value <= assumed.high:
            wanted = f"low..high around {assumed.field} = {value:g}"
            raise wrong(f"assumed.{index}.low", f"{assumed.low:g}..{assumed.high:g}", wanted)
