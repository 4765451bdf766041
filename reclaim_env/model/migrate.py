"""Demotion: reclaim of a node with a lower tier moves pages there (mm/vmscan.c, mm/migrate.c).

Kept: what reclaim would free is moved while the lower node has pages above its watermarks, its kswapd is
woken, leftovers are reclaimed as usual, the count of reclaimed pages includes those moved (6.12).
Left out: promotion, so what is moved stays; slower access to the lower tier; cpusets; several targets.
"""

from reclaim_env.model import bins
from reclaim_env.model.buddy import free_pages, rmqueue
from reclaim_env.model.constants import INACTIVE, KSWAPD, UNREFERENCED
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.rows import set_row
from reclaim_env.model.swap_out import move_anon
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import pages_above


@inlined
def can_demote(env, nid):
    """Is there a lower tier, and demotion switched on?"""
    return env.demotion_enabled and env.node[nid].demotion_target >= 0


@kernel
def demote_folio_list(env, set_, nr_pages, reason, now_s):
    """Moves pages of a class to the inactive list of the lower tier, as many as it takes. Returns how many.

    The allocation there may wake kswapd and does not reclaim: low first, then min.
    """
    nid = set_.nid
    to = env.node[nid].demotion_target
    lower = env.node[to]
    k = pages_above(lower, lower.low_wmark_pages)
    if k < nr_pages:
        wakeup_kswapd(lower)
        k = min(pages_above(lower, lower.min_wmark_pages), nr_pages)
    k = min(k, nr_pages)
    if k == 0:
        return 0
    rmqueue(lower, k)
    lower.vmstat.numa_hit += k
    there = env.set_[set_row(env, to, set_.class_id)]
    bins.resize(env, set_, INACTIVE, -k)
    bins.add_head(env, there, INACTIVE, UNREFERENCED, float(k), now_s)
    bins.resize(env, there, INACTIVE, k)
    class_ = env.class_[set_.class_id]
    if class_.anon:
        move_anon(env, class_, nid, -k)
        move_anon(env, class_, to, k)
    free_pages(env, nid, k)
    if reason == KSWAPD:
        env.node[nid].vmstat.pgdemote_kswapd += k
    else:
        env.node[nid].vmstat.pgdemote_direct += k
    env.pageout_s += k * env.cost.migrate_s
    return k
