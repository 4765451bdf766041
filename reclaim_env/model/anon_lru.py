"""Anonymous pages enter and leave their lists, where these exist (mm/swap.c, mm/memory.c).

A workload's pages are those of its heats: what is touched alike. New pages keep the heats' shares; what a
workload frees is a random part of all it has, resident or swapped out.
"""

from reclaim_env.model import bins
from reclaim_env.model.constants import (
    ACTIVE,
    FRESH,
    INACTIVE,
    NR_COHORTS,
    NR_EVICTORS,
    NR_LISTS,
    UNREFERENCED,
)
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import both_lists
from reclaim_env.model.page_alloc import free_anon
from reclaim_env.model.rows import set_row
from reclaim_env.model.swap_slots import charge_swap, fit_pools


@kernel
def lru_add_new(env, w):
    """Fresh pages (env.granted_pages, booked already) at the inactive head, young since their fault."""
    work = env.workload[w]
    held = work.swapped_pages
    for nid in range(env.nr_nodes):
        held += work.anon_pages[nid]
    last = work.first_class + work.nr_classes - 1
    for nid in range(env.nr_nodes):
        left = env.granted_pages[nid]
        room = 0.0
        for c in range(work.first_class, last + 1):
            room += lacking_pages(env.class_[c], held)
        for c in range(work.first_class, last + 1):
            class_ = env.class_[c]
            lacking = lacking_pages(class_, held)
            part = left if c == last or room <= 0.0 else min(int(left * lacking / room + 0.5), left)
            room -= lacking
            left -= part
            if part > 0:
                set_ = env.set_[set_row(env, nid, c)]
                class_.pages += part
                bins.resize(env, set_, INACTIVE, part)
                bins.add_head(env, set_, INACTIVE, FRESH, float(part), env.now_s)


@inlined
def lacking_pages(class_, held_pages):
    """What a heat lacks to its share of the workload's pages."""
    return max(class_.share_ratio * held_pages - class_.pages, 0.0)


@kernel
def lru_add_swapped_in(env, set_, nr_pages, demanded, recent):
    """Pages read back on one node: recent refaults are active, what came along is untouched."""
    touched = max(demanded - recent, 0)
    bins.resize(env, set_, INACTIVE, nr_pages - recent)
    bins.add_head(env, set_, INACTIVE, FRESH, float(touched), env.now_s)
    bins.add_head(env, set_, INACTIVE, UNREFERENCED, float(nr_pages - recent - touched), env.now_s)
    bins.resize(env, set_, ACTIVE, recent)
    bins.add_head(env, set_, ACTIVE, FRESH, float(recent), env.now_s)


@kernel
def free_listed(env, w, held, nr_pages):
    """Frees nr_pages of the `held` ones of a workload, from every heat, node and slot in proportion."""
    work = env.workload[w]
    left = min(nr_pages, held)
    for c in range(work.first_class, work.first_class + work.nr_classes):
        class_ = env.class_[c]
        for nid in range(env.nr_nodes):
            set_ = env.set_[set_row(env, nid, c)]
            pages = both_lists(set_.resident_pages)
            if pages == 0:
                continue
            part = left * pages // held
            held -= pages
            left -= part
            if part > 0:
                lru_del(env, set_, part)
                class_.pages -= part
                free_anon(env, w, nid, part)
        pages = class_.absent_pages
        if pages > 0:
            part = left * pages // held
            held -= pages
            left -= part
            free_slots(env, c, part)
    fit_pools(env)


@inlined
def lru_del(env, set_, nr_pages):
    """Takes pages of a heat off both its lists, from anywhere on them."""
    resident = both_lists(set_.resident_pages)
    for lst in range(NR_LISTS):
        pages = set_.resident_pages[lst]
        if pages == 0:
            continue
        part = nr_pages * pages // resident
        resident -= pages
        nr_pages -= part
        bins.del_evenly(env, set_, lst, part / pages)
        bins.resize(env, set_, lst, -part)


@inlined
def free_slots(env, c, nr_pages):
    """swap_free() of pages that were never read back: their slots and shadows are gone."""
    class_ = env.class_[c]
    absent = class_.absent_pages
    left = nr_pages
    for nid in range(env.nr_nodes):
        shadows = env.set_[set_row(env, nid, c)].shadow_pages
        for evictor in range(NR_EVICTORS):
            for cohort in range(NR_COHORTS):
                pages = shadows[evictor, cohort]
                if pages == 0:
                    continue
                part = left * pages // absent
                absent -= pages
                left -= part
                shadows[evictor, cohort] -= part
    class_.absent_pages -= nr_pages
    class_.pages -= nr_pages
    charge_swap(env, class_, -nr_pages)
