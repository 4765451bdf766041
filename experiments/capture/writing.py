"""A host as a scenario file: each number beside the file it came from, or the word `assumed`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reclaim_env.numastat import ASSUMED_DEVICE, ASSUMED_TABLE, DEVICE_TABLE, Guess
from reclaim_env.units import PAGES_PER_MIB, mib_from_pages, pages_from_mib

from .cgroups import Cgroup
from .host import NODES, SETTINGS, THP, Host, holds_swap
from .swap import SWAPPINESS, SWAPS, heat_guesses, heats, swap_guesses, swap_toml

FILE_GROWTH_RATIO = 1.1  # a file is assumed so much larger than what of it is resident, where pages refault
SLOWEST_STREAM_MIB_PER_S = 0.01
UNTOLD = (
    "A snapshot does not tell which pages are hot and for how long they fall silent, how large files are "
    "beyond what is resident, who reads which of them, on which node a cgroup's pages lie, how demand will "
    "move, how hot anonymous memory is, or what the devices can do: those numbers are assumed. It cannot say "
    "what a rule would have done "
    "here; it can say what rules do on a machine of this shape."
)


@dataclass(frozen=True)
class Share:
    """Pages of one owner: a cgroup, or the root on one node."""

    name: str  # of its workloads
    cgroup: str  # empty: the root
    anon_pages: tuple[int, ...]  # by node
    active_pages: tuple[int, ...]
    inactive_pages: tuple[int, ...]

    @property
    def file_pages(self) -> int:
        return sum(self.active_pages) + sum(self.inactive_pages)

    @property
    def home(self) -> int:
        """The node with most of its pages."""
        totals = [
            sum(pages) for pages in zip(self.anon_pages, self.active_pages, self.inactive_pages, strict=True)
        ]
        return totals.index(max(totals))


def scenario_toml(host: Host, name: str, names: bool = False) -> str:
    """The file's text. `names`: keep the names of cgroups."""
    cgroups = [(f"c{i}{_told(one) if names else ''}", one) for i, one in enumerate(host.cgroups.taken)]
    shares = list(_shares(host, cgroups))
    assumed = list(ASSUMED_DEVICE)
    with_swap = holds_swap(len(host.nodes), host.swap)
    parts = [
        _head(host, name),
        DEVICE_TABLE,
        *([swap_toml(host.swap)] if with_swap else []),
        *(_node(host, place) for place in range(len(host.nodes))),
        *(_cgroup(host, name, one) for name, one in cgroups),
    ]
    if with_swap:
        assumed += swap_guesses(host.swap)
    for share in shares:
        if sum(share.anon_pages):
            parts.append(_anon(host, share, shares))
            if with_swap:
                parts += [heat.toml() for heat in heats(host.active_anon_ratio)]
                assumed += heat_guesses(f"anon-{share.name}", host.active_anon_ratio)
    for share in shares:
        if share.file_pages:
            text, guesses = _reader(host, share, shares)
            parts.append(text)
            assumed += guesses
    parts.append(_stream(host))
    parts += [
        f"\n[[hopeless]]  # {'/proc/zoneinfo'}: node_unreclaimable\nnode = {place}\n"
        for place in host.hopeless
    ]
    parts += [ASSUMED_TABLE.format(field=f, low=low, high=high, why=why) for f, low, high, why in assumed]
    return "".join(parts)


def _head(host: Host, name: str) -> str:
    lines = [
        "# Written by `reclaim scenario capture`. Behind each number stands the file it was read from, or",
        "# that it is assumed. Memory is taken to be local to the node most of it lies on, files to be read",
        "# and not mapped. What is assumed and has a range stands at the end, for `reclaim sensitivity`.",
        *(f"# Not read: {file}: {why}" for file, why in host.unread.items()),
        *_seen(host),
        f'name = "{name}"',
        f'source = "reclaim scenario capture{", Linux " + host.release if host.release else ""}"',
        f'untold = "{UNTOLD}"',
        "",
    ]
    defaults = {"watermark_scale_factor": 10, "watermark_boost_factor": 15_000}
    for setting, file in SETTINGS.items():
        if setting in host.settings:
            lines.append(f"{setting} = {host.settings[setting]}  # {file}")
        elif setting in defaults:
            lines.append(f"{setting} = {defaults[setting]}  # assumed: the kernel's default")
    if host.swap.swappiness is not None:
        lines.append(f"swappiness = {host.swap.swappiness}  # {SWAPPINESS}")
    if host.thp is not None:
        lines.append(f"thp = {str(host.thp).lower()}  # {THP}")
    return "\n".join(lines) + "\n"


def _seen(host: Host) -> Iterator[str]:
    """What was measured and is no field of a scenario."""
    rates = host.rates
    if rates is None:
        yield "# Counters were not read twice: rates are assumed to be 0."
    else:
        yield f"# Seen in {rates.seconds:.1f} s of /proc/vmstat, a second:"
        yield f"#   {rates.allocated_mib_per_s:.4g} MiB allocated, {rates.read_mib_per_s:.4g} MiB read"
        yield f"#   {rates.refault_pages_per_s:.4g} pages refaulted"
        yield f"#   {rates.allocstall_per_s:.4g} direct reclaims"
        yield f"#   {rates.scanned_pages_per_s:.4g} pages scanned by kswapd and direct reclaim"
        yield f"#   {rates.reclaimed_pages_per_s:.4g} of them reclaimed"
    for resource, shares in host.pressure.items():
        for who, percent in shares.items():
            file = f"/proc/pressure/{resource}"
            yield f"# Pressure, {resource} {who}: {percent:g} % of the last minute ({file})"
    if host.swap.size_mib:
        said = f"# Swap: {host.swap.size_mib:g} MiB, {host.swap.used_mib:g} of them used ({SWAPS})"
        yield said if holds_swap(len(host.nodes), host.swap) else f"{said}; this scenario has none"
    if host.cgroups.nr_left_out:
        yield f"# {host.cgroups.nr_left_out} smaller cgroups are counted with the root."


def _node(host: Host, place: int) -> str:
    node = host.nodes[place]
    lines = [
        "",
        f"[[node]]  # node {node.nid}",
        f"total_mib = {node.total_mib}  # {host.memory_files[place]}: MemTotal",
        f"slab_mib = {node.slab_mib}  # its SReclaimable",
        f"kernel_mib = {node.kernel_mib}  # what leaves its MemFree, {node.free_mib} MiB, free",
    ]
    if host.distances:
        lines.append(f"distance = {list(host.distances[place])}  # {NODES}/node{node.nid}/distance")
    return "\n".join(lines) + "\n"


def _cgroup(host: Host, name: str, cgroup: Cgroup) -> str:
    lines = ["", "[[cgroup]]", f'name = "{name}"']
    for limit, mib in cgroup.limits_mib.items():
        lines.append(f"memory_{limit}_mib = {mib}  # its {host.cgroups.limits_file(limit)}")
    return "\n".join(lines) + "\n"


def _shares(host: Host, cgroups: Sequence[tuple[str, Cgroup]]) -> Iterator[Share]:
    """The nodes' pages dealt out: to a cgroup in proportion to the nodes' own, what is left to the root."""
    kinds = ("anon_mib", "active_file_mib", "inactive_file_mib")
    left = {kind: [pages_from_mib(getattr(node, kind)) for node in host.nodes] for kind in kinds}
    whole = {kind: sum(pages) for kind, pages in left.items()}
    asked = {kind: sum(pages_from_mib(getattr(one, kind)) for _, one in cgroups) for kind in kinds}
    by_node = {kind: list(pages) for kind, pages in left.items()}
    for name, one in cgroups:
        dealt: dict[str, list[int]] = {}
        for kind in kinds:
            # Counters of cgroups and nodes are not read at one moment: no more is dealt than there is.
            ratio = pages_from_mib(getattr(one, kind)) / max(whole[kind], asked[kind], 1)
            dealt[kind] = [int(ratio * pages) for pages in by_node[kind]]
            left[kind] = [rest - pages for rest, pages in zip(left[kind], dealt[kind], strict=True)]
        yield Share(name, name, *(tuple(dealt[kind]) for kind in kinds))
    for place, node in enumerate(host.nodes):
        rest = [[pages if place == other else 0 for other, pages in enumerate(left[kind])] for kind in kinds]
        yield Share(f"root-{node.nid}", "", *map(tuple, rest))


def _pages_row(pages: Sequence[int]) -> str:
    return f"[{', '.join(str(mib_from_pages(one)) for one in pages)}]"


def _workload(table: str, kind: str, share: Share) -> list[str]:
    lines = ["", f"[[{table}]]", f'name = "{kind}-{share.name}"']
    if share.cgroup:
        lines.append(f'cgroup = "{share.cgroup}"')
    return [*lines, f"cpu_node = {share.home}  # assumed: where most of its pages lie"]


def _anon(host: Host, share: Share, shares: Sequence[Share]) -> str:
    lines = _workload("anon", "anon", share)
    source = "its memory.stat" if share.cgroup else f"{host.memory_files[share.home]}, less the cgroups"
    lines.append(f"initial_mib = {_pages_row(share.anon_pages)}  # {source}")
    if host.rates is not None:
        part = sum(share.anon_pages) / sum(sum(one.anon_pages) for one in shares)
        anon_mib_per_s = max(host.rates.allocated_mib_per_s - host.rates.read_mib_per_s, 0.0)
        lines.append(
            f"churn_mib_per_s = {part * anon_mib_per_s:.6g}  # /proc/vmstat: pgalloc less pgpgin, by size"
        )
    return "\n".join(lines) + "\n"


def _reader(host: Host, share: Share, shares: Sequence[Share]) -> tuple[str, list[Guess]]:
    """Its share of the refaults, if there were any; else what of its files is read again is all resident."""
    lines = _workload("reader", "files", share)
    name, resident_mib = f"files-{share.name}", mib_from_pages(share.file_pages)
    refaults_per_s = 0.0 if host.rates is None else host.rates.refault_pages_per_s
    refaults_per_s *= share.file_pages / sum(one.file_pages for one in shares)
    guesses: list[Guess] = [
        (f"reader.{name}.file.0.mib", resident_mib, 10 * resident_mib, "how large the files are is not told")
    ]
    if refaults_per_s > 0:
        ops_per_s = refaults_per_s / (1 - 1 / FILE_GROWTH_RATIO)
        lines.append(f"ops_per_s = {ops_per_s:.6g}  # so that it misses its part of /proc/vmstat's refaults")
        size_mib = FILE_GROWTH_RATIO * resident_mib
    else:
        lines += ["threads = 4   # assumed", "think_ms = 1  # assumed"]
        size_mib = resident_mib
        guesses.append((f"reader.{name}.threads", 1, 64, "who reads is not told"))
        guesses.append((f"reader.{name}.think_ms", 0, 1000, "how often is not told"))
    source = "its memory.stat" if share.cgroup else f"{host.memory_files[share.home]}, less the cgroups"
    lines += [
        "",
        "[[reader.file]]",
        f"mib = {max(size_mib, 1 / PAGES_PER_MIB)}  # assumed",
        f"inactive_mib = {_pages_row(share.inactive_pages)}  # {source}",
        f"active_mib = {_pages_row(share.active_pages)}  # {source}",
    ]
    return "\n".join(lines) + "\n", guesses


def _stream(host: Host) -> str:
    """What was read and had not been resident before."""
    if host.rates is None:
        return ""
    mib_per_s = host.rates.read_mib_per_s - mib_from_pages(host.rates.refault_pages_per_s)
    if mib_per_s < SLOWEST_STREAM_MIB_PER_S:
        return ""
    return (
        '\n[[stream]]\nname = "new-pages"\ncpu_node = 0  # assumed\n'
        f"mib_per_s = {mib_per_s:.6g}  # /proc/vmstat: pgpgin less refaults\n"
    )


def _told(cgroup: Cgroup) -> str:
    """A cgroup's name as part of a scenario's."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in cgroup.name.lower())
    return f"-{kept[-48:]}" if kept else ""
