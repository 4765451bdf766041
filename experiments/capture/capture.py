"""Capture a host: read it, write the scenario, tell what could not be read."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from reclaim_env.scenario import parse_text
from reclaim_env.scenario.file import write_new

from .host import Host, read_host
from .writing import scenario_toml


def capture(
    out: Path,
    interval_s: float = 10.0,
    root: Path = Path("/"),
    names: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Host:
    """Writes a scenario of the host below root to `out`, a new file.

    interval_s: seconds between the two readings of its counters, 0 for one reading. names: keep the names
    of cgroups. ValueError where the host's nodes cannot be read or make no scenario.
    """
    if out.exists():
        raise ValueError(f"--out: {out}: found a file of that name, wanted a new file")
    host = read_host(root, interval_s, sleep)
    name = re.sub(r"[^a-z0-9_-]+", "-", out.stem.lower()).strip("-")[:64] or "captured"
    toml = scenario_toml(host, name, names)
    parse_text(toml, "this host")
    write_new(out, toml)
    return host
