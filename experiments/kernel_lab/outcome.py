"""What the boots of a run folder say: rows in its ledger, and the frame that the reports are made from."""

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from reclaim_env.scenario import Scenario, parse

from ..ledger import Ledger, Row
from ..reporting import report as html
from ..reporting import tables, tensorboard
from ..results import BASELINES, BOOTS, Results, ScenarioResults
from ..run_folder import RunFolder
from . import console, measure
from .boot_ledger import BootLedger, BootRecord

MEASURING = ("kernel_lab/console.py", "kernel_lab/measure.py", "metrics.py", "series.py")


def report(folder: RunFolder, command: str) -> str:
    """Writes the folder's reports and TensorBoard runs; returns the text, failed boots named at its end."""
    results = collect(folder, command)
    for found in results.scenarios:
        tensorboard.write_runs(folder.path / "tb", found, results.nr_seeds)
    text = tables.render(results) + "".join(f"{line}\n" for line in failures(folder))
    folder.write_reports(text, html.render(results))
    return text


def collect(folder: RunFolder, command: str) -> Results:
    """Of every whole boot, measured from its log where the ledger has no row of this version."""
    with BootLedger(folder.ledger) as boots:
        whole = [boot for boot in boots.boots() if boot.why_failed is None]
    with Ledger(folder.ledger) as ledger:
        rows = {boot.key: _row(folder, ledger, boot) for boot in whole}
        found = tuple(_scenario(ledger, group, rows) for group in _by_scenario(whole))
    most = max((len(values) for one in found for values in one.values.values()), default=0)
    return Results(found, most, _several(boot.kernel for boot in whole), "", command, BOOTS, limits(whole))


def limits(boots: Sequence[BootRecord]) -> str:
    """Beside every figure: what such a machine is not."""
    sizes = _several(f"{mib} MiB" for boot in boots for mib in boot.facts["node_mib"])
    how = _several(boot.facts["accelerator"] for boot in boots)
    return (
        f"Real Linux 6.12 in a virtual machine ({how}) with nodes of {sizes}, one CPU each: classic LRU, "
        "order 0, no swap, no huge pages. Under emulation the CPU is 10 to 20 times slower than hardware and "
        "the disk is not; CPU times and closed-loop throughput follow the host's load, counts do not."
    )


def failures(folder: RunFolder) -> list[str]:
    """A line for each boot that was recorded as failed."""
    with BootLedger(folder.ledger) as boots:
        return [
            f"{boot.scenario}, {boot.rule}, repeat {boot.repeat} failed: {boot.why_failed}"
            for boot in boots.boots()
            if boot.why_failed is not None
        ]


def read_log(folder: RunFolder, boot: BootRecord) -> console.Console:
    return console.parse(gzip.decompress((folder.path / boot.log).read_bytes()))


def scenario_of(boot: BootRecord) -> Scenario:
    return parse(boot.facts["scenario"], boot.scenario)


@cache
def measuring() -> str:
    """Hash of what turns a log into numbers: rows of another version are measured again."""
    package = Path(__file__).parent.parent
    return hashlib.sha256(b"".join((package / name).read_bytes() for name in MEASURING)).hexdigest()[:8]


def _row(folder: RunFolder, ledger: Ledger, boot: BootRecord) -> Row:
    key = f"{boot.key}-{measuring()}"
    found = ledger.row(key)
    if found is not None:
        return found
    log, scenario = read_log(folder, boot), scenario_of(boot)
    row = Row(key, boot.scenario, boot.rule, boot.repeat, measure.metrics(log, scenario))
    ledger.add([row], {key: measure.series(log, scenario)})
    return row


def _by_scenario(boots: Sequence[BootRecord]) -> Iterable[list[BootRecord]]:
    for name in dict.fromkeys(boot.scenario for boot in boots):
        yield [boot for boot in boots if boot.scenario == name]


def _scenario(ledger: Ledger, boots: list[BootRecord], rows: dict[str, Row]) -> ScenarioResults:
    scenario = scenario_of(boots[0])
    by_rule = {rule: [b for b in boots if b.rule == rule] for rule in _rules(boots)}
    metrics = tuple(rows[boots[0].key].metrics)
    series = {rule: ledger.series(rows[found[0].key].key) for rule, found in by_rule.items()}
    return ScenarioResults(
        name=scenario.name,
        description=scenario.description,
        duration_s=scenario.duration_s,
        workloads=scenario.workload_names,
        cgroups=scenario.cgroup_names,
        metrics=metrics,
        values={
            rule: np.array([[rows[boot.key].metrics[m] for m in metrics] for boot in found])
            for rule, found in by_rule.items()
        },
        series={rule: one for rule, one in series.items() if one is not None},
        sampling=BOOTS,
    )


def _rules(boots: list[BootRecord]) -> list[str]:
    """The baselines first, as in every report."""
    rules = dict.fromkeys(boot.rule for boot in boots)
    return [
        *(rule for rule in BASELINES if rule in rules),
        *(rule for rule in rules if rule not in BASELINES),
    ]


def _several(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words)) or "unknown"
