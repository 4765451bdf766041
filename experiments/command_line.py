"""The command line again, as a manifest records it: it tells nobody's folders, and can be given once more."""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from reclaim_env import families

from .identity import ROOT


def as_typed() -> str:
    """Every word of the running command."""
    return shlex.join(["reclaim", *map(_without_folders, sys.argv[1:])])


def flags(**options: Iterable[object]) -> list[str]:
    """Options by name, once for each of their values."""
    return [word for name, values in options.items() for one in values for word in (f"--{name}", _shown(one))]


def _without_folders(word: str) -> str:
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    is_path = value.startswith(("/", ".")) or ("/" in value and Path(value).exists())
    return f"{option}{equals}{_shown(Path(value))}" if is_path and not families.is_name(value) else word


def _shown(value: object) -> str:
    """A file of the repository by its path from the root, any other by its bare name."""
    if not isinstance(value, Path) and ("/" not in str(value) or families.is_name(str(value))):
        return str(value)
    path = Path(str(value)).resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
