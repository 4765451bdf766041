"""The virtual machine of a scenario, as QEMU's command line."""

import shutil
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "qemu-system-x86_64"
ACCELERATORS = {"kvm": "kvm", "tcg": "tcg,thread=multi"}
NEAR, FAR = 10, 20  # SLIT distances of a node to itself and to the others
# One line of ours at a time, so the kernel says little; a panic ends QEMU at once instead of hanging it.
KERNEL_ARGUMENTS = "console=ttyS0 quiet panic=-1 delayacct"


@dataclass(frozen=True)
class Disk:
    """A raw image, read-only to the guest, slowed down to the scenario's device."""

    image: Path
    iops_per_s: int
    bytes_per_s: int


@dataclass(frozen=True)
class Machine:
    node_mib: tuple[int, ...]
    cpus_per_node: int
    disk: Disk | None = None


def find() -> str:
    found = shutil.which(PROGRAM)
    if found is None:
        raise ValueError(f"{PROGRAM}: not found, wanted QEMU (Debian: apt install qemu-system-x86)")
    return found


def command(machine: Machine, image: Path, initrd: Path, accelerator: str) -> list[str]:
    """Prints the guest's console on stdout; a guest that powers off, reboots or panics ends it."""
    words = [find(), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"]
    words += ["-machine", "q35", "-accel", ACCELERATORS[accelerator], "-cpu", "max"]
    words += ["-kernel", str(image), "-initrd", str(initrd), "-append", KERNEL_ARGUMENTS]
    return [*words, *_nodes(machine), *(_disk(machine.disk) if machine.disk else ())]


def _nodes(machine: Machine) -> list[str]:
    """A socket per CPU: the guest's kernel warns of a last-level cache that spans nodes."""
    nr_cpus = len(machine.node_mib) * machine.cpus_per_node
    words = ["-smp", f"{nr_cpus},sockets={nr_cpus}", "-m", f"{sum(machine.node_mib)}M"]
    for nid, mib in enumerate(machine.node_mib):
        first = nid * machine.cpus_per_node
        last = first + machine.cpus_per_node - 1
        words += ["-object", f"memory-backend-ram,id=mem{nid},size={mib}M"]
        words += ["-numa", f"node,nodeid={nid},cpus={first}-{last},memdev=mem{nid}"]
    for a in range(len(machine.node_mib)):
        for b in range(len(machine.node_mib)):
            words += ["-numa", f"dist,src={a},dst={b},val={NEAR if a == b else FAR}"]
    return words


def _disk(disk: Disk) -> list[str]:
    """QEMU splits its options at commas; a comma in a name is written twice."""
    file = str(disk.image).replace(",", ",,")
    throttle = f"throttling.iops-total={disk.iops_per_s},throttling.bps-total={disk.bytes_per_s}"
    drive = f"file={file},format=raw,if=none,id=disk,readonly=on,cache=writeback,{throttle}"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=disk"]
