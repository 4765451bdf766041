"""The guest's first file system: a cpio archive in the newc format, held in memory and unpacked there."""

import stat
from collections.abc import Mapping

FOLDERS = ("dev", "proc", "sys", "mnt", "tmp")
CONSOLE = (5, 1)  # major, minor: what /init finds open as its standard output
TRAILER = "TRAILER!!!"


def archive(files: Mapping[str, bytes]) -> bytes:
    """Name -> content. Every file may be executed; the same files are the same bytes."""
    entries = [(name, stat.S_IFDIR | 0o755, b"", (0, 0)) for name in FOLDERS]
    entries.append(("dev/console", stat.S_IFCHR | 0o600, b"", CONSOLE))
    entries += [(name, stat.S_IFREG | 0o755, content, (0, 0)) for name, content in files.items()]
    entries.append((TRAILER, 0, b"", (0, 0)))
    packed = (_entry(inode, *entry) for inode, entry in enumerate(entries, start=1))
    return b"".join(packed)


def _entry(inode: int, name: str, mode: int, content: bytes, device: tuple[int, int]) -> bytes:
    """Header, name and content, each padded to four bytes (the kernel's early-userspace/buffer-format)."""
    named = name.encode() + b"\0"
    owner, links, mtime, checksum, on_device = (0, 0), 1, 0, 0, (0, 0)
    fields = (inode, mode, *owner, links, mtime, len(content), *on_device, *device, len(named), checksum)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + named) + _padded(content)


def _padded(block: bytes) -> bytes:
    return block + b"\0" * (-len(block) % 4)
