"""The model's costs on the machine that made the runs: a fit of time to what it was spent on.

By nonnegative least squares kswapd's CPU time is fitted on the pages it examined and freed and on the
passes and cgroups it walked; the time of direct reclaim, those costs given, on its calls; the device's
latency on the time of its reads (calibrate_misses.py says why that is not all of a miss). What the runs do
not vary enough to tell is left as it is, and named.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np

from reclaim_env.scenario import Scenario, parse
from reclaim_env.scenario.machine import Cost

from .. import files
from ..wording import visible
from .kernel_runs import KernelRun

FORMAT = "reclaim-calibration-1"
KSWAPD_COSTS = ("scan_us", "scan_mapped_us", "free_us", "unmap_us", "pass_us", "pass_memcg_us")
NR_KSWAPD_RUNS = 2 * len(KSWAPD_COSTS)  # fewer runs than this say nothing of the spread
DISTINCT_RATIO = 0.05  # of a column that the others do not explain, or it is not told apart
MICROSECONDS_PER_S = 1e6


@dataclass(frozen=True)
class Calibration:
    costs_us: Mapping[str, float]  # fields of [cost]
    latency_us: float | None  # of [device]
    kswapd_cpu_share_ratio: Mapping[str, float]  # of [[node]], by scenario: who else wants the CPU differs
    not_identified: Mapping[str, str]  # field -> why it stays as it is
    r_squared: float | None  # of kswapd's CPU time
    fitted_on: tuple[str, ...]  # keys of runs
    source: str

    @property
    def words(self) -> str:
        """What was fitted on what, in a line."""
        costs = ", ".join(f"{name} {cost:.3g}" for name, cost in self.costs_us.items())
        return f"{self.source}, none of them compared here: {costs}"

    def apply(self, scenario: Scenario) -> Scenario:
        tables = scenario.model_dump(mode="json", exclude_none=True)
        tables["cost"] |= {**self.costs_us, "source": self.source}
        if self.latency_us is not None:
            tables["device"]["latency_us"] = self.latency_us
        if scenario.name in self.kswapd_cpu_share_ratio:
            for node in tables["node"]:
                node["kswapd_cpu_share_ratio"] = self.kswapd_cpu_share_ratio[scenario.name]
        return parse(tables, scenario.name)

    def as_json(self) -> dict[str, object]:
        return {"format": FORMAT, **asdict(self)}

    def write(self, path: Path) -> None:
        files.write_json(path, self.as_json())


def first_repeats(runs: Iterable[KernelRun]) -> list[KernelRun]:
    """One boot of every scenario and rule: the others, which the intervals need, are to compare with."""
    return [run for run in runs if run.repeat == 1]


def others(calibration: Calibration, runs: Iterable[KernelRun]) -> list[KernelRun]:
    """Runs that had no part in the fit."""
    found = [run for run in runs if run.key not in calibration.fitted_on]
    if not found:
        raise ValueError(
            "--calibration: found no run that it was not fitted on, wanted others to compare with"
        )
    return found


def read(path: Path) -> Calibration:
    try:
        content = json.loads(path.read_text())
        if content.pop("format") != FORMAT:
            raise ValueError
        content["fitted_on"] = tuple(content["fitted_on"])
        found = Calibration(**content)
    except OSError as error:
        raise ValueError(
            f"--calibration: {visible(str(path))}: found {error.strerror}, wanted a file"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(
            f"--calibration: {visible(str(path))}: found something else, wanted a file of `reclaim calibrate`"
        ) from None
    return found


def calibrate(runs: Iterable[KernelRun]) -> Calibration:
    """Of whole runs; ValueError where they tell no cost at all."""
    whole = [run for run in runs if run.why_failed is None]
    rows = [row for run in whole if np.isfinite(row := _kswapd_row(run)).all() and row[-1] > 0]
    if len(rows) < NR_KSWAPD_RUNS:
        raise ValueError(
            f"--from: found {len(rows)} runs in which kswapd ran, wanted {NR_KSWAPD_RUNS} or more"
        )
    table = np.array(rows)
    costs, unknown, r_squared = _fit(table[:, :-1], table[:, -1], KSWAPD_COSTS)
    entry_us, latency_us = _direct_entry_us(whole, costs), _latency_us(whole)
    names = dict.fromkeys(run.scenario.name for run in whole)
    shares = {name: _cpu_share([run for run in whole if run.scenario.name == name]) for name in names}
    if entry_us is not None:
        costs["direct_entry_us"] = entry_us
    for field, found, why in (
        ("direct_entry_us", entry_us, "no stalls whose time exceeds that of their pages and passes"),
        ("latency_us", latency_us, "no run says how long reads took"),
        *(
            (f"kswapd_cpu_share_ratio of {name}", share, "kswapd was not awake for a second in its runs")
            for name, share in shares.items()
        ),
    ):
        if found is None:
            unknown[field] = why
    keys = tuple(sorted(run.key for run in whole))
    source = f"reclaim calibrate, fitted on {len(keys)} runs of the kernel lab"
    told = {name: share for name, share in shares.items() if share is not None}
    return Calibration(costs, latency_us, told, unknown, r_squared, keys, source)


def _kswapd_row(run: KernelRun) -> list[float]:
    """What kswapd did, in the order of KSWAPD_COSTS, and the CPU seconds it took."""
    get = _getter(run)
    mapped = _mapped_ratio(run)
    # Active pages are examined as well; they are counted for all global reclaim, which is kswapd's here.
    examined = get("pgscan_kswapd") + get("pgrefill")
    passes = sum(get(f"node{nid}/passes_kswapd") for nid in range(len(run.scenario.node)))
    return [
        examined * (1 - mapped),
        examined * mapped,
        get("pgsteal_kswapd"),
        get("pgsteal_kswapd") * mapped,
        passes,
        passes * nr_cgroups(run.scenario),
        get("kswapd_cpu_s"),
    ]


def nr_cgroups(scenario: Scenario) -> int:
    """As many as a pass over the node visits, the root with them."""
    return sum(table.count for table in scenario.cgroup) + 1


def _mapped_ratio(run: KernelRun) -> float:
    """The part of the examined pages that is of cgroups with mapped files, which count their own scans."""
    mapped = {
        table.cgroup for table in run.scenario.reader if any(file.access != "read" for file in table.file)
    }
    scans = {name: run.metrics.get(f"cgroup/{name}/pgscan", nan) for name in run.scenario.cgroup_names}
    whole = sum(scans.values())
    return sum(pages for name, pages in scans.items() if name in mapped) / whole if whole > 0 else 0.0


def _fit(
    columns: np.ndarray, time_s: np.ndarray, names: Sequence[str]
) -> tuple[dict[str, float], dict[str, str], float]:
    """Costs in us of the columns that can be told apart, why not of the others, and R squared.

    Every run counts alike, however long kswapd ran: the misfit is relative.
    """
    from scipy.optimize import nnls

    weighted = columns / time_s[:, None]
    unknown = _not_told_apart(weighted, names)
    kept = [i for i, name in enumerate(names) if name not in unknown]
    if not kept:
        raise ValueError(
            "--from: found runs that vary in nothing, wanted runs of several scenarios and rules"
        )
    scale = np.linalg.norm(weighted[:, kept], axis=0)
    defaults = [i for i, name in enumerate(names) if name in unknown]
    given = weighted[:, defaults] @ np.array([_default_us(names[i]) / MICROSECONDS_PER_S for i in defaults])
    solved, _ = nnls(weighted[:, kept] / scale, 1.0 - given)
    costs = {names[i]: float(c) for i, c in zip(kept, solved / scale * MICROSECONDS_PER_S, strict=True)}
    left = 1.0 - given - weighted[:, kept] @ (solved / scale)
    return costs, unknown, float(1.0 - np.mean(left**2))


def _not_told_apart(columns: np.ndarray, names: Sequence[str]) -> dict[str, str]:
    """Columns that are empty, or of which the ones before leave less than DISTINCT_RATIO."""
    found: dict[str, str] = {}
    kept: list[int] = []
    for i, name in enumerate(names):
        size = np.linalg.norm(columns[:, i])
        if size == 0:
            found[name] = "nothing of it in any run"
            continue
        others = columns[:, kept]
        solved = np.linalg.lstsq(others, columns[:, i], rcond=None)[0] if kept else np.zeros(0)
        if np.linalg.norm(columns[:, i] - others @ solved) < DISTINCT_RATIO * size:
            found[name] = f"cannot be told from {', '.join(names[k] for k in kept)}"
            continue
        kept.append(i)
    return found


def _direct_entry_us(runs: Sequence[KernelRun], costs: Mapping[str, float]) -> float | None:
    """What is left of the stalls' time after their pages, freed and examined, by call."""
    each = {name: costs.get(name, _default_us(name)) for name in KSWAPD_COSTS}
    left_us = nr_calls = 0.0
    for run in runs:
        get = _getter(run)
        passes = sum(get(f"node{nid}/passes_global_direct") for nid in range(len(run.scenario.node)))
        passes_us = passes * (each["pass_us"] + each["pass_memcg_us"])
        pages_us = get("pgscan_direct") * each["scan_us"] + get("pgsteal_direct") * each["free_us"]
        if get("allocstall") > 0 and isfinite(passes_us + pages_us + get("stall_s")):
            nr_calls += get("allocstall")
            left_us += get("stall_s") * MICROSECONDS_PER_S - pages_us - passes_us
    return left_us / nr_calls if left_us > 0 else None


def _latency_us(runs: Sequence[KernelRun]) -> float | None:
    """Median over runs of the mean time of a read."""
    told = [(run.metrics.get("disk_ms", nan), run.metrics.get("disk_reads", nan)) for run in runs]
    each = [1e3 * ms / reads for ms, reads in told if isfinite(ms) and isfinite(reads) and reads > 0]
    return float(np.median(each)) if each else None


def _cpu_share(runs: Sequence[KernelRun]) -> float | None:
    """Of its CPU, while kswapd did not sleep: what the workloads beside it leave."""
    used_s = sum(run.metrics.get("kswapd_cpu_s", nan) for run in runs)
    awake_s = sum(run.metrics.get("kswapd_awake_s", nan) for run in runs)
    return min(used_s / awake_s, 1.0) if isfinite(used_s) and isfinite(awake_s) and awake_s > 1 else None


def _getter(run: KernelRun):
    return lambda name: run.metrics.get(name, nan)


def _default_us(name: str) -> float:
    return float(Cost.model_fields[name].default)
