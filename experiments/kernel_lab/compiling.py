"""make, in the lab's own folders: the configuration, the image, how far it is, and why it stopped."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..progress import bar, say
from . import cache

OBJECTS = 1300  # compiled for 6.12 with our configuration; only the bar depends on it
LAST_LINES = 15
# The same inputs give the same image, wherever and whenever it is built
SETTINGS = {
    "LC_ALL": "C",
    "KBUILD_BUILD_USER": "reclaim",
    "KBUILD_BUILD_HOST": "lab",
    "KBUILD_BUILD_TIMESTAMP": "1970-01-01",
    "KBUILD_BUILD_VERSION": "1",
}
VARIABLES = ("ARCH=x86_64", "LOCALVERSION=")


def configure(fragment: Path) -> None:
    """tinyconfig with every line of the fragment, refused if this source does not take one of them."""
    config = cache.objects() / ".config"
    say("configuring the kernel")
    cache.log().write_bytes(b"")
    _run(["tinyconfig"])
    config.write_text(config.read_text() + fragment.read_text())
    _run(["olddefconfig"])
    refused = [line for line in _wanted(fragment) if not _holds(line, config.read_text().splitlines())]
    if refused:
        raise ValueError(f"{fragment.name}: this kernel source does not take {', '.join(refused)}")


def compile_image(jobs: int) -> None:
    """Objects that are there are of this build, interrupted: kept, and counted as done."""
    done = min(sum(1 for _ in cache.objects().rglob("*.o")), OBJECTS)
    with bar(OBJECTS, "objects") as advance, _make([f"-j{jobs}", "bzImage"]) as lines:
        advance("compiling the kernel", done)
        for line in lines:
            if line.startswith(("  CC  ", "  AS  ")) and done < OBJECTS:
                done += 1
                advance(f"compiling the kernel, {10 * done // OBJECTS * 10} %", 1)


def _run(targets: list[str]) -> None:
    with _make(targets) as lines:
        for _ in lines:
            pass


@contextmanager
def _make(targets: list[str]) -> Iterator[Iterator[str]]:
    """Yields make's output line by line; its end is awaited, its failure raised with the last lines said."""
    command = ["make", "-C", str(cache.tree()), f"O={cache.objects()}", *VARIABLES, *targets]
    with cache.log().open("a") as log, _started(command) as make:
        try:
            yield _logged(make.stdout or (), log)
        except BaseException:  # Ctrl-C reached make too; after anything else it must not go on either
            make.terminate()
            raise
    if make.returncode:
        for line in cache.log().read_text(errors="replace").splitlines()[-LAST_LINES:]:
            say(line)
        raise ValueError(f"make {targets[-1]} failed with {make.returncode}, its whole output: {cache.log()}")


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=os.environ | SETTINGS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def _logged(lines: Iterable[str], log: TextIO) -> Iterator[str]:
    for line in lines:
        log.write(line)
        yield line


def _wanted(fragment: Path) -> list[str]:
    return [line for line in fragment.read_text().splitlines() if "CONFIG_" in line]


def _holds(line: str, config: list[str]) -> bool:
    """An option that is to be off may also be unknown to this source."""
    if not line.startswith("#"):
        return line in config
    name = line.split()[1]
    return not any(other.startswith(f"{name}=") for other in config)
