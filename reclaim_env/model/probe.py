"""Rules that try kswapd again without any progress: after a time, or after allocations. Once a tick."""

from reclaim_env.model.constants import OTHER
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.reset_rule import kswapd_clear_hopeless, kswapd_test_hopeless
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import zone_watermark_ok


@inlined
def is_time(env, pgdat):
    """The node has been hopeless for the wait in force."""
    return pgdat.probe_first_s > 0.0 and env.time_s - pgdat.hopeless_since_s >= pgdat.probe_wait_s


@inlined
def is_allocated(pgdat):
    """Pages were allocated on the hopeless node, as a sign that there is memory to be had."""
    if pgdat.probe_after_pages == 0:
        return False
    if pgdat.vmstat.pgalloc_normal - pgdat.allocated_at_hopeless_pages < pgdat.probe_after_pages:
        return False
    mark = (pgdat.low_wmark_pages + pgdat.min_wmark_pages) // 2
    return not pgdat.probe_needs_free or zone_watermark_ok(pgdat, mark)


@kernel
def probe_hopeless(env):
    """A timer clears the count and wakes kswapd; allocations clear it, and the next that is short wakes."""
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        if not kswapd_test_hopeless(pgdat):
            continue
        timed = is_time(env, pgdat)
        if timed or is_allocated(pgdat):
            kswapd_clear_hopeless(env, pgdat, OTHER)
            pgdat.probed_s = env.time_s
        if timed:
            wakeup_kswapd(pgdat)
