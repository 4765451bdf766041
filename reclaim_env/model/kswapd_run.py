"""A run of kswapd: its beginning, its priorities, its end and what it counts (balance_pgdat(), mm/vmscan.c).

Kept: the raise rule, the cache-trim retry, the failure count, boosted runs. Left out: orders above 0.
"""

from reclaim_env.model.boost import LOWEST_BOOSTED_PRIORITY, begin_boosted_run, end_boosted_run
from reclaim_env.model.constants import DEF_PRIORITY, DOZE, KSWAPD, KSWAPD_DOZE_S, SWAP_CLUSTER_MAX
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.reset_rule import kswapd_test_hopeless, kswapd_try_clear_hopeless
from reclaim_env.model.watermark import pgdat_balanced


@inlined
def prepare_kswapd_sleep(pgdat):
    """May kswapd sleep? When it has given up, or the node is balanced."""
    return kswapd_test_hopeless(pgdat) or pgdat_balanced(pgdat)


@inlined
def nr_passes(pgdat):
    """Passes that the one under way stands for."""
    return pgdat.pass_first_priority + 1 - pgdat.priority


@inlined
def begin_run(pgdat):
    pgdat.in_run = 1
    pgdat.in_pass = 0
    pgdat.priority = DEF_PRIORITY
    pgdat.run_reclaimed_pages = 0
    pgdat.trim_forbidden = 0
    pgdat.trim_failed = 0
    pgdat.low_skipped = 0
    pgdat.low_ignored = 0
    pgdat.vmstat.pageoutrun += 1
    begin_boosted_run(pgdat)


@inlined
def end_pass(env, nid, now_s):
    """After shrink_node(): progress, priority, and whether the run is over."""
    pgdat = env.node[nid]
    pgdat.in_pass = 0
    reclaimed = pgdat.pass_reclaimed_pages
    pgdat.run_reclaimed_pages += reclaimed
    if reclaimed > 0:
        kswapd_try_clear_hopeless(env, nid, KSWAPD, min(nr_passes(pgdat), reclaimed))
    elif pgdat.pass_trim:
        pgdat.trim_failed = 1
    wanted = max(pgdat.high_wmark_pages, SWAP_CLUSTER_MAX)
    harder = max(pgdat.pass_scanned_pages, reclaimed) < wanted
    if pgdat.boost_left_pages > 0:
        harder = harder and pgdat.priority > LOWEST_BOOSTED_PRIORITY
        pgdat.boost_left_pages -= min(pgdat.boost_left_pages, reclaimed)
        if pgdat.boost_left_pages > 0 and reclaimed == 0:
            end_run(env, pgdat, now_s, False)
            return
    if harder or reclaimed == 0:
        pgdat.priority -= 1
    finish_priorities(env, pgdat, now_s)


@kernel
def finish_priorities(env, pgdat, now_s):
    """Below priority 1 the run ends - or begins again without what may be to blame that nothing was freed.

    That is cache-trim passes; and memory.low, under a rule that ignores it then.
    """
    if pgdat.priority >= 1:
        return
    if pgdat.run_reclaimed_pages == 0 and pgdat.trim_failed and not pgdat.trim_forbidden:
        pgdat.trim_forbidden = 1
        pgdat.priority = DEF_PRIORITY
        return
    if pgdat.run_reclaimed_pages == 0 and pgdat.retries_low and pgdat.low_skipped and not pgdat.low_ignored:
        pgdat.low_ignored = 1
        pgdat.priority = DEF_PRIORITY
        return
    end_run(env, pgdat, now_s, False)


@kernel
def end_run(env, pgdat, now_s, was_balanced):
    """The end of balance_pgdat(), and kswapd_try_to_sleep() after it."""
    pgdat.in_run = 0
    pgdat.activate_snapshot = pgdat.stat_workingset_activate
    pgdat.activate_snapshot_anon = pgdat.stat_workingset_activate_anon
    if not was_balanced and pgdat.run_reclaimed_pages == 0:
        count_failure(env, pgdat, now_s)
    end_boosted_run(pgdat)
    if prepare_kswapd_sleep(pgdat):
        pgdat.kswapd_phase = DOZE
        pgdat.doze_left_s = KSWAPD_DOZE_S
    else:
        pgdat.vmstat.kswapd_high_wmark_hit_quickly += 1


@inlined
def count_failure(env, pgdat, now_s):
    """A run reclaimed nothing: a failure, unless it began with a boost and the kernel is 6.19 or later."""
    pgdat.vmstat.kswapd_fruitless_runs += 1
    if pgdat.first_fruitless_s < 0.0:
        pgdat.first_fruitless_s = now_s
    if pgdat.run_boost_pages > 0:
        pgdat.vmstat.boosted_fruitless_runs += 1
        if not env.counts_boosted_runs:
            return
    pgdat.kswapd_failures += 1
    if pgdat.kswapd_failures == pgdat.failure_limit:
        give_up(pgdat, now_s)


@inlined
def give_up(pgdat, now_s):
    """The node is hopeless from now on. A probe that helped for less than its wait doubles the next wait."""
    pgdat.hopeless_since_s = now_s
    pgdat.allocated_at_hopeless_pages = pgdat.vmstat.pgalloc_normal
    if now_s - pgdat.probed_s < pgdat.probe_wait_s:
        pgdat.probe_wait_s = min(2.0 * pgdat.probe_wait_s, pgdat.probe_max_s)
    else:
        pgdat.probe_wait_s = pgdat.probe_first_s
    if pgdat.first_hopeless_s < 0.0:
        pgdat.first_hopeless_s = now_s
