"""The reviewer's table for a terminal of 80 columns: plain text, one block per metric, rules as rows."""

from textwrap import wrap

import numpy as np
from rich.cells import cell_len

from reclaim_env.model.constants import PRESSURES

from ..metrics import describe
from ..results import Results, ScenarioResults
from ..wording import compact, fitted, fitted_name, visible, with_interval
from .findings import answer, stories

WIDTH = 80
RULE_WIDTH = 17
CELL_WIDTH = 20

OVERVIEW = (
    ("cost_s", "cost s"),
    ("kswapd_cpu_s", "kswapd s"),
    ("refault_mib_per_s", "refMiB/s"),
    ("bystander_refault_mib_per_s", "bystand."),
    ("stall_s", "stall s"),
    ("allocstall", "allocst."),
    ("hopeless_s", "hopel. s"),
)

BLOCKS = (
    "kswapd_cpu_s",
    "pgscan_kswapd",
    "pgsteal_kswapd",
    "efficiency_kswapd",
    "pgscan_direct",
    "pgsteal_direct",
    "efficiency_direct",
    "workingset_refault_file",
    "refault_mib_per_s",
    "bystander_refault_mib_per_s",
    "allocstall",
    "stall_s",
    "limit_reclaim_s",
    "high_delay_s",
    "oom_kills",
    "atomic_fail",
    "hopeless_s",
    "false_dead_s",
    "false_alive_s",
)


# Of parts that few machines have: shown where there was any
PART_BLOCKS = (
    "workingset_refault_anon",
    "pswpin",
    "pswpout",
    "pgdemote_kswapd",
    "pgdemote_direct",
    "slabs_scanned",
    "boosts",
    "boosted_fruitless_runs",
    "oomd_kills",
    *(f"pressure/{name}_s" for name in PRESSURES),
)


def render(results: Results) -> str:
    lines: list[str] = []
    for scenario in results.scenarios:
        lines += scenario_lines(scenario, results)
    return "\n".join(lines) + "\n"


def scenario_lines(found: ScenarioResults, results: Results) -> list[str]:
    sampling = results.sampling
    lines = paragraph(
        f"{found.name}: {results.nr_seeds} {sampling.pairing} {sampling.unit}s, {found.duration_s:g} s each, "
        f"{results.setting}; mean [95 % interval], k M G apply to all three numbers"
    )
    lines += [*paragraph(results.limits), *paragraph(found.untold)]
    lines.append("=" * WIDTH)
    for sentence in answer(found):
        lines += paragraph(sentence)
    lines += [
        "",
        *overview(found),
        "",
        f"Who reset kswapd_failures, and when (shares: all {sampling.unit}s; times: first {sampling.unit})",
    ]
    for rules, sentences in stories(found):
        lines += ["", *paragraph(rules)]
        for sentence in sentences:
            lines += paragraph(sentence, indent="  ")
    return [*lines, "", *blocks(found), ""]


def overview(found: ScenarioResults) -> list[str]:
    """Means only, every rule on one line."""
    columns = [(metric, head) for metric, head in OVERVIEW if found.is_defined(metric)]
    lines = ["Means".ljust(RULE_WIDTH) + "".join(f"{head:>9}" for _, head in columns)]
    for rule in found.rules:
        cells = (compact(found.mean(rule, metric).mean) for metric, _ in columns)
        lines.append(fitted_name(rule, RULE_WIDTH) + "".join(f"{cell:>9}" for cell in cells))
    return lines


def shown_metrics(found: ScenarioResults) -> list[str]:
    """What the reviewer asked for, then the price; cost terms and jobs are as many as the scenario has."""
    resets = [name for name in found.metrics if name.startswith("resets")]
    costs = [name for name in found.metrics if name.startswith("cost_")]
    jobs = [
        f"workload/{name}/{metric}"
        for name in found.workloads
        for metric in ("throughput_per_s", "latency_p50_ms", "latency_p99_ms")
    ]
    parts = [name for name in PART_BLOCKS if name in found.metrics and _is_any(found, name)]
    return [*BLOCKS[:10], *jobs, *BLOCKS[10:16], *parts, *resets, *BLOCKS[16:], *costs]


def _is_any(found: ScenarioResults, name: str) -> bool:
    return any(np.nan_to_num(found.values[rule][:, found.column(name)]).any() for rule in found.rules)


def blocks(found: ScenarioResults) -> list[str]:
    """A block per metric; those that are zero or undefined for everybody share a line."""
    zero, undefined, lines = [], [], []
    for name in shown_metrics(found):
        values = np.concatenate([found.values[rule][:, found.column(name)] for rule in found.rules])
        if np.isnan(values).all():
            undefined.append(name)
        elif (values == 0).all():
            zero.append(name)
        else:
            lines += [*block(found, name), ""]
    for words, names in (("Zero under every rule", zero), ("Undefined under every rule", undefined)):
        if names:
            lines += [*paragraph(f"{words}: {', '.join(names)}."), ""]
    return lines[:-1]


def block(found: ScenarioResults, name: str) -> list[str]:
    unit = describe(name).unit
    lines = _headed(f"{name}, {unit}", found.baselines)
    for rule in found.rules:
        mean = found.mean(rule, name)
        gaps = [None if rule == b else found.difference(rule, b, name) for b in found.baselines]
        cells = [with_interval(mean.mean, mean.lo, mean.hi)]
        cells += ["" if gap is None else with_interval(gap.diff, gap.lo, gap.hi) for gap in gaps]
        lines.append(_line(rule, *cells))
    return lines


def _headed(title: str, baselines: tuple[str, ...]) -> list[str]:
    """The metric and the columns' heads, on one line where both fit."""
    heads = "".join(f" {f'minus {baseline}':>{CELL_WIDTH}}" for baseline in baselines)
    room = WIDTH - len(heads) - 2
    if cell_len(visible(title)) <= room:
        return [fitted(title, room) + heads]
    return [fitted_name(title, WIDTH).rstrip(), " " * room + heads]


def _line(rule: str, *cells: str) -> str:
    return (fitted_name(rule, RULE_WIDTH) + "".join(f" {cell:>{CELL_WIDTH}}" for cell in cells)).rstrip()


def paragraph(text: str, indent: str = "") -> list[str]:
    """Wrapped by terminal cells: a wide character counts two."""
    clean = visible(text)
    width = WIDTH - len(indent)
    lines = wrap(clean, width if cell_len(clean) == len(clean) else width // 2)
    return [indent + line for line in lines]
