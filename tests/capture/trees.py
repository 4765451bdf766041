"""Made-up hosts: the files of /proc and /sys that a capture reads, below a folder."""

from pathlib import Path

GIB, MIB = 2**30, 2**20
NODE_KIB = {
    "MemTotal": 4_194_304,
    "MemFree": 262_144,
    "MemUsed": 3_932_160,
    "Active(anon)": 1_048_576,
    "Inactive(anon)": 524_288,
    "Active(file)": 409_600,
    "Inactive(file)": 614_400,
    "Unevictable": 12,
    "SReclaimable": 81_920,
}
VMSTAT = {
    "nr_free_pages": 5000,
    "pgpgin": 1_000_000,
    "pgalloc_dma32": 100,
    "pgalloc_normal": 50_000,
    "pgscan_kswapd": 700,
    "pgscan_direct": 30,
    "pgsteal_kswapd": 600,
    "pgsteal_direct": 20,
    "allocstall_normal": 3,
    "workingset_refault_file": 4000,
}
SECRETS = ("db-host-17", "kubepods", "pod-of-alice", "/home/alice")


def write(root: Path, name: str, text: str) -> None:
    path = root / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def vmstat(root: Path, uptime_s: float, **changes: int) -> None:
    write(root, "/proc/uptime", f"{uptime_s:.2f} 99.00\n")
    values = {**VMSTAT, **changes}
    write(root, "/proc/vmstat", "".join(f"{name} {value}\n" for name, value in values.items()))


def node(root: Path, nid: int, nr_nodes: int, **changes: int) -> None:
    folder = f"/sys/devices/system/node/node{nid}"
    rows = {**NODE_KIB, **changes}
    write(
        root, f"{folder}/meminfo", "".join(f"Node {nid} {row}: {kib:>12} kB\n" for row, kib in rows.items())
    )
    write(root, f"{folder}/distance", " ".join("10" if n == nid else "21" for n in range(nr_nodes)) + "\n")


def zoneinfo(root: Path, nr_nodes: int, dead: tuple[int, ...] = ()) -> None:
    write(
        root,
        "/proc/zoneinfo",
        "".join(
            f"Node {nid}, zone   Normal\n  pages free     65536\n        managed  1048576\n"
            f"  node_unreclaimable:  {int(nid in dead)}\n"
            for nid in range(nr_nodes)
        ),
    )


def host(root: Path, nr_nodes: int = 1, dead: tuple[int, ...] = ()) -> Path:
    """A host without cgroups."""
    for nid in range(nr_nodes):
        node(root, nid, nr_nodes)
    zoneinfo(root, nr_nodes, dead)
    vmstat(root, 100.0)
    write(root, "/proc/sys/kernel/osrelease", "6.12.34-cloud-db-host-17\n")
    write(root, "/proc/sys/kernel/hostname", "db-host-17\n")
    write(root, "/proc/swaps", "Filename Type Size Used Priority\n/home/alice/swap file 2097152 0 -2\n")
    write(root, "/proc/sys/vm/watermark_scale_factor", "150\n")
    write(root, "/proc/sys/vm/watermark_boost_factor", "0\n")
    write(root, "/proc/sys/vm/min_free_kbytes", "65536\n")
    write(root, "/proc/sys/vm/swappiness", "100\n")
    write(root, "/proc/sys/vm/page-cluster", "3\n")
    write(root, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n")
    pressure = (
        "some avg10=1.50 avg60=2.25 avg300=0.34 total=9\nfull avg10=0.00 avg60=0.50 avg300=0.00 total=1\n"
    )
    write(root, "/proc/pressure/memory", pressure)
    write(root, "/proc/pressure/io", pressure.replace("2.25", "7.50"))
    return root


def cgroup_v2(root: Path, name: str, anon_mib: int, file_mib: int, **limits: str) -> None:
    folder = f"/sys/fs/cgroup/{name}".rstrip("/")
    for limit in ("min", "low", "high", "max") if name else ():
        write(
            root,
            f"{folder}/memory.{limit}",
            limits.get(limit, "0" if limit in ("min", "low") else "max") + "\n",
        )
    stat = {"anon": anon_mib * MIB, "inactive_file": file_mib * MIB // 2, "active_file": file_mib * MIB // 2}
    write(root, f"{folder}/memory.stat", "".join(f"{key} {value}\n" for key, value in stat.items()))


def v2(root: Path) -> Path:
    write(root, "/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n")
    cgroup_v2(root, "", 1500, 900)
    cgroup_v2(root, "kubepods", 900, 600)
    cgroup_v2(root, "kubepods/pod-of-alice", 600, 400, high=str(GIB), low=str(256 * MIB))
    cgroup_v2(root, "kubepods/pod-of-alice/inner", 600, 400, max=str(GIB))
    cgroup_v2(root, "kubepods/another", 300, 200, max=str(2 * GIB))
    cgroup_v2(root, "system.slice", 50, 20)
    cgroup_v2(root, "system.slice/cron", 1, 1)
    return root


def v1(root: Path) -> Path:
    for name, limit, anon_mib, file_mib in (
        ("", 2**63 - 4096, 1500, 900),
        ("kubepods", 2**63 - 4096, 900, 600),
        ("kubepods/pod-of-alice", GIB, 600, 400),
    ):
        folder = f"/sys/fs/cgroup/memory/{name}".rstrip("/")
        write(root, f"{folder}/memory.limit_in_bytes", f"{limit}\n")
        stat = {
            "rss": 1,
            "total_rss": anon_mib * MIB,
            "total_active_file": file_mib * MIB // 2,
            "total_inactive_file": file_mib * MIB // 2,
        }
        write(root, f"{folder}/memory.stat", "".join(f"{key} {value}\n" for key, value in stat.items()))
    return root
