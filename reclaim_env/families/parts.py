"""What stories are made of: things that happen on one node."""

from collections.abc import Mapping, Sequence
from typing import Any

from reclaim_env.families.machine import Machine

Numbers = Mapping[str, float]

CONTAINERS = 4
CONTAINER_MIB = 16.0
CONTAINER_FILE_MIB = 0.5
CONTAINER_ROOM_MIB = 0.375  # below memory.high; the stock of charges takes up to 0.25 of it
BURST_MIB = 0.5
MAX_HOLD_MS = 100
OPS_PAGES = 64


def peace(m: Machine, nid: int) -> None:
    """Free memory above high and a small file: nothing asks for kswapd."""
    m.reader(f"calm-{nid}", nid, [{"mib": 64, "inactive_mib": 64}], think_ms=1)
    m.fill(nid, 2 * m.high_mib + 256)


# A third is in use all the time, a third now and then, a third is not touched within an episode.
THIRDS = (
    {"touch_per_s": 50, "active_ratio": 1},
    {"touch_per_s": 0.02, "active_ratio": 0.5},
    {"touch_per_s": 0.001},
)


def containers(m: Machine, nid: int, bursts_per_s: float) -> None:
    """Cgroups at memory.high, taken over it `bursts_per_s` times a second between them (KM 7).

    What each holds fits below the limit, what its short-lived allocations add does not. Having no swap they
    give up file pages then, hot as these are, and read them again, which takes them over it once more.
    """
    if bursts_per_s <= 0:
        return
    limits = {"memory_high_mib": CONTAINER_MIB, "memory_swap_max_mib": 0.0}
    group = m.cgroup(f"container-{nid}", count=CONTAINERS, **limits)
    every_ms = 1000 * CONTAINERS / bursts_per_s
    m.anon(
        f"business-{nid}",
        nid,
        CONTAINER_MIB - CONTAINER_FILE_MIB - CONTAINER_ROOM_MIB,
        cgroup=group,
        burst_mib=BURST_MIB,
        burst_every_ms=every_ms,
        burst_hold_ms=min(every_ms / 2, MAX_HOLD_MS),
    )
    hot = {"mib": CONTAINER_FILE_MIB, "access": "mmap", "inactive_mib": CONTAINER_FILE_MIB}
    m.reader(
        f"container-files-{nid}",
        nid,
        [hot | {"readahead_pages": 16}],
        cgroup=group,
        op_cpu_us=5,
        pages_per_op=OPS_PAGES,
        ops_per_s=4000,
    )


def mapped_groups(
    m: Machine, nid: int, name: str, total_mib: float, n: Numbers, *, on_s: float, off_s: float
) -> None:
    """Groups of mapped pages, each hot for a while and then silent; every second one is executable."""
    groups = int(n["groups"])
    each_mib = max(total_mib / groups, 0.25)
    files = [
        {
            "mib": each_mib,
            "access": "exec" if g % 2 else "mmap",
            "readahead_pages": 16,
            "on_s": on_s,
            "off_s": off_s,
            ("active_mib" if g % 2 else "inactive_mib"): each_mib,
        }
        for g in range(groups)
    ]
    pages = total_mib * 256
    m.reader(
        f"{name}-{nid}",
        nid,
        files,
        cgroup=m.cgroup(f"{name}-{nid}"),
        threads=64,
        op_cpu_us=20,
        pages_per_op=OPS_PAGES,
        ops_per_s=n["touch_per_s"] * pages / OPS_PAGES,
        max_backlog_ops=10_000,
    )


def trickles(m: Machine, nid: int, total_mib: float, reads_per_s: float) -> None:
    """read() pages of many small cgroups, re-read slowly: lists that kswapd empties, and that fill again."""
    pods = 40
    group = m.cgroup(f"pod-{nid}", count=pods)
    m.reader(
        f"pods-{nid}",
        nid,
        [{"mib": total_mib / pods, "inactive_mib": total_mib / pods}],
        cgroup=group,
        ops_per_s=reads_per_s / pods,
    )


def futile(m: Machine, nid: int, n: Numbers) -> None:
    """KM 10(a): reclaimable pages are fewer than the deficit, and hot; containers go on reclaiming."""
    containers(m, nid, n["bursts_per_s"])
    if n["emptied"]:
        trickles(m, nid, n["hot_ratio"] * m.gap_mib, n["reads_per_s"])
    else:
        mapped_groups(m, nid, "web", n["hot_ratio"] * m.gap_mib, n, on_s=n["on_s"], off_s=n["off_s"])


def fill_beyond_low(
    m: Machine, nid: int, n: Numbers, later: Sequence[tuple[float, float]] = (), **rest: Any
) -> None:
    """Anonymous memory that takes the node below low within 2 s and goes on freeing and touching some.

    `later`: (t_s, MiB more than at 2 s).
    """
    free_mib = m.low_mib * (1 + n["slack_ratio"])
    taken_mib = free_mib - 0.97 * m.low_mib
    moves = [(0.0, 0.0), (2.0, taken_mib), *((t_s, taken_mib + more) for t_s, more in later)]
    m.fill(nid, free_mib, moves, threads=8, churn_mib_per_s=n["churn_mib_per_s"], **rest)


def short_lived(m: Machine, nid: int, mib: float) -> None:
    """Allocations of a tenth of a second: a server's buffers, a compiler's heap."""
    m.anon(f"short-{nid}", nid, 0, threads=2, burst_mib=mib, burst_every_ms=250, burst_hold_ms=100)


def hot_service(m: Machine, nid: int, mib: float, **rest: Any) -> None:
    """A hot set in use all the time: it feels stalls, and refaults if kswapd takes its pages."""
    m.reader(
        f"hot-{nid}",
        nid,
        [{"mib": mib, "access": "mmap", "active_mib": mib}],
        cgroup=m.cgroup(f"service-{nid}"),
        threads=4,
        op_cpu_us=50,
        pages_per_op=16,
        think_ms=0.2,
        **rest,
    )


def dead(m: Machine, nid: int, n: Numbers) -> None:
    """KM 10(b): kswapd has given up, then cold pages came: a stream over its old pages, and a hot set."""
    containers(m, nid, n["bursts_per_s"])
    hot_service(m, nid, n["hot_mib"])
    short_lived(m, nid, 0.4 * m.gap_mib)
    cold_mib = n["cold_ratio"] * 2 * m.gap_mib
    m.stream(f"ingest-{nid}", nid, n["stream_mib_per_s"], cold_mib, m.cgroup(f"ingest-{nid}"), threads=2)
    m.hopeless(nid)
    m.fill(nid, (m.min_mib + m.low_mib) / 2)
