"""A lab without a kernel: a recorded console, and a stand-in for QEMU that says what it is told."""

from pathlib import Path

import pytest

from experiments.kernel_lab import build, disk, guest, qemu, run
from reclaim_env.scenario import Scenario, load

LOG = Path(__file__).parent / "data" / "futile_revival_few-always.log"
SCENARIO = Path(run.__file__).parent / "scenarios" / "futile_revival_few.toml"
INPUTS = {"change": "c0ffee", "source": "linux-source-6.12"}


def scenario() -> Scenario:
    return load(SCENARIO)


def recorded() -> bytes:
    return LOG.read_bytes()


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
    """Puts a QEMU on the PATH that runs script; every start is a line of the file returned."""
    monkeypatch.setattr(build, "image", lambda: folder / "bzImage")
    monkeypatch.setattr(build, "manifest", lambda: {"kernel": "6.12.1", "inputs": INPUTS})
    monkeypatch.setattr(guest, "init", lambda: folder / "init")
    monkeypatch.setattr(guest, "initrd", lambda program: program.encode())
    monkeypatch.setattr(disk, "image", lambda layout: folder / "disk,1.ext4")
    starts, program = folder / "starts", folder / "bin" / qemu.PROGRAM
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho \"$$ $*\" >> '{starts}'\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return starts


def nr_lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0
