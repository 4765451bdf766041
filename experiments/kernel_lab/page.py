"""The page of the recorded runs: the reviewer's questions, answered by a real kernel.

    python -m experiments.kernel_lab.page [DIR] > experiments/results/kernel/README.md

Every number on it comes from the records.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ..stats import Mean, student_means
from ..wording import compact, with_interval
from . import kernel_runs
from .cli import RECORDED
from .compare_model import Case, asked, cases
from .kernel_runs import KernelRun
from .validation_table import LIMITS

FUTILE = ("futile_revival_many", "futile_revival_few")
DEAD = ("dead_kswapd_slow", "dead_kswapd_at_once")
JOBS_OF_FUTILE = (
    ("workload/web/throughput_per_s", "web, operations/s"),
    ("workload/web/refaults_per_op", "web, refaults/operation"),
    ("workload/container-files/throughput_per_s", "containers, operations/s"),
    ("workload/container-files/refaults_per_op", "containers, refaults/operation"),
)
JOBS_OF_DEAD = (
    ("workload/hot/throughput_per_s", "hot, operations/s"),
    ("workload/ingest/throughput_per_s", "ingest, pages/s"),
    ("allocstall", "allocstall"),
    ("stall_s", "stall, thread s"),
)
RECLAIM = (
    ("kswapd_cpu_s", "kswapd, CPU s"),
    ("pageoutrun", "runs"),
    ("kswapd_fruitless_runs", "fruitless"),
    ("pgscan_kswapd", "pgscan_kswapd"),
    ("pgsteal_kswapd", "pgsteal_kswapd"),
    ("pgscan_direct", "pgscan_direct"),
    ("workingset_refault_file", "refaults"),
)
GIVING_UP = (
    ("node0/hopeless_at_end", "hopeless at the end, share of boots"),
    ("node0/running_at_end", "awake at the end, share of boots"),
    ("node0/first_hopeless_s", "first hopeless, s"),
    ("hopeless_s", "hopeless, s"),
    ("node0/free_mib_at_end", "free at the end, MiB"),
    ("node0/file_mib_at_end", "file at the end, MiB"),
)
WHO = tuple(
    (f"{counter}_{reason}", f"{counter}, {words}")
    for counter in ("resets", "revivals")
    for reason, words in (
        ("kswapd", "kswapd"),
        ("global_direct", "direct"),
        ("memcg_high", "memory.high"),
        ("free_path", "free path"),
    )
)

COLUMNS = {
    "jobs_of_futile": JOBS_OF_FUTILE,
    "jobs_of_dead": JOBS_OF_DEAD,
    "reclaim": RECLAIM,
    "who": WHO,
    "giving_up": GIVING_UP,
}
Columns = Sequence[tuple[str, str]]  # metric, its head


def render(runs: Sequence[KernelRun]) -> str:
    found = cases(runs)
    template = Environment(
        loader=PackageLoader("experiments"), undefined=StrictUndefined, keep_trailing_newline=True
    ).get_template("kernel.md.j2")
    boots = [run for case in found for run in case.runs.get("balanced", ())]
    return template.render(
        nr_boots=len(runs),
        nr_failed=sum(run.why_failed is not None for run in runs),
        limits=LIMITS,
        futile=[case for case in found if case.scenario.name in FUTILE],
        dead=[case for case in found if case.scenario.name in DEAD],
        others=[case for case in found if case.scenario.name not in (*FUTILE, *DEAD)],
        columns=COLUMNS,
        table=table,
        nr_balanced=len(boots),
        nr_let_through=round(sum(run.metrics["resets"] - run.metrics["resets_free_path"] for run in boots)),
    )


def table(case: Case, columns: Columns) -> str:
    """Rules as rows: mean [95 % interval] over the boots; columns without any number but 0 are left out."""
    metrics = [name for name, _ in columns]
    heads = dict(columns)
    values = {rule: _values(runs, case, metrics) for rule, runs in case.runs.items()}
    shown = [
        i for i in range(len(metrics)) if any(np.nan_to_num(rows[:, i]).any() for rows in values.values())
    ]
    lines = [
        "| rule | boots | " + " | ".join(heads[metrics[i]] for i in shown) + " |",
        "|---|---|" + "---|" * len(shown),
    ]
    for rule, rows in values.items():
        found = student_means(rows)
        cells = [_cell(found[i]) for i in shown]
        lines.append(f"| `{rule}` | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(mean: Mean) -> str:
    """One boot has no interval."""
    return compact(mean.mean) if mean.lo is None else with_interval(mean.mean, mean.lo, mean.hi)


def _values(runs: Iterable[KernelRun], case: Case, metrics: Sequence[str]) -> np.ndarray:
    """(boots, metrics)"""
    found = [asked(run.metrics, case.scenario) for run in runs]
    return np.array([[one.get(name, np.nan) for name in metrics] for one in found])


if __name__ == "__main__":
    sys.stdout.write(render(kernel_runs.load(Path(sys.argv[1]) if sys.argv[1:] else RECORDED)))
