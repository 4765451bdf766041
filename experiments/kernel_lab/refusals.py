"""What a scenario file can say and the guest cannot do, refused by the name of the field."""

from collections.abc import Iterator

from reclaim_env.scenario import Scenario, ScenarioError
from reclaim_env.scenario.machine import Cost, Node
from reclaim_env.scenario.workloads import Reader, Task

MAX_NODES = 4  # CONFIG_NODES_SHIFT=2 of the lab's kernel
MAX_THREADS = 8  # of one process: emulated CPUs are few and slow
MAX_PROCESSES = 512
MAX_TOTAL_MIB = 8192
MAX_STREAM_MIB = 4096

# What a real kernel has of its own, and the value that says nothing
NODE_FIELDS = {
    "unusable_mib": 0,
    "slab_mib": 0,
    "slab_mib_per_s": 0,
    "boosts_per_s": 0,
    "kswapd_cpu_share_ratio": 1,
    "distance": None,
    "demotes_to": None,
}  # `cpus` says how pressure is shared out in the model, and nothing of the machine

Refusal = tuple[str, object, str]  # field, found, wanted


def refuse(scenario: Scenario) -> None:
    """Raises at the first field that asks for what the lab does not have."""
    for field, found, wanted in _refusals(scenario):
        raise ScenarioError(f"{scenario.name} in the kernel lab", field, f"{found}", wanted)


def _refusals(scenario: Scenario) -> Iterator[Refusal]:
    yield from _machine(scenario)
    for atomic in scenario.atomic:
        yield f"atomic.{atomic.name}", "a table", "none: no process can allocate atomically"
    for task in (*scenario.anon, *scenario.reader, *scenario.stream):
        yield from _task(scenario, task)
    for reader in scenario.reader:
        yield from _reader(reader)
    yield from _streams(scenario)
    yield from _processes(scenario)


def _machine(scenario: Scenario) -> Iterator[Refusal]:
    if len(scenario.node) > MAX_NODES:
        yield "node", f"{len(scenario.node)} nodes", f"at most {MAX_NODES}"
    if scenario.filled_mib_per_s is not None:
        yield (
            "filled_mib_per_s",
            scenario.filled_mib_per_s,
            "nothing: a guest fills at its own pace",
        )
    total_mib = sum(node.total_mib for node in scenario.node)
    if total_mib > MAX_TOTAL_MIB:
        yield "node.*.total_mib", f"{total_mib:g} MiB in all", f"at most {MAX_TOTAL_MIB}"
    if scenario.swap is not None:
        yield "swap", "a table", "none: the guest has no swap"
    for nid, node in enumerate(scenario.node):
        for field, usual in NODE_FIELDS.items():
            yield from _changed(f"node.{nid}", node, field, usual)
    for index in range(len(scenario.hotplug)):
        yield f"hotplug.{index}", "a table", "none: the guest's memory stays as it is"
    if scenario.oomd is not None:
        yield "oomd", "a table", "none: nobody in the guest kills"
    for field, info in Cost.model_fields.items():
        if field != "source":
            yield from _changed("cost", scenario.cost, field, info.default)


def _changed(where: str, table: Node | Cost, field: str, usual: object) -> Iterator[Refusal]:
    found = getattr(table, field)
    if found != usual:
        yield f"{where}.{field}", found, f"{usual}: a real kernel has its own"


def _task(scenario: Scenario, task: Task) -> Iterator[Refusal]:
    where = f"{_table(task)}.{task.name}"
    if task.threads > MAX_THREADS:
        yield f"{where}.threads", task.threads, f"at most {MAX_THREADS}"
    parents = {cgroup.parent for cgroup in scenario.cgroup}
    if task.cgroup and task.cgroup in parents:
        yield f"{where}.cgroup", task.cgroup, "a cgroup without children: no other holds processes"


def _table(task: Task) -> str:
    return type(task).__name__.lower()


def _reader(reader: Reader) -> Iterator[Refusal]:
    for index, file in enumerate(reader.file):
        if file.readahead_pages > 1 and (file.access, file.pattern) == ("read", "random"):
            field = f"reader.{reader.name}.file.{index}.readahead_pages"
            yield field, file.readahead_pages, "1: the kernel reads no more for a read() at random"


def _streams(scenario: Scenario) -> Iterator[Refusal]:
    for stream in scenario.stream:
        read_mib = stream.mib_per_s * scenario.duration_s * scenario.members(stream.cgroup)
        if read_mib > MAX_STREAM_MIB:
            wanted = f"at most {MAX_STREAM_MIB} MiB of it on the disk"
            yield f"stream.{stream.name}.mib_per_s", f"{read_mib:g} MiB in all", wanted


def _processes(scenario: Scenario) -> Iterator[Refusal]:
    tasks = (*scenario.anon, *scenario.reader, *scenario.stream)
    processes = sum(scenario.members(task.cgroup) for task in tasks)
    if processes > MAX_PROCESSES:
        yield "cgroup.*.count", f"{processes} processes", f"at most {MAX_PROCESSES}"
