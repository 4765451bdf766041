"""The machine of a scenario: nodes, block device, CPU costs, cgroups."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reclaim_env.scenario.fields import (
    Mib,
    NodeId,
    Reference,
    Slug,
    Table,
    count,
    mib,
    number,
    one_of,
    seconds,
    text,
    wrong,
)


class Node(Table):
    """One NUMA node with one Normal zone; its place in the file is its id."""

    total_mib: float = mib("managed memory of the node", low=256)
    unusable_mib: float = mib("free pages in blocks that user allocations may not take", 0)
    kernel_mib: float = mib("neither free nor on an LRU list, never reclaimed: page tables, huge pages", 0)
    slab_mib: float = mib("reclaimable slab at the start: names and inodes nobody uses", 0)
    slab_mib_per_s: float = number("growth of the reclaimable slab", "MiB/s", 0, high=1e6)
    kswapd_cpu_share_ratio: float = number(
        "share of a CPU this node's kswapd gets", "ratio", 1, low=1e-3, high=1
    )
    cpus: int = number(
        "CPUs of the node: pressure is a share of them; nobody waits for one", "count", 32, low=0, high=4096
    )
    boosts_per_s: float = number(
        "allocations a second that steal a block of another migrate type and boost the watermarks",
        "1/s", 0, high=1000,
    )  # fmt: skip
    demotes_to: NodeId | None = number(
        "lower tier: the node that reclaimed pages are moved to; left out: none", "node", None, low=0, high=7
    )
    distance: Annotated[tuple[Annotated[int, Field(ge=10, le=255)], ...] | None, Field(strict=False)] = Field(
        None,
        description="row of the SLIT, to every node in order; left out: 10 to itself, 20 to others",
        json_schema_extra={"unit": "SLIT"},
    )


class Hotplug(Table):
    """A block of memory switched on or off line, or a balloon of the host's (no watermark changes then)."""

    at_s: float = seconds("when")
    kind: Literal["online", "offline", "inflate", "deflate"] = one_of("what happens")
    node: NodeId = number("the node", "node", low=0, high=7)
    mib: float = mib("how much", low=1 / 256)


class Device(Table):
    """The block device behind every file: a fluid queue."""

    latency_us: float = number("latency of one 4 KiB read of the idle device", "us", low=0.1, high=1e7)
    bandwidth_mib_per_s: float = number("read bandwidth", "MiB/s", low=0.01, high=1e7)
    iops_per_s: float = number("reads per second", "1/s", low=1, high=1e9)


class Cost(Table):
    """CPU costs. The defaults are the model description's estimates; a changed one names its source."""

    source: str | None = text("where changed costs come from; needed if any is given", None)
    scan_us: float = number("examine one unmapped page", "us", 0.10, high=1e4)
    scan_mapped_us: float = number("examine one mapped page", "us", 0.25, high=1e4)
    free_us: float = number("free one clean page", "us", 0.6, high=1e4)
    unmap_us: float = number("more for a page that is mapped", "us", 0.7, high=1e4)
    pass_us: float = number("one shrink_node() pass before its pages", "us", 20.0, high=1e6)
    pass_memcg_us: float = number("and for each cgroup it visits", "us", 1.0, high=1e6)
    direct_entry_us: float = number("entry into direct reclaim", "us", 5.0, high=1e6)
    anon_fault_us: float = number("fault in and zero one anonymous page", "us", 0.75, high=1e4)
    anon_free_us: float = number("free one anonymous page", "us", 0.15, high=1e4)
    migrate_us: float = number("move one page to the lower tier", "us", 2.0, high=1e4)
    tlb_ms: float = number(
        "a mapped page touched sooner than this after its young bit was cleared leaves no trace",
        "ms",
        0.0,
        high=1e4,
    )

    @model_validator(mode="after")
    def _changed_costs_have_a_source(self) -> Self:
        fields = type(self).model_fields
        changed = [
            name for name in fields if name != "source" and getattr(self, name) != fields[name].default
        ]
        if changed and not self.source:
            raise wrong("source", "nothing", f"the source of {', '.join(changed)}")
        return self


class Cgroup(Table):
    """`count` identical memory cgroups; limits are those of each."""

    name: Slug = text("name, used by workloads, events and children")
    parent: Reference = text("an earlier cgroup with count 1; empty: the root", "")
    count: int = count("how many identical cgroups this table stands for", 1)
    memory_min_mib: Mib | None = mib("memory.min of each; left out: none", None)
    memory_low_mib: Mib | None = mib("memory.low of each; left out: none", None)
    memory_high_mib: Mib | None = mib("memory.high of each; left out: none", None)
    memory_max_mib: Mib | None = mib("memory.max of each; left out: none", None)
    memory_swap_max_mib: Mib | None = mib("memory.swap.max of each; left out: none", None)


class Oomd(Table):
    """A killer in user space that watches memory pressure (systemd-oomd, its defaults); left out: none."""

    pressure_limit_ratio: float = number(
        "full memory pressure over 10 s from which it minds", "ratio", 0.6, low=1e-3, high=1
    )
    duration_s: float = seconds("how long the pressure lasts before it kills", 30.0)
