"""Which accelerator works here. A /dev/kvm that opens proves nothing: the kernel may never print a line."""

import tempfile
from functools import cache
from pathlib import Path

from . import initrd, qemu
from .boot import boot

CHOICES = ("auto", *qemu.ACCELERATORS)
PROBE = qemu.Machine(node_mib=(256,), cpus_per_node=1)
DEADLINE_S = 10.0  # such a guest speaks within a second, emulated or not
PROOF = b"Kernel panic"  # it has come as far as missing its first process


def choose(wanted: str, image: Path) -> str:
    """kvm or tcg; asked for auto, kvm is tried by a boot and tcg is the fallback."""
    if wanted not in CHOICES:
        raise ValueError(f"--accel: found {wanted!r}, wanted one of {', '.join(CHOICES)}")
    if wanted == "tcg" or works(image):
        return "tcg" if wanted == "tcg" else "kvm"
    if wanted == "kvm":
        raise ValueError("--accel kvm: the lab's kernel did not boot with it, wanted auto or tcg")
    return "tcg"


@cache
def works(image: Path) -> bool:
    """Does the lab's kernel come to its first process under kvm? Without one it panics, which ends QEMU."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "initrd"
        empty.write_bytes(initrd.archive({}))
        found = boot(qemu.command(PROBE, image, empty, "kvm"), DEADLINE_S, until=PROOF)
    return PROOF in found.log
