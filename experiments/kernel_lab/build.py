"""From a kernel source to the lab's image in the cache: idempotent, and an interrupted build goes on."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from ..files import write_bytes, write_json, write_text
from ..progress import say
from . import cache, change, source
from .compiling import compile_image, configure
from .requirements import COMPILER, require

FRAGMENT = Path(__file__).parent / "config.fragment"
STAMP = ".reclaim-lab"  # beside the objects: what they and the tree are made of


def build(given: Path | None, jobs: int) -> Path:
    """The image, built if the one in the cache is not of this source, change, configuration and compiler."""
    if jobs < 1:
        raise ValueError(f"--jobs: found {jobs}, wanted at least 1")
    taken = require(given)
    inputs = _inputs(taken)
    if _built() == inputs:
        say(f"kernel {inputs['source']}: already built, {cache.image()}")
        return cache.image()
    with cache.locked():
        _prepare(taken, inputs)
        configure(FRAGMENT)
        compile_image(jobs)
        _install(inputs)
    return cache.image()


def image() -> Path:
    """The lab kernel, refused where it is missing or has another change than this checkout's."""
    built = _built()
    if built is None:
        raise ValueError("no lab kernel in the cache folder: run `reclaim kernel build` first")
    if built["change"] != change.fingerprint() or built["config"] != _fragment_hash():
        raise ValueError("the lab kernel is of another change or configuration: run `reclaim kernel build`")
    return cache.image()


def manifest() -> dict[str, object]:
    """What the image in the cache was made of, for a run's own manifest."""
    image()
    return json.loads(cache.manifest().read_text())


def _inputs(taken: Path) -> dict[str, str]:
    """All that the image depends on; equal inputs, equal image."""
    return {
        "source": taken.name,
        "source_hash": source.identity(taken),
        "change": change.fingerprint(),
        "config": _fragment_hash(),
        "compiler": _compiler(),
    }


def _built() -> dict[str, str] | None:
    """What the image in the cache was made of; None if there is none that is whole."""
    if not cache.image().is_file() or not cache.manifest().is_file():
        return None
    return json.loads(cache.manifest().read_text())["inputs"]


def _prepare(taken: Path, inputs: dict[str, str]) -> None:
    """Our tree with the change, and no object made from anything else; both are kept for the same inputs."""
    stamp = cache.objects() / STAMP
    made_of = json.dumps(inputs)
    if stamp.is_file() and stamp.read_text() == made_of:
        return
    say(f"unpacking {taken.name}")
    with source.unpacked(taken, cache.folder()) as fresh:
        change.apply(fresh)
        for old in (cache.objects(), cache.tree()):
            shutil.rmtree(old, ignore_errors=True)
        fresh.rename(cache.tree())
    write_text(stamp, made_of)


def _install(inputs: dict[str, str]) -> None:
    cache.manifest().unlink(missing_ok=True)
    write_bytes(cache.image(), (cache.objects() / "arch/x86/boot/bzImage").read_bytes())
    config = (cache.objects() / ".config").read_bytes()
    made = {
        "kernel": source.version(cache.tree()),
        "licence": "GPL-2.0-only",
        "config_hash": hashlib.sha256(config).hexdigest()[:16],
        "inputs": inputs,
    }
    write_json(cache.manifest(), made)
    say(f"kernel {made['kernel']}: {cache.image()}")


def _fragment_hash() -> str:
    return hashlib.sha256(FRAGMENT.read_bytes()).hexdigest()[:16]


def _compiler() -> str:
    done = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]
