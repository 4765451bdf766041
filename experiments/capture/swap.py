"""Swap of a host as far as its files tell: what is free, whether it is compressed memory, settings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reclaim_env.model.layout import MAX_LRUVECS, MAX_SETS
from reclaim_env.numastat import Guess

from ..vmstat.lines import Line, whole_number
from .host_files import HostFiles

SWAPS = "/proc/swaps"
SWAPPINESS, PAGE_CLUSTER = "/proc/sys/vm/swappiness", "/proc/sys/vm/page-cluster"
MOST_READAHEAD_PAGES = 32
ZRAM = "/dev/zram"
DISK_TABLE = """\
latency_us = 80  # assumed: a data-centre NVMe device
bandwidth_mib_per_s = 2000  # assumed
iops_per_s = 400_000  # assumed
"""
ZRAM_TABLE = """\
latency_us = 0  # assumed: compressed memory
bandwidth_mib_per_s = 8000  # assumed
iops_per_s = 2_000_000  # assumed
page_cpu_us = 3  # assumed
pool_ratio = 0.33  # assumed
"""
DISK_GUESSES: tuple[Guess, ...] = (
    ("swap.latency_us", 50, 10_000, "from NVMe to a hard disk"),
    ("swap.bandwidth_mib_per_s", 150, 6676, "from a hard disk to NVMe"),
    ("swap.iops_per_s", 80, 1_500_000, "from a hard disk to NVMe"),
)
ZRAM_GUESSES: tuple[Guess, ...] = (
    ("swap.page_cpu_us", 1, 10, "from lzo to zstd"),
    ("swap.pool_ratio", 0.2, 0.6, "how well the pages compress"),
)


@dataclass(frozen=True)
class HostSwap:
    """Spaces taken together; sizes are 0 where there are none, or nobody tells."""

    size_mib: float = 0.0
    used_mib: float = 0.0
    is_compressed: bool = False  # most of it
    swappiness: int | None = None
    readahead_pages: int | None = None

    @property
    def free_mib(self) -> float:
        return self.size_mib - self.used_mib


def read_swap(files: HostFiles) -> HostSwap:
    size_mib, used_mib, zram_mib = files.parsed(SWAPS, _spaces, (0.0, 0.0, 0.0))
    if size_mib == 0:
        return HostSwap()
    cluster = files.parsed(PAGE_CLUSTER, _number, None)
    return HostSwap(
        size_mib,
        used_mib,
        is_compressed=zram_mib > size_mib / 2,
        swappiness=files.parsed(SWAPPINESS, _number, None),
        readahead_pages=None if cluster is None else min(2 ** min(cluster, 10), MOST_READAHEAD_PAGES),
    )


def _spaces(lines: Sequence[Line]) -> tuple[float, float, float]:
    """MiB of all spaces, used, and on zram. Below a head, a line each: name, kind, KiB, KiB used."""
    size = used = zram = 0
    for line in lines[1:]:
        words = line.text.split()
        if len(words) > 3:
            own = whole_number(line, "Size", words[2]).value
            size, used = size + own, used + whole_number(line, "Used", words[3]).value
            zram += own if words[0].startswith(ZRAM) else 0
    return size / 1024, min(used, size) / 1024, zram / 1024


def _number(lines: Sequence[Line]) -> int:
    return whole_number(lines[0], "", lines[0].text.strip()).value


def most_cgroups_with_swap(nr_nodes: int) -> int:
    """A file and two heats of each owner on each node, and a stream; lists of both types.

    Negative where there is no room for swap at all.
    """
    of_sets = (MAX_SETS // nr_nodes - 1) // 3 - nr_nodes
    return min(of_sets, MAX_LRUVECS // (2 * nr_nodes) - 1)


def swap_toml(swap: HostSwap) -> str:
    lines = [
        "\n[swap]",
        f"mib = {swap.free_mib}  # {SWAPS}: Size less Used, as what is in swap now is not told apart",
        (ZRAM_TABLE if swap.is_compressed else DISK_TABLE).rstrip(),
    ]
    if swap.readahead_pages is not None:
        lines.append(f"readahead_pages = {swap.readahead_pages}  # {PAGE_CLUSTER}, 2 to its power")
    return "\n".join(lines) + "\n"


def swap_guesses(swap: HostSwap) -> tuple[Guess, ...]:
    return ZRAM_GUESSES if swap.is_compressed else DISK_GUESSES


@dataclass(frozen=True)
class Heat:
    """One list of anonymous memory, all of its pages taken to be touched alike."""

    row: str  # of meminfo
    share: float
    touch_per_s: float
    range_per_s: tuple[float, float]
    active_ratio: int

    def toml(self) -> str:
        return (
            f"\n[[anon.heat]]\nshare = {self.share:.6g}  # the nodes' meminfo: {self.row}\n"
            f"touch_per_s = {self.touch_per_s:g}  # assumed\nactive_ratio = {self.active_ratio}  # assumed\n"
        )


def heats(active_ratio: float) -> list[Heat]:
    """The active list taken to be in use, the inactive one not; a list without pages is none."""
    both = (
        Heat("Active(anon)", active_ratio, 10.0, (0.1, 1000.0), 1),
        Heat("Inactive(anon)", 1 - active_ratio, 0.001, (0.0, 0.1), 0),
    )
    return [heat for heat in both if heat.share > 0]


def heat_guesses(name: str, active_ratio: float) -> Iterator[Guess]:
    why = "how hot anonymous memory is cannot be read"
    for index, heat in enumerate(heats(active_ratio)):
        yield f"anon.{name}.heat.{index}.touch_per_s", *heat.range_per_s, why
