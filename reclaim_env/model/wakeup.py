"""Who is short of memory wakes kswapd (mm/vmscan.c)."""

from reclaim_env.model.constants import DOZE, RUN
from reclaim_env.model.kernel import kernel
from reclaim_env.model.reset_rule import kswapd_test_hopeless
from reclaim_env.model.watermark import pgdat_balanced


@kernel
def wakeup_kswapd(pgdat):
    """Wakes kswapd unless it is up already, has given up, or has nothing to do: balanced, no boost."""
    if pgdat.kswapd_phase == RUN:
        return
    if kswapd_test_hopeless(pgdat) or (pgdat_balanced(pgdat) and pgdat.boost_pages == 0):
        return
    if pgdat.kswapd_phase == DOZE:
        pgdat.vmstat.kswapd_low_wmark_hit_quickly += 1
    pgdat.kswapd_phase = RUN
