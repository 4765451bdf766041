"""The observation's formulas, compiled.

Each writes fields of a record whose names are the table's (reclaim_env/observation.py), so a feature without
a formula, or a formula without a row in the table, is found at once. Every formula says what 0/0 means.
"""

import math

from reclaim_env.model.account import cold_pages
from reclaim_env.model.constants import (
    ACTIVE,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    MEMCG_HIGH,
    MEMCG_MAX,
    PROACTIVE,
)
from reclaim_env.model.kernel import kernel
from reclaim_env.model.reset_rule import kswapd_test_hopeless
from reclaim_env.model.reset_signal import deficit_pages, unprotected_file_pages

_NO_REFAULTS, _NO_STEALS = 1e-4, 10.0


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
def _memory_features(out, env, nid):
    node = env.node[nid]
    file_pages = node.list_pages[INACTIVE] + node.list_pages[ACTIVE]
    unprotected = unprotected_file_pages(env, nid)
    deficit = float(deficit_pages(node))
    out.free_over_low_ratio = _free_over_low(node)
    out.file_over_gap_ratio = _ratio(unprotected, float(node.high_wmark_pages - node.min_wmark_pages), 8.0)
    out.file_over_deficit_ratio = _ratio(unprotected, deficit, 8.0)
    out.active_per_file_ratio = _ratio(float(node.list_pages[ACTIVE]), float(file_pages), 0.0)
    out.cold_over_deficit_ratio = _ratio(float(cold_pages(env, nid)), deficit, 8.0)
    out.last_node = nid == env.nr_nodes - 1


@kernel
def _kswapd_features(out, env, nid, before, interval_s):
    node = env.node[nid]
    hopeless = kswapd_test_hopeless(node)
    out.hopeless = hopeless
    out.hopeless_s = 0.0
    if hopeless:
        out.hopeless_s = math.log10(1.0 + max(env.time_s - max(node.hopeless_since_s, 0.0), 0.0))
    out.kswapd_failures_ratio = node.kswapd_failures / node.failure_limit
    out.awake_ratio = (node.vmstat.awake_s - before.awake_s) / interval_s
    out.kswapd_cpu_ratio = (node.vmstat.kswapd_cpu_s - before.kswapd_cpu_s) / interval_s


@kernel
def _reclaim_features(out, env, nid, before, interval_s):
    node = env.node[nid]
    vmstat = node.vmstat
    out.refault_per_steal_2s_ratio = _log_refaults_per_steal(node.refault_2s_per_s, node.steal_2s_per_s)
    out.refault_per_steal_20s_ratio = _log_refaults_per_steal(node.refault_20s_per_s, node.steal_20s_per_s)
    refaults = float(vmstat.workingset_refault_file - before.workingset_refault_file)
    refaults += float(vmstat.workingset_refault_anon - before.workingset_refault_anon)
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
            hopeless += kswapd_test_hopeless(env.node[other])
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
    """The visible of (num_envs, num_nodes * all features) numbers, clipped, one row of them per env.

    columns: where they stand in a row of features.
    """
    for j in range(rows.size):
        i = rows[j]
        for at in range(columns.size):
            observation[i, at] = min(max(features[i, columns[at]], low[at]), high[at])
