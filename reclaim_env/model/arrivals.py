"""Pages that were read in this slice, on their way to the lists (mm/filemap.c, mm/swap.c).

A slice may hold several short kswapd runs; the windows read during it come one after the other, so each
run finds those that came before it. Pages that all came at the slice's border would make every later
run look fruitless; pages that came one by one, and not a window at a time, hardly any.
"""

import math

from reclaim_env.model import bins, rng
from reclaim_env.model.constants import ACTIVE, FRESH, INACTIVE, READ, REFERENCED, UNREFERENCED
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import lru_note_cost
from reclaim_env.model.workingset import workingset_age_nonresident


@inlined
def expect(env, set_, nr_pages, nr_windows, nr_demanded, nr_active):
    """Notes pages that have their frames and will be on the lists before the slice ends, in windows."""
    set_.arriving_pages += nr_pages
    set_.arriving_windows += nr_windows
    set_.arriving_demanded_pages += nr_demanded
    set_.arriving_active_pages += nr_active
    count_windows(env, set_, nr_windows)


@inlined
def count_windows(env, set_, nr_windows):
    """Windows on their way to a node: a stream's come at its pace, a reader's when a page is missed."""
    pgdat = env.node[set_.nid]
    if env.class_[set_.class_id].one_touch:
        pgdat.paced_windows += nr_windows
    else:
        pgdat.arriving_windows += nr_windows


@inlined
def set_pace(env, c, begun_windows, windows):
    """What a stream had of a window when the slice began, and how many it reads in it."""
    for nid in range(env.nr_nodes):
        set_ = env.set_[nid * env.nr_classes + c]
        set_.begun_windows = begun_windows
        set_.pace_windows = windows


@kernel
def deliver(env, nid, ratio):
    """Puts on the lists what has arrived by this part of the slice."""
    pgdat = env.node[nid]
    if ratio <= pgdat.arrived_ratio:
        return
    if pgdat.paced_windows > 0:
        deliver_paced(env, nid, ratio)
    if pgdat.arriving_windows > 0:
        deliver_missed(env, pgdat, nid, ratio)
    pgdat.arrived_ratio = ratio


@inlined
def deliver_paced(env, nid, ratio):
    """Windows of streams are evenly apart: of one spread over nodes the last ones come to each."""
    for c in range(env.nr_classes):
        set_ = env.set_[nid * env.nr_classes + c]
        k = set_.arriving_windows
        if k == 0 or not env.class_[c].one_touch:
            continue
        if ratio < 1.0:
            k -= int(set_.begun_windows + set_.pace_windows)
            k += int(set_.begun_windows + set_.pace_windows * ratio)
        if k > 0:
            lru_add(env, set_, k, env.time_s)


@inlined
def deliver_missed(env, pgdat, nid, ratio):
    """Windows of readers come at some moment of the slice each."""
    part = 1.0 if ratio >= 1.0 else (ratio - pgdat.arrived_ratio) / (1.0 - pgdat.arrived_ratio)
    env.nr_scans += 1
    u, v, _ = rng.uniforms(env, rng.ARRIVALS, env.nr_scans)
    due = rng.binomial(u, pgdat.arriving_windows, part)
    if due == 0:
        return
    each = due / pgdat.arriving_windows
    reached = v
    for c in range(env.nr_classes):
        set_ = env.set_[nid * env.nr_classes + c]
        if set_.arriving_windows == 0 or env.class_[c].one_touch:
            continue
        before = math.floor(reached)
        reached += set_.arriving_windows * each
        k = set_.arriving_windows
        if part < 1.0:
            k = min(int(math.floor(reached) - before), k)
        if k > 0:
            lru_add(env, set_, k, env.time_s)


@inlined
def deliver_set(env, set_):
    """Puts on its lists at once all that a class has read on a node."""
    k = set_.arriving_windows
    if k > 0:
        lru_add(env, set_, k, env.now_s)


@inlined
def lru_add(env, set_, nr_windows, now_s):
    """Windows of a class enter their lists, as many pages as others: recent refaults the active one.

    A page that was read is referenced by that; what came with it is not. A fault maps the pages around it
    too, and x86 maps them young (do_fault_around()): of a mapped file the whole window counts as touched.
    """
    of = set_.arriving_pages
    k = of * nr_windows // set_.arriving_windows
    set_.arriving_windows -= nr_windows
    count_windows(env, set_, -nr_windows)
    active = k * set_.arriving_active_pages // of
    demanded = max(k * set_.arriving_demanded_pages // of, active)
    set_.arriving_pages -= k
    set_.arriving_active_pages -= active
    set_.arriving_demanded_pages = max(set_.arriving_demanded_pages - demanded, 0)
    class_ = env.class_[set_.class_id]
    mapped = class_.access != READ
    touched = FRESH if mapped else REFERENCED
    inactive_touched = k - active if mapped else demanded - active
    bins.resize(env, set_, INACTIVE, k - active)
    bins.add_head(env, set_, INACTIVE, UNREFERENCED, float(k - active - inactive_touched), now_s)
    bins.add_head(env, set_, INACTIVE, touched, float(inactive_touched), now_s)
    if active > 0:
        bins.resize(env, set_, ACTIVE, active)
        bins.add_head(env, set_, ACTIVE, touched, float(active), now_s)
        workingset_age_nonresident(env, env.lruvec[set_.lruvec], active)
        lruvec = env.lruvec[set_.lruvec]
        if env.nr_anon_classes > 0:
            lru_note_cost(env, lruvec, active, 0)
        env.node[set_.nid].workingset_activate += active
        g = lruvec.memcg
        while g >= 0:
            env.lruvec[set_.nid * env.nr_memcgs + g].workingset_activate += active
            g = env.memcg[g].parent
