"""What an agent sees of each node: one table, from which the space, the array and the docs come.

The kernel below writes a record whose fields are the table's names, so a feature without a formula,
or a formula without a row in the table, does not compile. Every formula says what 0/0 means.
"""

import math
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from reclaim_env.model.account import cold_pages
from reclaim_env.model.constants import (
    ACTIVE,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    MAX_RECLAIM_RETRIES,
    MEMCG_HIGH,
    MEMCG_MAX,
    PROACTIVE,
)
from reclaim_env.model.kernel import kernel

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

_NO_REFAULTS, _NO_STEALS = 1e-4, 10.0


def _version(kernel_preset: str) -> tuple[int, ...]:
    return tuple(int(part) for part in kernel_preset.split("."))


def visible_features(kernel_preset: str, privileged: bool = False) -> tuple[Feature, ...]:
    """The rows of the table an agent gets on this kernel, in the table's order."""
    return tuple(
        f
        for f in NODE_FEATURES
        if privileged
        or f.tag != PRIVILEGED
        or (f.visible_from is not None and _version(kernel_preset) >= _version(f.visible_from))
    )


def observation_space(features: tuple[Feature, ...], num_nodes: int) -> spaces.Box:
    """(num_nodes * num_features,) float32, node-major."""
    low = np.tile(np.array([f.low for f in features], np.float32), num_nodes)
    high = np.tile(np.array([f.high for f in features], np.float32), num_nodes)
    return spaces.Box(low, high, dtype=np.float32)


def feature_docs(features: tuple[Feature, ...] = NODE_FEATURES) -> str:
    """The table as Markdown."""
    head = ("| feature | unit | bounds | tag | meaning |", "|---|---|---|---|---|")
    rows = (f"| {f.name} | {f.unit} | {f.low:g} to {f.high:g} | {f.tag} | {f.doc} |" for f in features)
    return "\n".join((*head, *rows))


@kernel
def _ratio(part, whole, without):
    """part / whole, or `without` where there is no whole."""
    return part / whole if whole > 0.0 else without


@kernel
def _log_rate(events, interval_s):
    return math.log10(1.0 + max(events, 0.0) / interval_s)


@kernel
def _log_refaults_per_steal(refaults, steals):
    """A mean that has decayed below a page in a thousand seconds counts as none."""
    if refaults < 1e-3:
        return math.log10(_NO_REFAULTS)
    return math.log10(max(_ratio(refaults, steals if steals >= 1e-3 else 0.0, _NO_STEALS), _NO_REFAULTS))


@kernel
def _free_over_low(node):
    usable = node.free_pages - node.unusable_pages
    return _ratio(
        float(usable - node.low_wmark_pages), float(node.high_wmark_pages - node.low_wmark_pages), 4.0
    )


@kernel
def _unprotected_file_pages(env, nid):
    """File pages of the node that memory.min and memory.low leave to kswapd."""
    pages = 0.0
    for i in range(env.nr_nodes * env.nr_memcgs):
        lruvec = env.lruvec[i]
        if lruvec.nid != nid:
            continue
        memcg = env.memcg[lruvec.memcg]
        protection = max(memcg.emin_pages, memcg.elow_pages)
        share = min(_ratio(protection, float(memcg.usage_pages), 0.0), 1.0)
        pages += (lruvec.list_pages[INACTIVE] + lruvec.list_pages[ACTIVE]) * (1.0 - share)
    return pages


@kernel
def _memory_features(out, env, nid):
    node = env.node[nid]
    file_pages = node.list_pages[INACTIVE] + node.list_pages[ACTIVE]
    unprotected = _unprotected_file_pages(env, nid)
    deficit = float(node.high_wmark_pages + node.unusable_pages - node.free_pages)
    out.free_over_low_ratio = _free_over_low(node)
    out.file_over_gap_ratio = _ratio(unprotected, float(node.high_wmark_pages - node.min_wmark_pages), 8.0)
    out.file_over_deficit_ratio = _ratio(unprotected, deficit, 8.0)
    out.active_per_file_ratio = _ratio(float(node.list_pages[ACTIVE]), float(file_pages), 0.0)
    out.cold_over_deficit_ratio = _ratio(float(cold_pages(env, nid)), deficit, 8.0)
    out.last_node = nid == env.nr_nodes - 1


@kernel
def _kswapd_features(out, env, nid, before, interval_s):
    node = env.node[nid]
    hopeless = node.kswapd_failures >= MAX_RECLAIM_RETRIES
    out.hopeless = hopeless
    out.hopeless_s = 0.0
    if hopeless:
        out.hopeless_s = math.log10(1.0 + max(env.time_s - max(node.hopeless_since_s, 0.0), 0.0))
    out.kswapd_failures_ratio = node.kswapd_failures / MAX_RECLAIM_RETRIES
    out.awake_ratio = (node.vmstat.awake_s - before.awake_s) / interval_s
    out.kswapd_cpu_ratio = (node.vmstat.kswapd_cpu_s - before.kswapd_cpu_s) / interval_s


@kernel
def _reclaim_features(out, env, nid, before, interval_s):
    node = env.node[nid]
    vmstat = node.vmstat
    out.refault_per_steal_2s_ratio = _log_refaults_per_steal(node.refault_2s_per_s, node.steal_2s_per_s)
    out.refault_per_steal_20s_ratio = _log_refaults_per_steal(node.refault_20s_per_s, node.steal_20s_per_s)
    refaults = float(vmstat.workingset_refault_file - before.workingset_refault_file)
    price_s = _ratio(vmstat.refault_wait_s - before.refault_wait_s, refaults, env.device.latency_s)
    out.refault_price_s = math.log10(max(price_s, 1e-6))
    out.steal_per_scan_ratio = _ratio(node.steal_20s_per_s, node.scan_20s_per_s, 0.0)
    out.stall_ratio = _log_rate(vmstat.stall_s - before.stall_s, interval_s)
    out.allocstall_per_s = _log_rate(float(vmstat.allocstall - before.allocstall), interval_s)
    scanned = float(vmstat.pgscan_direct - before.pgscan_direct)
    out.direct_steal_per_scan_ratio = _ratio(
        float(vmstat.pgsteal_direct - before.pgsteal_direct), scanned, 0.0
    )
    progress = vmstat.progress
    earlier = before.progress
    out.kswapd_progress_per_s = _log_rate(float(progress[KSWAPD] - earlier[KSWAPD]), interval_s)
    out.direct_progress_per_s = _log_rate(float(progress[GLOBAL_DIRECT] - earlier[GLOBAL_DIRECT]), interval_s)
    by_memcg = progress[MEMCG_HIGH] + progress[MEMCG_MAX] + progress[PROACTIVE]
    by_memcg -= earlier[MEMCG_HIGH] + earlier[MEMCG_MAX] + earlier[PROACTIVE]
    out.memcg_progress_per_s = _log_rate(float(by_memcg), interval_s)


@kernel
def _neighbour_features(out, env, nid):
    hopeless = 0
    room = -2.0
    for other in range(env.nr_nodes):
        if other != nid:
            hopeless += env.node[other].kswapd_failures >= MAX_RECLAIM_RETRIES
            room = max(room, _free_over_low(env.node[other]))
    out.others_hopeless_ratio = _ratio(float(hopeless), float(env.nr_nodes - 1), 0.0)
    out.others_free_over_low_ratio = room


@kernel
def observe_rows(envs, rows, before, interval_s, node_observation):
    """Fills node_observation[i, nid], (num_envs, num_nodes) of NODE_OBSERVATION, for each row i.

    before: (num_envs, num_nodes) of VMSTAT, the counters at the start of the interval.
    """
    for j in range(rows.size):
        i = rows[j]
        env = envs[i]
        for nid in range(env.nr_nodes):
            out = node_observation[i, nid]
            _memory_features(out, env, nid)
            _kswapd_features(out, env, nid, before[i, nid], interval_s)
            _reclaim_features(out, env, nid, before[i, nid], interval_s)
            _neighbour_features(out, env, nid)


@kernel
def clip_rows(features, rows, columns, low, high, observation):
    """The visible columns of (num_envs, num_nodes, all features), clipped, one row of numbers per env."""
    num_columns = columns.size
    for j in range(rows.size):
        i = rows[j]
        for nid in range(features.shape[1]):
            for c in range(num_columns):
                at = nid * num_columns + c
                observation[i, at] = min(max(features[i, nid, columns[c]], low[at]), high[at])
