"""What an agent sees of each node: one table, from which the space, the array and the docs come."""

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from reclaim_env.presets import release

CHEAP = "kernel-cheap"  # the kernel has it at hand when progress is made
POSSIBLE = "kernel-possible"  # the kernel could have it, with a counter or a clock it does not keep today
PRIVILEGED = "privileged"  # nobody on a real machine knows it


@dataclass(frozen=True)
class Feature:
    """One number of one node. It is clipped to [low, high]; `doc` says what it reads without data."""

    name: str
    unit: str
    low: float
    high: float
    tag: str
    doc: str
    visible_from: str | None = None  # first kernel that shows a privileged feature


NODE_FEATURES = (
    Feature(
        "free_over_low_ratio",
        "pages of high - low",
        -2.0,
        4.0,
        CHEAP,
        "(usable free - low) / (high - low): 0 at low, 1 at high",
    ),
    Feature(
        "file_over_gap_ratio",
        "pages of high - min",
        0.0,
        8.0,
        CHEAP,
        "unprotected file / (high - min): above 1, reclaim could fill the gap",
    ),
    Feature(
        "file_over_deficit_ratio",
        "pages of the deficit",
        0.0,
        8.0,
        CHEAP,
        "unprotected file / (high - usable free); 8 when there is no deficit",
    ),
    Feature(
        "active_per_file_ratio", "pages", 0.0, 1.0, CHEAP, "active file / all file; 0 without file pages"
    ),
    Feature(
        "last_node", "0 or 1", 0.0, 1.0, CHEAP, "no node has a larger id: the 6.18 free path never revives it"
    ),
    Feature("hopeless", "0 or 1", 0.0, 1.0, CHEAP, "kswapd has given up: kswapd_failures is 16 or more"),
    Feature(
        "hopeless_s", "log10(1 + s)", 0.0, 3.0, POSSIBLE, "time since kswapd gave up; 0 while it has not"
    ),
    Feature("awake_ratio", "s/s", 0.0, 1.0, POSSIBLE, "share of the interval in which kswapd was not asleep"),
    Feature("kswapd_cpu_ratio", "CPU s/s", 0.0, 1.0, POSSIBLE, "CPU share of the node's kswapd"),
    Feature(
        "refault_per_steal_2s_ratio",
        "log10(pages/pages)",
        -4.0,
        1.0,
        POSSIBLE,
        "refaults per page reclaimed, mean over 2 s; -4 without refaults, 1 with refaults but no reclaim",
    ),
    Feature(
        "refault_per_steal_20s_ratio",
        "log10(pages/pages)",
        -4.0,
        1.0,
        POSSIBLE,
        "the same over 20 s, long enough for pages that come back late",
    ),
    Feature(
        "refault_price_s",
        "log10(s)",
        -6.0,
        0.0,
        POSSIBLE,
        "task time lost per refault in the interval; the device's idle latency without refaults",
    ),
    Feature(
        "steal_per_scan_ratio",
        "pages/pages",
        0.0,
        1.0,
        POSSIBLE,
        "pgsteal / pgscan over 20 s; 0 without scans",
    ),
    Feature(
        "stall_ratio", "log10(1 + thread s/s)", 0.0, 3.0, POSSIBLE, "threads in, or kept by, direct reclaim"
    ),
    Feature("allocstall_per_s", "log10(1 + 1/s)", 0.0, 6.0, POSSIBLE, "direct-reclaim descents begun"),
    Feature(
        "direct_steal_per_scan_ratio",
        "pages/pages",
        0.0,
        1.0,
        POSSIBLE,
        "direct reclaim's pgsteal / pgscan in the interval; 0 without scans",
    ),
    Feature("kswapd_progress_per_s", "log10(1 + 1/s)", 0.0, 6.0, CHEAP, "kswapd passes that freed a page"),
    Feature(
        "direct_progress_per_s",
        "log10(1 + 1/s)",
        0.0,
        6.0,
        CHEAP,
        "global direct-reclaim passes that freed a page",
    ),
    Feature(
        "memcg_progress_per_s",
        "log10(1 + 1/s)",
        0.0,
        6.0,
        CHEAP,
        "cgroup passes (high, max, proactive) that did",
    ),
    Feature(
        "others_hopeless_ratio",
        "nodes/nodes",
        0.0,
        1.0,
        CHEAP,
        "share of the other nodes that are hopeless; 0 alone",
    ),
    Feature(
        "others_free_over_low_ratio",
        "pages of high - low",
        -2.0,
        4.0,
        CHEAP,
        "the largest free_over_low_ratio of another node; -2 alone",
    ),
    Feature(
        "kswapd_failures_ratio",
        "runs/16",
        0.0,
        1.0,
        PRIVILEGED,
        "fruitless runs on the way to 16: no file shows them; a tracepoint does from 7.0",
        visible_from="7.0",
    ),
    Feature(
        "cold_over_deficit_ratio",
        "pages of the deficit",
        0.0,
        8.0,
        PRIVILEGED,
        "pages that a lap of kswapd would find untouched / deficit; 8 when there is no deficit",
    ),
)
FEATURE = {feature.name: feature for feature in NODE_FEATURES}
NODE_OBSERVATION = np.dtype([(feature.name, np.float32) for feature in NODE_FEATURES])


def visible_features(kernel_preset: str, privileged: bool = False) -> tuple[Feature, ...]:
    """The rows of the table an agent gets on this kernel, in the table's order."""
    return tuple(
        f
        for f in NODE_FEATURES
        if privileged
        or f.tag != PRIVILEGED
        or (f.visible_from is not None and release(kernel_preset) >= release(f.visible_from))
    )


def observation_space(features: tuple[Feature, ...], num_nodes: int) -> spaces.Box:
    """(num_nodes * num_features,) float32, node-major."""
    low = np.tile(np.array([f.low for f in features], np.float32), num_nodes)
    high = np.tile(np.array([f.high for f in features], np.float32), num_nodes)
    return spaces.Box(low, high, dtype=np.float32)


def feature_docs() -> str:
    """NODE_FEATURES as a table in Markdown."""
    head = ("| feature | unit | bounds | tag | meaning |", "|---|---|---|---|---|")
    rows = (f"| {f.name} | {f.unit} | {f.low:g} to {f.high:g} | {f.tag} | {f.doc} |" for f in NODE_FEATURES)
    return "\n".join((*head, *rows))
