"""What a reset rule may ask of the node at a progress event, beyond whose progress it was and the watermark.

All read what a kernel has or could keep: file pages, watermarks, counters, and their running means.
"""

from reclaim_env.model.constants import (
    ACTIVE,
    AWARE,
    FEW_REFAULTS,
    GAP,
    GAP_STALL,
    INACTIVE,
    PRICE,
    SWAP_CLUSTER_MAX,
)
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.watermark import pgdat_balanced

AWARE_FILE_RATIO, AWARE_REFAULT_RATIO = 0.7, 0.2
GAP_FILE_RATIO = 1.02
EFFICIENT_RATIO = 0.5
# A mean that has decayed below this is silence.
SILENT_PER_S = 1.0


@kernel
def unprotected_file_pages(env, nid):
    """File pages of the node that memory.min and memory.low leave to kswapd."""
    pages = 0.0
    for g in range(env.nr_memcgs):
        lruvec = env.lruvec[nid * env.nr_memcgs + g]
        memcg = env.memcg[lruvec.memcg]
        protection = max(memcg.emin_pages, memcg.elow_pages)
        share = min(protection / memcg.usage_pages, 1.0) if memcg.usage_pages > 0 else 0.0
        pages += (lruvec.list_pages[INACTIVE] + lruvec.list_pages[ACTIVE]) * (1.0 - share)
    return pages


@inlined
def deficit_pages(pgdat):
    """Pages missing to the high watermark; below 0 where the node is balanced."""
    return pgdat.high_wmark_pages + pgdat.unusable_pages - pgdat.free_pages


@inlined
def break_even_ratio(env):
    """r*: refaults a page reclaimed at which kswapd's evictions cost what they save.

    A page costs direct reclaim its part of a call more than it costs kswapd; a refault costs a read.
    """
    call_s = env.cost.direct_entry_s + env.cost.pass_s + env.cost.pass_memcg_s * env.nr_members
    return call_s / SWAP_CLUSTER_MAX / env.device.latency_s


@inlined
def refaults_are_cheap(env, pgdat):
    """Over 2 s and over 20 s fewer of the pages reclaimed came back than break even."""
    ratio = break_even_ratio(env)
    return (
        pgdat.refault_2s_per_s <= ratio * pgdat.steal_2s_per_s
        and pgdat.refault_20s_per_s <= ratio * pgdat.steal_20s_per_s
    )


@inlined
def direct_stalls(pgdat):
    """Have tasks reclaimed for themselves in the last seconds?"""
    return pgdat.direct_scan_2s_per_s >= SILENT_PER_S


@inlined
def direct_succeeds(pgdat):
    """They have, and freed more than half of what they examined."""
    return direct_stalls(pgdat) and pgdat.direct_steal_2s_per_s > EFFICIENT_RATIO * pgdat.direct_scan_2s_per_s


@kernel
def signal_holds(env, pgdat, nid):
    """The node's reset_signal, now."""
    signal = pgdat.reset_signal
    if signal == FEW_REFAULTS:
        return pgdat.refault_2s_per_s < pgdat.reset_refaults_per_s
    if signal == PRICE:
        return refaults_are_cheap(env, pgdat) and (pgdat_balanced(pgdat) or direct_succeeds(pgdat))
    deficit = deficit_pages(pgdat)
    file_pages = unprotected_file_pages(env, nid)
    if signal == AWARE:
        worth_it = file_pages > AWARE_FILE_RATIO * deficit or direct_succeeds(pgdat)
        return worth_it and pgdat.refault_2s_per_s <= AWARE_REFAULT_RATIO * pgdat.steal_2s_per_s
    can_close = file_pages > GAP_FILE_RATIO * deficit
    if signal == GAP:
        return refaults_are_cheap(env, pgdat) and (pgdat_balanced(pgdat) or can_close)
    if signal == GAP_STALL:
        return refaults_are_cheap(env, pgdat) and can_close and direct_stalls(pgdat)
    return False
