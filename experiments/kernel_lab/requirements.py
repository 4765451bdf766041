"""What a kernel build needs of the machine, and the one line that says how to get what is missing."""

import shutil
import subprocess
from pathlib import Path

from .source import RELEASE, find

COMPILER = "gcc"
PROGRAMS = {
    COMPILER: "gcc",
    "ld": "binutils",
    "make": "make",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
    "tar": "tar",
    "xz": "xz-utils",
}
HEADERS = {"libelf.h": "libelf-dev", "openssl/opensslv.h": "libssl-dev"}


def require(given: Path | None) -> Path:
    """The source to build from, once nothing is missing. Packages bear Debian's names."""
    source = given or find()
    if given is not None and not given.exists():
        raise ValueError(f"--source {given}: found nothing there, wanted an archive or a source tree")
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if COMPILER not in missing:
        missing += [package for header, package in HEADERS.items() if not _includes(header)]
    if source is None:
        missing.insert(0, f"linux-source-{RELEASE}")
    if missing or source is None:
        raise ValueError(f"missing for a kernel build, install by: apt install {' '.join(missing)}")
    return source


def _includes(header: str) -> bool:
    """Asked of the compiler, which knows where its headers lie."""
    command = [COMPILER, "-E", "-include", header, "-x", "c", "/dev/null"]
    return subprocess.run(command, capture_output=True).returncode == 0
