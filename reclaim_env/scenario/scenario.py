"""A scenario: one machine, its workloads and its story, read from a TOML file, checked, frozen."""

import os
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Self

from pydantic import ValidationError, model_validator

from reclaim_env.model.layout import MAX_EVENTS, MAX_MEMCGS, MAX_NODES, MAX_WORKLOADS
from reclaim_env.scenario import checks, paths
from reclaim_env.scenario.fields import Slug, Table, Text, number, seconds, tables, text
from reclaim_env.scenario.file import ScenarioError, parse_toml, read_text, suggestion, translate
from reclaim_env.scenario.machine import Cgroup, Cost, Device, Hotplug, Node, Oomd
from reclaim_env.scenario.swap import Swap
from reclaim_env.scenario.workloads import Anon, Assumed, Atomic, Event, Hopeless, Reader, Stream
from reclaim_env.units import pages_from_mib
from reclaim_env.watermarks import Watermarks, boot_min_free_kib, setup_per_zone_wmarks


class Scenario(Table):
    """The tables of a scenario file. Rows of the state record lie in the order of the file."""

    name: Slug = text("name, also of its rows in reports")
    source: Text = text("where the story and its numbers come from")
    description: str = text("what happens, for the reader", "")
    untold: str = text("what source and model do not tell; stands beside every result", "")
    duration_s: float = seconds("length of an episode", 60.0, low=0.01)
    seed: int | None = number(
        "seed of the episode if reset() is given none; left out: a fresh one",
        "count",
        None,
        high=2**63,
    )
    filled_mib_per_s: float | None = number(
        "pace at which files were read in right before the start, one after the other in the order of this "
        "file: reclaim's statistics may be of a moment of it; left out: the machine has long been as it is",
        "MiB/s", None, low=0.01, high=1e7,
    )  # fmt: skip
    tick_ms: int = number("time step of the model; divides 1000", "ms", 10, low=1, high=1000)
    watermark_scale_factor: int = number("vm.watermark_scale_factor", "1/10000", 10, low=1, high=3000)
    watermark_boost_factor: int = number(
        "vm.watermark_boost_factor, the most a boost can be of the high watermark; 0: no boosts",
        "1/10000", 15_000, low=0, high=1_000_000,
    )  # fmt: skip
    min_free_kib: int | None = number(
        "vm.min_free_kbytes; left out: what the kernel computes at boot", "KiB", None, low=128, high=4e12
    )
    thp: bool = text("huge pages are enabled (they raise vm.min_free_kbytes)", True)
    swappiness: int = number(
        "vm.swappiness; of use where there is swap or a lower tier", "1/200", 60, high=200
    )
    demotion_enabled: bool = text("/sys/kernel/mm/numa/demotion_enabled at the start", True)
    device: Device = text("the block device")
    swap: Swap | None = text("swap space; left out: none", None)
    cost: Cost = text("CPU costs", Cost())
    oomd: Oomd | None = text("a killer that watches memory pressure", None)
    node: tuple[Node, ...] = tables("NUMA nodes in the order of their ids", least=1, most=MAX_NODES)
    cgroup: tuple[Cgroup, ...] = tables("cgroups, parents first", most=MAX_MEMCGS)
    anon: tuple[Anon, ...] = tables("processes with anonymous memory", most=MAX_WORKLOADS)
    reader: tuple[Reader, ...] = tables("readers of files", most=MAX_WORKLOADS)
    stream: tuple[Stream, ...] = tables("sequential readers of new pages", most=MAX_WORKLOADS)
    atomic: tuple[Atomic, ...] = tables("bursts of atomic allocations", most=MAX_WORKLOADS)
    event: tuple[Event, ...] = tables("what is switched or written by time", most=MAX_EVENTS)
    hotplug: tuple[Hotplug, ...] = tables("memory that comes and goes, by time", most=MAX_EVENTS)
    hopeless: tuple[Hopeless, ...] = tables("nodes whose kswapd has given up at the start", most=MAX_NODES)
    assumed: tuple[Assumed, ...] = tables("numbers no source gives", most=256)

    @model_validator(mode="before")
    @classmethod
    def _left_out_per_node_lists_are_zeros(cls, data: Any) -> Any:
        return checks.with_zeros(data)

    @model_validator(mode="after")
    def _tables_agree(self) -> Self:
        checks.check(self)
        return self

    @property
    def workloads(self) -> tuple[Anon | Reader | Stream | Atomic, ...]:
        """In the order of the record's rows."""
        return (*self.anon, *self.reader, *self.stream, *self.atomic)

    @property
    def workload_names(self) -> tuple[str, ...]:
        return tuple(workload.name for workload in self.workloads)

    @property
    def cgroup_names(self) -> tuple[str, ...]:
        """Of the tables; the root has none."""
        return tuple(cgroup.name for cgroup in self.cgroup)

    @property
    def has_anon_lists(self) -> bool:
        """Can anonymous memory ever leave its node? Only then reclaim looks at it at all."""
        return self.swap is not None or any(node.demotes_to is not None for node in self.node)

    def members(self, cgroup: str) -> int:
        """How many identical cgroups a name stands for; 1 for the root ("")."""
        return next((table.count for table in self.cgroup if table.name == cgroup), 1)

    @property
    def managed_pages(self) -> tuple[int, ...]:
        return tuple(pages_from_mib(node.total_mib) for node in self.node)

    @property
    def free_pages(self) -> tuple[int, ...]:
        """Of each node at the start: what the tables leave."""
        return checks.free_pages(self)

    @property
    def watermarks(self) -> tuple[Watermarks, ...]:
        min_free_kib = self.min_free_kib
        if min_free_kib is None:
            min_free_kib = boot_min_free_kib(self.managed_pages, self.thp)
        return setup_per_zone_wmarks(self.managed_pages, min_free_kib, self.watermark_scale_factor)

    def value_at(self, field: str) -> float:
        """The number at a path such as `reader.web.file.0.mib`."""
        value = paths.value_at(self, field)
        if value is None:
            raise ScenarioError(self.name, "", field, checks.PATH_WANTED)
        return value

    def with_value(self, field: str, value: float) -> "Scenario":
        """The same scenario with one number changed (rounded where the field is whole), checked again."""
        self.value_at(field)
        return parse(paths.replaced(self, field, value), f"{self.name} with {field} = {value:g}")


def bundled_ids() -> tuple[str, ...]:
    """Scenarios that come with the package."""
    folder = resources.files("reclaim_env") / "scenarios"
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml")))


def load(path_or_id: str | os.PathLike[str]) -> Scenario:
    """A bundled scenario by its id, a member of a family by its name, or any TOML file."""
    from reclaim_env import families

    if families.is_name(path_or_id):
        return families.member(os.fspath(path_or_id))
    if path_or_id in bundled_ids():
        file = f"{path_or_id}.toml"
        return parse_text((resources.files("reclaim_env") / "scenarios" / file).read_text("utf-8"), file)
    path = os.fspath(path_or_id)
    if not path.endswith(".toml") and not os.path.exists(path):  # Path.exists() raises on a long name
        wanted = f"a TOML file, family/name#seed or a scenario's id: {suggestion(path, bundled_ids())}"
        raise ScenarioError(path, "", "no such scenario", wanted)
    return parse_text(read_text(path), path)


def load_all(paths_or_ids: Iterable[str | os.PathLike[str]]) -> list[Scenario]:
    """As load(), one after the other; `family/name#0..63` stands for its 64 members."""
    from reclaim_env import families

    return [load(one) for several in paths_or_ids for one in families.expand(several)]


def parse_text(toml: str, file: str = "scenario") -> Scenario:
    """`file` is what errors call it."""
    return parse(parse_toml(toml, file), file)


def parse(data: Mapping[str, Any], file: str = "scenario") -> Scenario:
    """A scenario from the tables of a TOML document."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise translate(error, file, data, Scenario) from None
