"""The data disk: every file whole, no page a hole, made once."""

import shutil
import subprocess

import pytest

from experiments.kernel_lab import disk
from experiments.kernel_lab.translate import DiskFile
from reclaim_env.model.constants import PAGE_BYTES

DEBUGFS = shutil.which("debugfs", path="/usr/sbin:/sbin:/usr/bin")
LAYOUT = (DiskFile("web.0.0", 300), DiskFile("web.0.1", 1), DiskFile("log.0.0", 257))

pytestmark = pytest.mark.skipif(DEBUGFS is None, reason="needs e2fsprogs")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def asked(image, request):
    command = [f"{DEBUGFS}", "-R", request, image]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_page_of_every_file_is_on_the_disk(tmp_path):
    image = disk.image(LAYOUT)
    for file in LAYOUT:
        asked(image, f"dump /{file.path} {tmp_path / 'dumped'}")
        data = (tmp_path / "dumped").read_bytes()
        assert len(data) == file.pages * PAGE_BYTES
        pages = [data[begin : begin + PAGE_BYTES] for begin in range(0, len(data), PAGE_BYTES)]
        assert all(any(page) for page in pages)
        found = subprocess.run(
            [f"{DEBUGFS}", "-R", f"blocks /{file.path}", image], capture_output=True, text=True
        )
        assert len(found.stdout.split()) == file.pages


def test_the_same_layout_is_made_once_and_another_one_apart():
    image = disk.image(LAYOUT)
    made = image.stat().st_mtime_ns
    assert disk.image(LAYOUT) == image and image.stat().st_mtime_ns == made
    assert disk.image(LAYOUT[:2]) != image
    assert sorted(path.suffix for path in image.parent.iterdir()) == [".ext4", ".ext4"]


def test_a_missing_mke2fs_is_one_line(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(ValueError, match=r"^mke2fs: not found, install by: "):
        disk.image(LAYOUT)


def test_a_disk_that_cannot_be_made_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "_SLACK_BYTES", 0)
    monkeypatch.setattr(disk, "_SLACK_RATIO", 0.5)
    with pytest.raises(ValueError, match=r"^mke2fs: ") as caught:
        disk.image(LAYOUT)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "reclaim-env" / "kernel" / "disks").iterdir())
