"""The machine, its first file system, and how a boot ends."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from experiments.kernel_lab import accel, boot, initrd, qemu
from tests.kernel_lab.lab import stand_in

MACHINE = qemu.Machine((784, 784), 1, qemu.Disk(Path("/data,1.ext4"), 4000, 100 * 2**20))


def words(machine: qemu.Machine = MACHINE) -> list[str]:
    return qemu.command(machine, Path("bzImage"), Path("initrd"), "tcg")


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(qemu, "find", lambda: qemu.PROGRAM)


def test_every_node_has_its_memory_and_its_cpu():
    found = words()
    assert "1568M" in found
    assert "memory-backend-ram,id=mem1,size=784M" in found
    assert "node,nodeid=1,cpus=1-1,memdev=mem1" in found
    assert "dist,src=0,dst=1,val=20" in found and "dist,src=1,dst=1,val=10" in found


def test_the_disk_is_read_only_and_as_slow_as_the_scenarios():
    (drive,) = (word for word in words() if word.startswith("file="))
    assert drive.startswith("file=/data,,1.ext4,format=raw")
    assert "readonly=on" in drive
    assert "throttling.iops-total=4000" in drive and "throttling.bps-total=104857600" in drive
    assert not any("drive" in word for word in words(qemu.Machine((256,), 1)))


def test_a_guest_that_panics_ends_qemu():
    assert "-no-reboot" in words() and "panic=-1" in " ".join(words())


def test_a_missing_qemu_is_one_line(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="qemu-system-x86_64: not found, wanted QEMU"):
        qemu.find()


@pytest.mark.skipif(shutil.which("cpio") is None, reason="needs cpio to read the archive back")
def test_cpio_reads_the_archive_back(tmp_path):
    archive = initrd.archive({"init": b"#!", "scenario.txt": b"run version=1\n"})
    listed = subprocess.run(["cpio", "-itv"], input=archive, capture_output=True, check=True, text=False)
    names = [line.split()[-1] for line in listed.stdout.decode().splitlines()]
    assert names == [*initrd.FOLDERS, "dev/console", "init", "scenario.txt"]
    subprocess.run(["cpio", "-i", "init", "scenario.txt"], input=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "scenario.txt").read_bytes() == b"run version=1\n"
    assert os.access(tmp_path / "init", os.X_OK)


def test_every_part_of_the_archive_begins_at_four_bytes():
    archive = initrd.archive({"a": b"x", "bcd": b"12345"})
    assert len(archive) % 4 == 0
    begins = [i for i in range(len(archive)) if archive.startswith(b"070701", i)]
    assert len(begins) == len(initrd.FOLDERS) + 4 and all(i % 4 == 0 for i in begins)


def test_a_boot_that_ends_by_itself_is_whole():
    ended = boot.boot(["/bin/sh", "-c", "echo hello"], deadline_s=10)
    assert (ended.log, ended.why_ended) == (b"hello\n", None)
    assert ended.host.load_after is not None


def test_a_boot_that_hangs_is_ended_at_its_deadline_and_leaves_no_process():
    began = time.monotonic()
    ended = boot.boot(["/bin/sh", "-c", "echo $$; exec sleep 60"], deadline_s=0.3)
    assert ended.why_ended == "no end after 0 s" and time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.log), 0)


def test_a_boot_that_keeps_talking_is_ended_at_its_deadline_too(monkeypatch):
    talks = ["/bin/sh", "-c", "while :; do echo x; sleep 0.05; done"]
    assert boot.boot(talks, deadline_s=0.5).why_ended == "no end after 0 s"
    monkeypatch.setattr(boot, "MAX_LOG_BYTES", 1000)
    assert boot.boot(["/bin/sh", "-c", "yes"], 10).why_ended == "more than 1000 bytes on the console"


def test_qemus_own_failure_is_told():
    assert boot.boot(["/bin/sh", "-c", "exit 3"], 10).why_ended == "QEMU ended with 3"


@pytest.mark.parametrize(
    ("says", "chosen"), [("echo Kernel panic - not syncing: VFS", "kvm"), ("sleep 60", "tcg")]
)
def test_auto_takes_kvm_only_where_a_kernel_speaks(monkeypatch, tmp_path, says, chosen):
    monkeypatch.undo()
    monkeypatch.setattr(accel, "DEADLINE_S", 0.5)
    stand_in(monkeypatch, tmp_path, says)
    accel.works.cache_clear()
    assert accel.choose("auto", tmp_path / "bzImage") == chosen


def test_kvm_that_does_not_work_is_refused_when_asked_for(monkeypatch, tmp_path):
    monkeypatch.undo()
    stand_in(monkeypatch, tmp_path, "exit 1")
    accel.works.cache_clear()
    with pytest.raises(ValueError, match="--accel kvm: the lab's kernel did not boot"):
        accel.choose("kvm", tmp_path / "bzImage")
    with pytest.raises(ValueError, match="--accel: found 'xen', wanted one of auto, kvm, tcg"):
        accel.choose("xen", tmp_path / "bzImage")
