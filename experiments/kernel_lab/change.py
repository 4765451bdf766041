"""The lab's change to a kernel source: our files, and edits at anchors that must each be there once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reclaim_env.reset_rules import ResetRule

from ..files import write_text
from .source import RELEASE

OURS = Path(__file__).parent / "change"
FILES = {
    "reclaim_lab.c": "mm/reclaim_lab.c",
    "reclaim_lab.h": "mm/reclaim_lab.h",
    "reclaim_lab_vmscan.h": "mm/reclaim_lab_vmscan.h",
    "reclaim_lab_trace.h": "include/trace/events/reclaim_lab.h",
}


@dataclass(frozen=True)
class Edit:
    """In `file`, the line or lines `anchor` become `becomes`."""

    file: str
    anchor: str
    becomes: str


def _after(file: str, anchor: str, added: str) -> Edit:
    return Edit(file, anchor, f"{anchor}\n{added}")


def _before(file: str, anchor: str, added: str) -> Edit:
    return Edit(file, anchor, f"{added}\n{anchor}")


def _instead(file: str, anchor: str, becomes: str) -> Edit:
    return Edit(file, anchor, becomes)


EDITS = (
    # One managed zone on each node, however large the guest is
    _instead("arch/x86/Kconfig", "\tselect ZONE_DMA32", "\t# ZONE_DMA32 is not selected"),
    _after("mm/Makefile", "obj-y += page-alloc.o", "obj-y += reclaim_lab.o"),
    _after(
        "include/linux/swap.h",
        "#define MEMCG_RECLAIM_PROACTIVE (1 << 2)",
        "#define MEMCG_RECLAIM_HIGH (1 << 3)",
    ),
    # memory.high is told from memory.max: by a page charged above it, and by a lower value written
    _instead(
        "mm/memcontrol.c",
        "\t\t\t\t\t\t\tMEMCG_RECLAIM_MAY_SWAP,",
        "\t\t\t\t\t\t\tMEMCG_RECLAIM_MAY_SWAP | MEMCG_RECLAIM_HIGH,",
    ),
    _instead(
        "mm/memcontrol.c",
        "GFP_KERNEL, MEMCG_RECLAIM_MAY_SWAP, NULL);",
        "GFP_KERNEL, MEMCG_RECLAIM_MAY_SWAP | MEMCG_RECLAIM_HIGH, NULL);",
    ),
    _after("mm/vmscan.c", "\tunsigned int proactive:1;", "\tunsigned int lab_memcg_high:1;"),
    _after(
        "mm/vmscan.c",
        "\t\t.proactive = !!(reclaim_options & MEMCG_RECLAIM_PROACTIVE),",
        "\t\t.lab_memcg_high = !!(reclaim_options & MEMCG_RECLAIM_HIGH),",
    ),
    _before("mm/vmscan.c", "#ifdef ARCH_HAS_PREFETCHW", '#include "reclaim_lab_vmscan.h"\n'),
    # The decision itself
    _instead(
        "mm/vmscan.c",
        "\tif (reclaimable)\n\t\tpgdat->kswapd_failures = 0;",
        "\treclaim_lab_count_pass(pgdat, reclaim_lab_reason(sc));\n"
        "\tif (reclaimable)\n\t\treclaim_lab_progress(pgdat, sc);",
    ),
    _instead("mm/vmscan.c", "\t\tpgdat->kswapd_failures++;", "\t\treclaim_lab_fruitless(pgdat);"),
    _instead(
        "mm/page_alloc.c",
        "\t\t\tclear_bit(ZONE_BELOW_HIGH, &zone->flags);",
        "\t\t{\n\t\t\tclear_bit(ZONE_BELOW_HIGH, &zone->flags);\n"
        "\t\t\treclaim_lab_free_path(zone->zone_pgdat);\n\t\t}",
    ),
    _after("mm/page_alloc.c", '#include "internal.h"', '#include "reclaim_lab.h"'),
    # Counters
    _after("mm/vmscan.c", "\tcount_vm_event(PAGEOUTRUN);", "\treclaim_lab_run(pgdat);"),
    _after(
        "mm/vmscan.c",
        "\t__count_vm_events(PGSCAN_ANON + file, nr_scanned);",
        "\treclaim_lab_count_scan(pgdat, cgroup_reclaim(sc), nr_scanned);",
    ),
    _after(
        "mm/vmscan.c",
        "\t__count_vm_events(PGSTEAL_ANON + file, nr_reclaimed);",
        "\treclaim_lab_count_steal(pgdat, cgroup_reclaim(sc), nr_reclaimed);",
    ),
    _before(
        "mm/vmscan.c",
        "\t/* Hopeless node, leave it to direct reclaim if possible */",
        "\treclaim_lab_called(pgdat, order, highest_zoneidx);\n",
    ),
    _before("mm/vmscan.c", "\ttrace_mm_vmscan_wakeup_kswapd(pgdat->node_id,", "\treclaim_lab_wake(pgdat);"),
    _before("mm/vmscan.c", "\t\twake_up_interruptible(&pgdat->kswapd_wait);", "\t\treclaim_lab_wake(pgdat);"),
)


def fingerprint() -> str:
    """Of all that we bring into a kernel."""
    digest = hashlib.sha256(repr(EDITS).encode())
    for ours, theirs in FILES.items():
        digest.update(theirs.encode() + (OURS / ours).read_bytes())
    return digest.hexdigest()[:16]


def apply(tree: Path) -> None:
    """All of it or nothing: no file is written before every anchor is found. Applied twice, it is once."""
    changed = {file: _edited(tree, file) for file in dict.fromkeys(edit.file for edit in EDITS)}
    changed |= {theirs: (OURS / ours).read_text() for ours, theirs in FILES.items()}
    for file, text in changed.items():
        if not (tree / file).is_file() or (tree / file).read_text() != text:
            write_text(tree / file, text)


def _edited(tree: Path, file: str) -> str:
    if not (tree / file).is_file():
        raise ValueError(f"{file}: not in this kernel source, wanted a Linux {RELEASE} one")
    text = (tree / file).read_text()
    for edit in EDITS:
        if edit.file == file:
            text = _with(edit, text)
    return text


def _with(edit: Edit, text: str) -> str:
    if text.count(edit.becomes) == 1:
        return text
    found = text.count(edit.anchor)
    if found != 1:
        anchor = " / ".join(line.strip() for line in edit.anchor.splitlines())
        raise ValueError(
            f"{edit.file}: anchor `{anchor}` found {found} times, wanted once; "
            f"the lab's change is written for Linux {RELEASE}, nothing was changed"
        )
    return text.replace(edit.anchor, edit.becomes)


def rule_number(rule: ResetRule) -> int:
    """What the kernel's reset_rule parameter takes."""
    return rule.always | rule.balanced << 8 | rule.coin << 16


def rule_facts(rule: ResetRule) -> dict[str, str | int]:
    """What a record of a boot keeps of its rule: all that the kernel was told, and what it means."""
    return {name: getattr(rule, name) for name in ("name", "source", "doc", "always", "balanced", "coin")}
