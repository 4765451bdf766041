"""A made-up machine whose snapshots are written by hand: two nodes, node 0 with two zones."""

from pathlib import Path

VMSTAT = {
    "nr_free_pages": 5000,
    "allocstall_dma32": 1,
    "allocstall_normal": 10,
    "allocstall_movable": 100,
    "pgscan_kswapd": 7000,
    "pgsteal_kswapd": 6000,
    "workingset_refault_file": 300,
    "pgmigrate_success": 4,
    "a_name_of_2031": 9,
}


def vmstat(**changes: int | None) -> str:
    """None leaves a name out."""
    values = {**VMSTAT, **changes}
    return "".join(f"{name} {value}\n" for name, value in values.items() if value is not None)


def zone(
    nid: int, name: str, free: int, high: int = 300, managed: int = 9000, hit: int = 50, dead: int = 0
) -> str:
    return f"""\
Node {nid}, zone {name:>8}
  pages free     {free}
        boost    0
        min      100
        low      200
        high     {high}
        promo    400
        spanned  {managed}
        present  {managed}
        managed  {managed}
        cma      0
        protection: (0, 0, 501)
      nr_free_pages {free}
      numa_hit     {hit}
  pagesets
    cpu: 0
              count:    17
              high:     90
  vm stats threshold: 24
  node_unreclaimable:  {dead}
  start_pfn:           4096
"""


def node_stats(text: str, **stats: int) -> str:
    """The per-node stats, below the head of the node's first zone."""
    head, rest = text.split("\n", 1)
    lines = "".join(f"      {name:<12} {value}\n" for name, value in stats.items())
    return f"{head}\n  per-node stats\n{lines}{rest}"


def zoneinfo(refault: int = 30, hit: int = 50, dead: int = 0) -> str:
    first = node_stats(zone(0, "DMA32", 70, hit=hit), nr_inactive_file=11, workingset_refault_file=refault)
    empty = "Node 0, zone  Movable\n  pages free     0\n        min      32\n        managed  0\n"
    second = node_stats(zone(1, "Normal", 900, dead=dead), workingset_refault_file=5)
    return first + zone(0, "Normal", 800, high=3000) + empty + second


PRESSURE = """\
some avg10=1.50 avg60=0.20 avg300=0.34 total={some}
full avg10=0.00 avg60=0.00 avg300=0.00 total={full}
"""


def sample(uptime: str, **texts: str) -> str:
    """What the documented loop prints once; names of files with _ for /."""
    files = {"uptime": f"{uptime} 99.00\n", **texts}
    return "\n".join(f"==> /proc/{name.replace('_', '/')} <==\n{text}" for name, text in files.items())


def recorded(folder: Path, *samples: str) -> Path:
    path = folder / "machine.txt"
    path.write_text("\n".join(samples))
    return path
