"""Stories by the name of their family: drawn numbers in, the tables of a scenario out."""

from collections.abc import Callable, Mapping
from typing import Any

from reclaim_env.families import parts
from reclaim_env.families.machine import DURATION_S, Machine, disk
from reclaim_env.families.parts import Numbers

Story = Callable[[Numbers], Machine]
_STORIES: dict[str, Story] = {}


def tables(family: str, numbers: Mapping[str, float]) -> dict[str, Any]:
    """Of the scenario but for its name and texts."""
    return _STORIES[family](numbers).tables()


def story(function: Story) -> Story:
    _STORIES[function.__name__] = function
    return function


@story
def futile_revival(n: Numbers) -> Machine:
    m = Machine(n)
    parts.futile(m, 0, n)
    parts.fill_beyond_low(m, 0, n)
    if n["both_nodes"]:
        parts.futile(m, 1, n)
        parts.fill_beyond_low(m, 1, n)
    else:
        parts.peace(m, 1)
    return m


@story
def dead_kswapd(n: Numbers) -> Machine:
    m = Machine(n)
    parts.peace(m, 0)
    parts.dead(m, 1, n)
    return m


@story
def trap_or_trove(n: Numbers) -> Machine:
    """Dead kswapd; what there is to reclaim is a third of high - min, or three times as much."""
    return dead_kswapd(n)


@story
def two_nodes(n: Numbers) -> Machine:
    m = Machine(n)
    parts.futile(m, 0, n)
    parts.fill_beyond_low(m, 0, n)
    parts.dead(m, 1, n)
    if n["loose_mib_per_s"] > 0:
        m.loose_stream("loose", 1, n["loose_mib_per_s"])
    return m


@story
def stream_onoff(n: Numbers) -> Machine:
    """A stream that comes and goes; all that can be reclaimed is less than high - min throughout."""
    m = Machine(n)
    parts.peace(m, 0)
    parts.futile(m, 1, n)
    start_s, turn = n["stream_off_s"], 0
    while start_s < DURATION_S - 1:
        stop_s = min(start_s + n["stream_on_s"], DURATION_S)
        m.stream(f"stream-{turn}", 1, n["stream_mib_per_s"], threads=2, start_s=start_s, stop_s=stop_s)
        start_s, turn = stop_s + n["stream_off_s"], turn + 1
    parts.fill_beyond_low(m, 1, n)
    return m


@story
def exit_and_return(n: Numbers) -> Machine:
    """Futile; the hog exits; a stream over what it left; the hog comes back."""
    m = Machine(n)
    for nid in range(2 if n["both_nodes"] else 1):
        parts.futile(m, nid, n)
        cgroup = m.cgroup(f"ingest-{nid}")
        m.stream(
            f"ingest-{nid}",
            nid,
            n["stream_mib_per_s"],
            0,
            cgroup,
            threads=2,
            start_s=n["exit_s"] + 0.5,
            stop_s=n["back_s"] + 2,
        )
        gone_mib = -n["exit_mib"]
        parts.fill_beyond_low(
            m,
            nid,
            n,
            [
                (n["exit_s"], 0),
                (n["exit_s"] + 0.3, gone_mib),
                (n["back_s"], gone_mib),
                (n["back_s"] + 3, 0),
            ],
        )
    if not n["both_nodes"]:
        parts.peace(m, 1)
    return m


@story
def mixture(n: Numbers) -> Machine:
    """Every node goes from futile to streaming and back, out of phase with the others."""
    nr_nodes = int(n["nr_nodes"])
    m = Machine(n, nr_nodes)
    for nid in range(nr_nodes):
        parts.futile(m, nid, n)
        shift_s = nid * n["phase_s"] / nr_nodes
        later, start_s = [], n["phase_s"] - shift_s + 2
        turn = 0
        while start_s < DURATION_S - 1:
            stop_s = start_s + n["phase_s"]
            later += [(start_s, 0.0), (start_s + 0.3, -n["exit_mib"])]
            later += [(stop_s, -n["exit_mib"]), (stop_s + 1.5, 0.0)]
            m.stream(
                f"ingest-{nid}-{turn}",
                nid,
                n["stream_mib_per_s"],
                threads=2,
                start_s=start_s,
                stop_s=min(stop_s + 1, DURATION_S),
            )
            start_s, turn = stop_s + n["phase_s"], turn + 1
        parts.fill_beyond_low(m, nid, n, later)
    return m


@story
def closable_deficit(n: Numbers) -> Machine:
    """A deficit that kswapd can close, from a cache that is warm; bursts take it again and pass."""
    m = Machine(n)
    parts.peace(m, 0)
    parts.mapped_groups(m, 1, "cache", n["cache_ratio"] * 2 * m.gap_mib, n, on_s=n["on_s"], off_s=n["off_s"])
    parts.containers(m, 1, n["bursts_per_s"])
    m.anon(
        "bursts",
        1,
        0,
        threads=4,
        burst_mib=n["burst_ratio"] * m.gap_mib,
        burst_every_ms=n["burst_every_s"] * 1000,
        burst_hold_ms=n["burst_every_s"] * 300,
    )
    m.fill(1, m.low_mib + n["free_ratio"] * m.gap_mib)
    return m


@story
def warm_cache(n: Numbers) -> Machine:
    """Kswapd is dead beside a warm cache about as large as high - min, or larger."""
    m = Machine(n)
    parts.peace(m, 0)
    parts.mapped_groups(m, 1, "cache", n["cache_ratio"] * 2 * m.gap_mib, n, on_s=n["on_s"], off_s=n["off_s"])
    parts.containers(m, 1, n["bursts_per_s"])
    parts.short_lived(m, 1, n["burst_ratio"] * m.gap_mib)
    if n["stream_mib_per_s"] > 0:
        m.stream("ingest", 1, n["stream_mib_per_s"], 0.1 * m.gap_mib, threads=2)
    m.hopeless(1)
    m.fill(1, (m.min_mib + m.low_mib) / 2)
    return m


@story
def hot_retires(n: Numbers) -> Machine:
    """A hot cache is used no more; anonymous memory grows into it."""
    m = Machine(n)
    parts.peace(m, 0)
    parts.containers(m, 1, n["bursts_per_s"])
    retired_mib = n["cache_ratio"] * 2 * m.gap_mib
    m.reader(
        "retiring",
        1,
        [{"mib": retired_mib, "access": "mmap", "active_mib": retired_mib}],
        cgroup=m.cgroup("retiring"),
        threads=8,
        op_cpu_us=20,
        pages_per_op=parts.OPS_PAGES,
        ops_per_s=n["touch_per_s"] * retired_mib * 256 / parts.OPS_PAGES,
        max_backlog_ops=10_000,
        stop_s=n["retire_s"],
    )
    grows_mib = n["grow_ratio"] * retired_mib
    parts.fill_beyond_low(m, 1, n, [(n["retire_s"] + 1, 0), (DURATION_S - 4.0, grows_mib)])
    return m


@story
def exhaustion(n: Numbers) -> Machine:
    """Bursts ask for more than the node has, whoever reclaims."""
    m = Machine(n)
    parts.peace(m, 0)
    parts.futile(m, 1, n)
    m.anon(
        "bursts",
        1,
        0,
        threads=4,
        burst_mib=m.low_mib + n["over_ratio"] * m.gap_mib,
        burst_every_ms=n["burst_every_s"] * 1000,
        burst_hold_ms=n["burst_every_s"] * 500,
        restart_s=3,
    )
    parts.fill_beyond_low(m, 1, n)
    return m


@story
def over_count(n: Numbers) -> Machine:
    """KM 10(b'): all file pages are below memory.low, so kswapd's runs are fruitless; then a stream comes."""
    m = Machine(n)
    m.boosts(1, n["boosts_per_s"])
    parts.peace(m, 0)
    protected_mib = n["cold_ratio"] * 2 * m.gap_mib
    group = m.cgroup("protected", memory_low_mib=protected_mib + 64)
    m.reader(
        "protected",
        1,
        [{"mib": protected_mib, "inactive_mib": protected_mib}],
        cgroup=group,
        ops_per_s=n["reads_per_s"],
    )
    m.stream(
        "ingest", 1, n["stream_mib_per_s"], 0, m.cgroup("ingest"), threads=2, start_s=n["stream_start_s"]
    )
    parts.containers(m, 1, n["bursts_per_s"])
    parts.short_lived(m, 1, 0.4 * m.gap_mib)
    came_s = n["stream_start_s"]
    parts.fill_beyond_low(m, 1, n, [(came_s, 0), (came_s + 0.3, -n["exit_mib"])] if n["exit_mib"] else ())
    return m


@story
def swapon(n: Numbers) -> Machine:
    """KM 10(d): kswapd has given up without swap; swap comes, and cold anonymous pages can leave."""
    m = Machine(n)
    m.swap(4096, on=False, **disk(n["swap_device"]))
    m.event(n["swapon_s"], "swapon")
    parts.peace(m, 0)
    parts.containers(m, 1, n["bursts_per_s"])
    parts.mapped_groups(m, 1, "web", n["hot_ratio"] * m.gap_mib, n, on_s=n["on_s"], off_s=n["off_s"])
    grows_mib = n["grow_mib_per_s"] * (DURATION_S - n["swapon_s"] - 1)
    m.anon("growing", 1, 0, [(0, 0), (n["swapon_s"] + 1, 0), (DURATION_S, grows_mib)], threads=4)
    parts.fill_beyond_low(m, 1, n, heat=list(parts.THIRDS))
    return m


@story
def swap_full(n: Numbers) -> Machine:
    """Compressed swap fills up; from then on the node is futile."""
    m = Machine(n)
    m.swap(
        n["swap_mib"],
        latency_us=0,
        bandwidth_mib_per_s=8000,
        iops_per_s=2_000_000,
        page_cpu_us=3,
        pool_ratio=0.33,
    )
    parts.peace(m, 0)
    parts.futile(m, 1, n)
    grows_mib = 0.67 * n["swap_mib"] * n["over_ratio"]
    growth = [(n["full_s"], grows_mib)]
    heat = [{"touch_per_s": 100, "active_ratio": 1}, {"touch_per_s": 0}]
    parts.fill_beyond_low(m, 1, n, growth, heat=heat, oom_score_adj=-1000)
    return m


@story
def tier(n: Numbers) -> Machine:
    """KM 10(f): the lower tier was full, so kswapd of the upper one gave up; then there is room in it."""
    m = Machine(n)
    m.demotes(0, 1)
    parts.containers(m, 0, n["bursts_per_s"])
    parts.mapped_groups(m, 0, "web", n["hot_ratio"] * m.gap_mib, n, on_s=n["on_s"], off_s=n["off_s"])
    grows_mib = n["grow_mib_per_s"] * (DURATION_S - n["exit_s"] - 1)
    m.anon("growing", 0, 0, [(0, 0), (n["exit_s"] + 1, 0), (DURATION_S, grows_mib)], threads=4)
    parts.fill_beyond_low(m, 0, n, heat=list(parts.THIRDS))
    gone_mib = -2 * grows_mib - 4 * m.gap_mib
    m.fill(1, m.min_mib + 0.5 * m.gap_mib, [(0, 0), (n["exit_s"], 0), (n["exit_s"] + 0.3, gone_mib)])
    m.hopeless(0)
    return m


@story
def numa_bound(n: Numbers) -> Machine:
    """KM 10(g): tasks bound to a hopeless node are alone with it: loose ones go where there is room."""
    m = Machine(n)
    m.loose_stream("loose", 1, n["loose_mib_per_s"])
    parts.dead(m, 1, n)
    m.reader("calm-0", 0, [{"mib": 512, "inactive_mib": 512}], think_ms=1)
    m.stream("ingest-0", 0, n["loose_mib_per_s"], 512, threads=2)
    m.fill(0, m.low_mib + 0.5 * m.gap_mib)
    return m


@story
def control(n: Numbers) -> Machine:
    """Nothing to decide: kswapd sleeps, or always finds something."""
    m = Machine(n)
    parts.peace(m, 0)
    parts.containers(m, 1, n["bursts_per_s"])
    if n["works"]:
        m.stream("cold", 1, n["stream_mib_per_s"], 1024)
        m.fill(1, m.high_mib)
    else:
        parts.peace(m, 1)
    return m
