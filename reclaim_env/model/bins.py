"""LRU lists as binned FIFOs: how pages enter at the head, leave at the tail, and age between.

A list of one cgroup on one node is NR_BINS bins from head to tail; a bin holds, per class and flag,
a fractional number of pages. Whole pages are kept per class and list (SET.resident_pages), and the
fractions of a class always sum to them.
"""

import math

import numpy as np

from reclaim_env.model.constants import FRESH, NR_BINS, NR_FLAGS
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lanes import (
    at_head,
    greater,
    is_empty,
    lesser,
    load,
    spread,
    store,
    sum_ahead,
    sum_behind,
    total,
    where_positive,
)

# A list is levelled when its head holds so many times its share: seldom, for it mixes neighbours, and by what
# came, not by the clock, or shorter ticks would mix more. The head, where pages are put back, must not become
# the tail.
FULL_HEAD_RATIO = 2.0

# What no rounding of a bin's pages reaches: less is nothing.
NEARLY_NOTHING = 1e-9

_BINS_AHEAD = np.arange(float(NR_BINS))
_BINS_REACHED = np.append(_BINS_AHEAD[1:], np.inf)  # the last bin takes all there is


@kernel
def count_bins(env, lruvec, lst):
    """Pages in each bin of a list -> env.bin_pages; returns their sum."""
    bins = spread(0.0)
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        if env.set_[i].resident_pages[lst] == 0:
            continue
        for flag in range(NR_FLAGS):
            bins = bins + load(env.set_[i].cells[lst, flag])
    store(env.bin_pages, bins)
    return total(bins)


@kernel
def bin_total(env, lruvec, lst, b):
    """Pages in one bin of a list."""
    pages = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        for flag in range(NR_FLAGS):
            pages += env.set_[i].cells[lst, flag, b]
    return pages


@kernel
def sum_bins(env, lruvec, lst):
    """bin_total() of each bin -> env.bin_pages."""
    bins = spread(0.0)
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        for flag in range(NR_FLAGS):
            bins = bins + load(env.set_[i].cells[lst, flag])
    store(env.bin_pages, bins)


@kernel
def cleared_total(env, lruvec, lst, b):
    """Pages in one bin of a list whose young bit was cleared once: the others have no time to count from."""
    pages = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        for flag in range(NR_FLAGS):
            if flag != FRESH:
                pages += env.set_[i].cells[lst, flag, b]
    return pages


@kernel
def sum_cleared(env, lruvec, lst):
    """cleared_total() of each bin -> env.cleared_pages."""
    bins = spread(0.0)
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        for flag in range(NR_FLAGS):
            if flag != FRESH:
                bins = bins + load(env.set_[i].cells[lst, flag])
    store(env.cleared_pages, bins)


@inlined
def aim_tail(env, lruvec, lst, nr_pages):
    """Which part of each bin the nr_pages at the tail are -> taken_ratio.

    A second lap over the short list of one of many members meets what the first put back: there the
    members' common list is taken from its head (env.aims_head).
    """
    sum_bins(env, lruvec, lst)
    inside = load(env.bin_pages)
    nearer = sum_ahead(inside) if env.aims_head else sum_behind(inside)
    left = greater(spread(float(nr_pages)) - nearer, spread(0.0))
    store(env.taken_ratio, lesser(left / greater(inside, spread(NEARLY_NOTHING)), spread(1.0)))


@inlined
def aim_at(env, set_, lst):
    """How much of a class lies in the aimed part of its list, by flag -> aimed_pages of the set."""
    for flag in range(NR_FLAGS):
        set_.aimed_pages[flag] = total(load(set_.cells[lst, flag]) * load(env.taken_ratio))


@inlined
def aimed_total(set_):
    """All flags together."""
    pages = 0.0
    for flag in range(NR_FLAGS):
        pages += set_.aimed_pages[flag]
    return pages


@kernel
def isolate_lru_folios(env, lruvec, lst, nr_pages, u):
    """Picks nr_pages whole pages from a list's tail -> isolated_pages of each class (mm/vmscan.c).

    Classes get what the tail holds of them, rounded so that the sum is exact and the mean unbiased
    (systematic sampling with one uniform). Returns the number picked.
    """
    aim_tail(env, lruvec, lst, nr_pages)
    reached = u
    picked = 0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        set_ = env.set_[i]
        set_.isolated_pages = 0
        if set_.resident_pages[lst] == 0:
            continue
        before = math.floor(reached)
        aim_at(env, set_, lst)
        reached += aimed_total(set_)
        k = min(int(math.floor(reached) - before), set_.resident_pages[lst])
        set_.isolated_pages = k
        picked += k
    return picked


@kernel
def del_tail(env, set_, lst, k):
    """Takes k pages of a class out of the aimed part of its list (and what that part lacks out of the rest).

    What left, by flag -> env.flag_pages. Sizes of lists are the caller's to change.
    """
    aimed = aimed_total(set_)
    resident = set_.resident_pages[lst]
    if k >= resident:
        for flag in range(NR_FLAGS):
            env.flag_pages[flag] = total(load(set_.cells[lst, flag]))
            store(set_.cells[lst, flag], spread(0.0))
        return
    inside = min(1.0, k / aimed) if aimed > 0.0 else 0.0
    stays = spread(1.0) - load(env.taken_ratio) * spread(inside)
    for flag in range(NR_FLAGS):
        env.flag_pages[flag] = set_.aimed_pages[flag] * inside
        store(set_.cells[lst, flag], load(set_.cells[lst, flag]) * stays)
    missing = k - aimed * inside
    if missing > 1e-12:
        del_evenly(env, set_, lst, missing / (resident - aimed * inside))


@inlined
def del_evenly(env, set_, lst, ratio):
    """Takes a part of all a class has on a list; adds what left, by flag, to env.flag_pages."""
    for flag in range(NR_FLAGS):
        cells = load(set_.cells[lst, flag])
        env.flag_pages[flag] += total(cells) * ratio
        store(set_.cells[lst, flag], cells * spread(1.0 - ratio))


@inlined
def put_head(env, set_, lst, flag, pages):
    """Puts pages of a class at a list's head; date_head() says when their young bits were cleared."""
    if pages > 0.0:
        lruvec = env.lruvec[set_.lruvec]
        store(set_.cells[lst, flag], load(set_.cells[lst, flag]) + at_head(pages))
        lruvec.stale[lst] = 1
        if flag != FRESH:
            lruvec.undated_pages[lst] += pages


@kernel
def date_head(env, lruvec, lst, now_s):
    """The young bits of what was put at a list's head count from now_s."""
    pages = lruvec.undated_pages[lst]
    lruvec.undated_pages[lst] = 0.0
    if lruvec.has_mapped and pages > 0.0:
        share = pages / cleared_total(env, lruvec, lst, 0)
        later_s = share * (now_s - lruvec.inserted_s[lst, 0])
        store(lruvec.inserted_s[lst], load(lruvec.inserted_s[lst]) + at_head(later_s))


@kernel
def add_head(env, set_, lst, flag, pages, now_s):
    """Puts pages of a class at a list's head; their young bits count from now_s."""
    put_head(env, set_, lst, flag, pages)
    date_head(env, env.lruvec[set_.lruvec], lst, now_s)


@kernel
def resize(env, set_, lst, pages):
    """Changes the whole-page sizes of the class, its list and its node."""
    set_.resident_pages[lst] += pages
    lruvec = env.lruvec[set_.lruvec]
    lruvec.list_pages[lst] += pages
    lruvec.stale[lst] = 1
    if lruvec.anon:
        env.node[set_.nid].anon_list_pages[lst] += pages
    else:
        env.node[set_.nid].list_pages[lst] += pages


@kernel
def level_bins(env, lruvec, lst):
    """Moves material of a list with a full head across bin borders until all are equal again, in order."""
    if not lruvec.stale[lst]:
        return
    lruvec.stale[lst] = 0
    share = lruvec.list_pages[lst] / NR_BINS
    if share == 0.0 or bin_total(env, lruvec, lst, 0) < FULL_HEAD_RATIO * share:
        return
    share = count_bins(env, lruvec, lst) / NR_BINS
    _cut(env, share)
    if lruvec.has_mapped:
        _sum_times(env, lruvec, lst)
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        if env.set_[i].resident_pages[lst] > 0:
            for flag in range(NR_FLAGS):
                _pour(env, env.set_[i].cells[lst, flag])
    if lruvec.has_mapped:
        _mix_times(env, lruvec, lst)


@inlined
def _cut(env, share):
    """Which parts of each old bin lie in the new ones, of `share` pages each -> poured_ratio."""
    heads = spread(share) * load(_BINS_AHEAD)
    tails = spread(share) * load(_BINS_REACHED)
    before = 0.0
    for b in range(NR_BINS):
        inside = env.bin_pages[b]
        behind = before + inside
        common = lesser(tails, spread(behind)) - greater(heads, spread(before))
        store(env.poured_ratio[b], greater(common, spread(0.0)) * spread(1.0 / max(inside, NEARLY_NOTHING)))
        before = behind


@inlined
def _pour(env, cells):
    """A row of old bins into the new ones."""
    if is_empty(load(cells)):
        return
    poured = spread(0.0)
    for b in range(NR_BINS):
        poured = poured + spread(cells[b]) * load(env.poured_ratio[b])
    store(cells, poured)


@inlined
def _sum_times(env, lruvec, lst):
    """Of what each old bin holds the times, summed -> env.levelled."""
    sum_cleared(env, lruvec, lst)
    store(env.levelled, load(env.cleared_pages) * load(lruvec.inserted_s[lst]))


@inlined
def _mix_times(env, lruvec, lst):
    """The mean time of what each new bin holds."""
    _pour(env, env.levelled)
    sum_cleared(env, lruvec, lst)
    cleared = load(env.cleared_pages)
    mean_s = load(env.levelled) / greater(cleared, spread(NEARLY_NOTHING))
    store(
        lruvec.inserted_s[lst],
        where_positive(cleared - spread(NEARLY_NOTHING), mean_s, load(lruvec.inserted_s[lst])),
    )
