"""What becomes of pages taken off the tail of a list: shrink_folio_list() and what it calls (mm/vmscan.c).

Kept: young bits and PG_referenced of read, mapped and executable pages, activation, demotion, swap-out,
eviction. Left out: dirty pages, large folios.
"""

from reclaim_env.model import bins, rng
from reclaim_env.model.buddy import free_pages
from reclaim_env.model.constants import ACTIVE, EXEC, FRESH, INACTIVE, READ, REFERENCED, UNREFERENCED
from reclaim_env.model.hierarchy import uncharge
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lanes import SURE_TOUCHES, greater, lesser, load, spread, total, touched_ratio
from reclaim_env.model.migrate import can_demote, demote_folio_list
from reclaim_env.model.swap_out import swap_out
from reclaim_env.model.workingset import age_evictor, workingset_age_nonresident, workingset_eviction


@inlined
def young_ratio(env, class_, inserted_s, now_s):
    """P(young) of mapped pages, bin by bin: bits clear at inserted_s, touched while their class was on."""
    since = spread(now_s) - inserted_s
    since = greater(since, spread(0.0) - since)  # tasks of one slice act out of order
    since = since - spread(env.cost.tlb_s)
    begin_s, end_s = (class_.silent_s, class_.switched_s) if class_.on else (class_.switched_s, now_s)
    silent = spread(end_s) - greater(spread(begin_s), inserted_s)  # of the last silence what lies in between
    since = since - greater(silent, spread(0.0))
    touches = spread(class_.on_rate_per_s) * greater(since, spread(0.0))
    return touched_ratio(lesser(touches, spread(SURE_TOUCHES)))


@inlined
def exec_young_ratio(env, lruvec, set_, class_, now_s):
    """Mean P(young) of the aimed part of an executable class on the active list."""
    pages = load(set_.cells[ACTIVE, UNREFERENCED]) + load(set_.cells[ACTIVE, REFERENCED])
    fresh = load(set_.cells[ACTIVE, FRESH])
    touched = young_ratio(env, class_, load(lruvec.inserted_s[ACTIVE]), now_s)
    young = total(load(env.taken_ratio) * (pages * touched + fresh))
    aimed = total(load(env.taken_ratio) * (pages + fresh))
    return young / aimed if aimed > 0.0 else 0.0


@inlined
def folio_check_references(env, lruvec, set_, class_, now_s):
    """The fates of the aimed part of a mapped class: means of (reclaimed, activated); the rest is kept.

    Not young: reclaimed. Young: activated if referenced before or executable, else kept at the head.
    A fresh page is young since its fault - until the first look of a descent took its bit.
    """
    aimed = load(env.taken_ratio)
    unreferenced = load(set_.cells[INACTIVE, UNREFERENCED]) * aimed
    referenced = load(set_.cells[INACTIVE, REFERENCED]) * aimed
    fresh = load(set_.cells[INACTIVE, FRESH]) * aimed
    activated = spread(0.0)
    if env.looks_again:
        referenced = referenced + fresh
    elif class_.access == EXEC:
        activated = fresh
    young = young_ratio(env, class_, load(lruvec.inserted_s[INACTIVE]), now_s)
    reclaimed = (unreferenced + referenced) * (spread(1.0) - young)
    activated = activated + referenced * young
    if class_.access == EXEC:
        activated = activated + unreferenced * young
    return total(reclaimed), total(activated)


@inlined
def reclaimable_pages(env, lruvec, set_, now_s):
    """How many of the aimed part of a class a look would reclaim, as a mean."""
    class_ = env.class_[set_.class_id]
    if class_.access == READ:
        bins.aim_at(env, set_, INACTIVE)
        return bins.aimed_total(set_)
    reclaimed, _ = folio_check_references(env, lruvec, set_, class_, now_s)
    return reclaimed


@kernel
def evict(env, set_, nr_pages, evictor):
    """__remove_mapping() and the free: pages leave the inactive list, shadows stay."""
    bins.resize(env, set_, INACTIVE, -nr_pages)
    class_ = env.class_[set_.class_id]
    class_.evicted_pages += nr_pages
    if not class_.one_touch:
        class_.absent_pages += nr_pages
        workingset_eviction(env, set_, evictor, nr_pages)
    else:
        age_evictor(env, set_, evictor, nr_pages)
    uncharge(env, class_.memcg, nr_pages)
    free_pages(env, set_.nid, nr_pages)


@inlined
def activate(env, set_, nr_pages):
    """Examined pages that go to the active list with PG_referenced set."""
    bins.resize(env, set_, INACTIVE, -nr_pages)
    bins.put_head(env, set_, ACTIVE, REFERENCED, float(nr_pages))
    bins.resize(env, set_, ACTIVE, nr_pages)
    workingset_age_nonresident(env, env.lruvec[set_.lruvec], nr_pages)
    env.node[set_.nid].vmstat.pgactivate += nr_pages
    env.class_[set_.class_id].activated_pages += nr_pages


@inlined
def let_go(env, set_, nr_pages, evictor, reason, now_s):
    """Pages nobody used leave the node: to a lower tier with room, else to swap, or dropped.

    Returns how many; what finds no slot is still on the inactive list.
    """
    gone = 0
    if can_demote(env, set_.nid):
        gone = demote_folio_list(env, set_, nr_pages, reason, now_s)
    left = nr_pages - gone
    if left > 0 and env.class_[set_.class_id].anon:
        return gone + swap_out(env, set_, left, evictor, now_s)
    if left > 0:
        evict(env, set_, left, evictor)
    return nr_pages


@inlined
def shrink_folio_list(env, set_, evictor, reason, now_s, fate):
    """What becomes of the isolated pages of one class, by draw `fate`. Returns the number reclaimed.

    Unmapped page cache gets no second chance here: read() protects a page only by activating it.
    """
    k = set_.isolated_pages
    class_ = env.class_[set_.class_id]
    if class_.access == READ:
        bins.del_tail(env, set_, INACTIVE, k)
        return let_go(env, set_, k, evictor, reason, now_s)
    lruvec = env.lruvec[set_.lruvec]
    mean_reclaimed, mean_activated = folio_check_references(env, lruvec, set_, class_, now_s)
    examined = bins.aimed_total(set_)
    reclaimed_ratio = mean_reclaimed / examined if examined > 0.0 else 0.0
    activated_ratio = 0.0  # of those that are not reclaimed
    if mean_activated > 0.0:
        activated_ratio = min(1.0, mean_activated / max(examined - mean_reclaimed, mean_activated))
    u, v = 0.5, 0.5
    if not (rng.is_certain(k, reclaimed_ratio) and rng.is_certain(k, activated_ratio)):
        u, v, _ = rng.uniforms(env, rng.FATE, fate)
    nr_reclaimed = rng.binomial(u, k, reclaimed_ratio)
    nr_activated = rng.binomial(v, k - nr_reclaimed, activated_ratio)
    nr_kept = k - nr_reclaimed - nr_activated
    bins.del_tail(env, set_, INACTIVE, k)
    if nr_reclaimed > 0:
        nr_reclaimed = let_go(env, set_, nr_reclaimed, evictor, reason, now_s)
        nr_activated = k - nr_kept - nr_reclaimed
    if nr_activated > 0:
        activate(env, set_, nr_activated)
    bins.put_head(env, set_, INACTIVE, REFERENCED, float(nr_kept))
    return nr_reclaimed


@kernel
def scan_cost(env, set_, nr_scanned, nr_reclaimed):
    """CPU seconds of examining and freeing pages of one class."""
    cost = env.cost
    if env.class_[set_.class_id].access == READ:
        return nr_scanned * cost.scan_s + nr_reclaimed * cost.free_s
    return nr_scanned * cost.scan_mapped_s + nr_reclaimed * (cost.free_s + cost.unmap_s)


@inlined
def deactivate(env, set_, now_s, u):
    """Moves the isolated pages of one class from the active tail to the inactive head (or round again).

    Returns how many went round.
    """
    k = set_.isolated_pages
    class_ = env.class_[set_.class_id]
    lruvec = env.lruvec[set_.lruvec]
    rotated = 0
    if class_.access == EXEC:
        rotated = rng.binomial(u, k, exec_young_ratio(env, lruvec, set_, class_, now_s))
    bins.del_tail(env, set_, ACTIVE, k)
    # The flags of what left, per page; a list never holds more fractions than whole pages.
    left = max(env.flag_pages[UNREFERENCED] + env.flag_pages[REFERENCED] + env.flag_pages[FRESH], 1e-300)
    referenced = env.flag_pages[REFERENCED] / left
    moved = k - rotated
    bins.put_head(env, set_, ACTIVE, REFERENCED, rotated * referenced)
    bins.put_head(env, set_, ACTIVE, UNREFERENCED, rotated * (1.0 - referenced))
    bins.put_head(env, set_, INACTIVE, REFERENCED, moved * referenced)
    bins.put_head(env, set_, INACTIVE, UNREFERENCED, moved * (1.0 - referenced))
    bins.resize(env, set_, ACTIVE, -moved)
    bins.resize(env, set_, INACTIVE, moved)
    workingset_age_nonresident(env, lruvec, rotated)
    env.node[set_.nid].vmstat.pgdeactivate += moved
    return rotated
