"""What happens to kswapd_failures when somebody makes progress: the decision this project is about."""

from reclaim_env.model import rng
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.reset_signal import signal_holds
from reclaim_env.model.watermark import pgdat_balanced


@inlined
def kswapd_test_hopeless(pgdat):
    """mm/vmscan.c: kswapd has given up on this node. The limit is MAX_RECLAIM_RETRIES in every kernel."""
    return pgdat.kswapd_failures >= pgdat.failure_limit


@inlined
def rule_allows(env, pgdat, nid, reason):
    """The reset rule's answer to one progress event: four masks over reasons, tried in this order."""
    bit = 1 << reason
    if pgdat.reset_always_mask & bit:
        return True
    if pgdat.reset_balanced_mask & bit:
        return pgdat_balanced(pgdat)
    if pgdat.reset_signal_mask & bit:
        return signal_holds(env, pgdat, nid)
    if pgdat.reset_coin_mask & bit:
        return rng.timeless_uniform(env, rng.COIN, nid, pgdat.nr_progress) < 0.5
    return False


@inlined
def failures_left(pgdat):
    """The count after a reset: 0 in every kernel; some rules take only a few failures off it."""
    failures = pgdat.kswapd_failures
    return max(failures - pgdat.reset_step, min(failures, pgdat.reset_floor))


@kernel
def kswapd_clear_hopeless(env, pgdat, reason):
    """mm/vmscan.c: set the count to 0 (or what the rule leaves); note who did it if that changed anything."""
    left = failures_left(pgdat)
    if left == pgdat.kswapd_failures:
        return
    pgdat.vmstat.resets[reason] += 1
    was_hopeless = kswapd_test_hopeless(pgdat)
    pgdat.kswapd_failures = left
    if was_hopeless and not kswapd_test_hopeless(pgdat):
        pgdat.vmstat.revivals[reason] += 1
        pgdat.hopeless_since_s = -1.0
    pgdat.last_reset_reason = reason
    pgdat.last_reset_s = env.time_s


@kernel
def kswapd_try_clear_hopeless(env, nid, reason, nr_events):
    """The end of shrink_node(): nr_events passes by `reason` freed at least a page each on node nid."""
    pgdat = env.node[nid]
    pgdat.vmstat.progress[reason] += nr_events
    for _ in range(nr_events):
        pgdat.nr_progress += 1
        if pgdat.kswapd_failures == 0:
            continue
        if rule_allows(env, pgdat, nid, reason):
            kswapd_clear_hopeless(env, pgdat, reason)
