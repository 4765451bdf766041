"""What happens to kswapd_failures when somebody makes progress: the decision this project is about."""

from reclaim_env.model import rng
from reclaim_env.model.constants import MAX_RECLAIM_RETRIES
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.watermark import pgdat_balanced


@inlined
def kswapd_test_hopeless(pgdat):
    """mm/vmscan.c: kswapd has given up on this node."""
    return pgdat.kswapd_failures >= MAX_RECLAIM_RETRIES


@inlined
def rule_allows(env, pgdat, nid, reason):
    """The reset rule's answer to one progress event: three masks over reasons, tried in this order."""
    bit = 1 << reason
    if pgdat.reset_always_mask & bit:
        return True
    if pgdat.reset_balanced_mask & bit:
        return pgdat_balanced(pgdat)
    if pgdat.reset_coin_mask & bit:
        return rng.timeless_uniform(env, rng.COIN, nid, pgdat.nr_progress) < 0.5
    return False


@kernel
def kswapd_clear_hopeless(env, pgdat, reason):
    """mm/vmscan.c: set the count to 0, and note who did it if that changed anything."""
    if pgdat.kswapd_failures == 0:
        return
    pgdat.vmstat.resets[reason] += 1
    if kswapd_test_hopeless(pgdat):
        pgdat.vmstat.revivals[reason] += 1
        pgdat.hopeless_since_s = -1.0
    pgdat.kswapd_failures = 0
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
