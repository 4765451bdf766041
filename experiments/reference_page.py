"""docs/reference.md: what agents see and what is measured, printed from the tables that do it.

`python -m experiments.reference_page` prints the page; tests/test_docs.py holds the committed one to it.
"""

import sys
from collections.abc import Iterator

from reclaim_env.model.constants import PRESSURES, REASONS
from reclaim_env.observation import NODE_FEATURES, feature_docs
from reclaim_env.reset_rules import RULES
from reclaim_env.reward import COST_TERMS, WEIGHTS

from .metrics import CGROUP_METRICS, NODE_METRICS, NODE_STATE_METRICS, WORKLOAD_METRICS, Metric
from .rule_list import WHO, truth_table

KERNEL = "as in /proc/vmstat"
KERNEL_OF_CGROUP = "as in memory.stat and memory.events.local"
# What is not a counter of the kernel's own, by the metric's name.
MEANING = {
    "kswapd_cpu_s": "CPU time of kswapd",
    "kswapd_awake_s": "time in which kswapd was not asleep",
    "kswapd_fruitless_runs": "runs of kswapd that freed nothing",
    "boosted_fruitless_runs": "of them, those that a boosted watermark had begun",
    "boosts": "times a stolen block boosted the watermarks",
    "efficiency_kswapd": "pages reclaimed by page scanned",
    "efficiency_direct": "pages reclaimed by page scanned",
    "refault_mib": "refaulted file pages",
    "refault_mib_per_s": "refaulted file pages",
    "refault_anon_mib": "refaulted anonymous pages",
    "bystander_refault_mib": "refaults of cgroups without a high or max limit above them",
    "bystander_refault_mib_per_s": "the same as a rate",
    "swap_mib": "anonymous memory swapped out at the end",
    "refault_wait_s": "thread time waiting for refaulted pages",
    "allocstall": "direct reclaim entered by the allocator: /proc/vmstat's allocstall_* added up",
    "stall_s": "thread time in, or kept waiting by, direct reclaim",
    "limit_reclaim_s": "thread time in reclaim for memory.high and memory.max",
    "high_delay_s": "thread time slept by order of memory.high",
    "oom_kills": "tasks killed for lack of memory",
    "oomd_kills": "tasks killed by a userspace killer, because of pressure",
    "read_wait_s": "thread time waiting for any read",
    "workingset_wait_s": "of it, for pages of the working set, which is memory pressure",
    "atomic_fail": "atomic bursts that did not get all their pages",
    "resets": "times the rule took failures off kswapd_failures",
    "hopeless_s": "time for which kswapd had given up",
    "false_dead_s": "of it, while cold pages exceeded the deficit",
    "false_alive_s": "time running while they did not",
    "kswapd_failures_at_end": "the count when the episode ends",
    "hopeless_at_end": "whether kswapd has given up when the episode ends",
    "running_at_end": "whether kswapd runs when the episode ends",
    "first_fruitless_s": "the first run that freed nothing",
    "first_hopeless_s": "the first time kswapd gave up",
    "last_reset_s": "the last reset",
    "throughput_per_s": "operations done",
    "latency_p50_ms": "median time of an operation",
    "latency_p99_ms": "time that one operation in a hundred exceeds",
    "lost_ops": "operations dropped because too many waited",
    **{f"resets_{reason}": f"resets by {reason}" for reason in REASONS},
    **{f"revivals_{reason}": f"of them, those of a hopeless node, by {reason}" for reason in REASONS},
    **{f"progress_{reason}": f"passes that freed a page, by {reason}" for reason in REASONS},
}
SCOPES = (
    ("The machine, and each node under `node0/`, `node1/`, ...", NODE_METRICS, KERNEL),
    ("Each node, as the episode leaves it", NODE_STATE_METRICS, KERNEL),
    ("Each cgroup under `cgroup/NAME/`", CGROUP_METRICS, KERNEL_OF_CGROUP),
    ("Each workload under `workload/NAME/`", WORKLOAD_METRICS, KERNEL),
)


def reference() -> str:
    parts = [
        "# Observations, metrics and rules",
        "Printed by `python -m experiments.reference_page` from the tables in the code.",
        "## Observation",
        "Of each node, in this order; an observation is all features of node 0, then of node 1, and so on. "
        f"{len(NODE_FEATURES)} features, of which `privileged` ones are hidden unless asked for.",
        feature_docs(),
        "## Cost",
        "Lost seconds; the reward of an interval is minus their weighted sum.",
        "\n".join(_costs()),
        "## Metrics",
        "What `reclaim compare --json` has for each rule and seed; undefined is null.",
    ]
    for title, table, source in SCOPES:
        parts += [f"### {title}", "\n".join(_metrics(table, source))]
    parts += ["### The machine's pressure under `pressure/`", "\n".join(_pressure())]
    parts += ["## Rules", "\n".join(_rules())]
    parts += [
        "Whether progress resets the count, by who made it. *if so*: if what the rule says above holds just "
        "then. Timers and allocations (`timer`, `allocated` and their like) reset without progress.",
        "\n".join(_truth()),
    ]
    return "\n\n".join(parts) + "\n"


def _costs() -> Iterator[str]:
    yield f"| term | {' | '.join(WEIGHTS)} |"
    yield f"|---|{'---|' * len(WEIGHTS)}"
    for term in COST_TERMS:
        yield f"| `cost_{term}_s` | {' | '.join(f'{weights[term]:g}' for weights in WEIGHTS.values())} |"


def _metrics(table: tuple[Metric, ...], source: str) -> Iterator[str]:
    yield "| metric | unit | better | meaning |"
    yield "|---|---|---|---|"
    for metric in table:
        better = {True: "lower", False: "higher", None: ""}[metric.lower_is_better]
        yield f"| `{metric.name}` | {metric.unit} | {better} | {MEANING.get(metric.name, source)} |"


def _pressure() -> Iterator[str]:
    yield "| metric | unit | better | meaning |"
    yield "|---|---|---|---|"
    for name in PRESSURES:
        resource, who = name.split("_")
        waited = {"some": "some task waited", "full": "all that could work waited"}[who]
        yield f"| `{name}_s` | s |  | time in which {waited} for {resource}, as /proc/pressure/{resource} |"


def _rules() -> Iterator[str]:
    yield "| rule | what resets the count | parameters | source |"
    yield "|---|---|---|---|"
    for rule in RULES.values():
        parameters = ", ".join(f"`{name}={getattr(rule, name):g}`" for name in rule.takes)
        yield f"| `{rule.name}` | {rule.doc} | {parameters} | {rule.source} |"


def _truth() -> Iterator[str]:
    yield f"| rule | {' | '.join(WHO)} |"
    yield f"|---|{'---|' * len(WHO)}"
    for rule in RULES.values():
        yield f"| `{rule.name}` | {' | '.join(truth_table(rule).values())} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
