"""LRU lists as binned FIFOs (KM 11.2): how pages enter at the head, leave at the tail, and age between.

A list of one cgroup on one node is NR_BINS bins from head to tail; a bin holds, per class and flag,
a fractional number of pages. Whole pages are kept per class and list (SET.resident_pages), and the
fractions of a class always sum to them.
"""

import math

from reclaim_env.model.constants import NR_BINS, NR_FLAGS
from reclaim_env.model.kernel import inlined, kernel

# Bins are levelled when one strays this far from its share: often enough to age pages in order, seldom
# enough not to mix neighbours without need. Under a scan what matters is that pages put back a moment
# ago do not lie at the tail.
STRAY_RATIO = 0.125
STRAY_IN_SCAN_RATIO = 0.5


@kernel
def count_bins(env, lruvec, lst):
    """Pages in each bin of a list -> env.bin_pages; returns their sum."""
    bins = env.bin_pages
    for b in range(NR_BINS):
        bins[b] = 0.0
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        cells = env.set_[i].cells
        if env.set_[i].resident_pages[lst] == 0:
            continue
        for flag in range(NR_FLAGS):
            for b in range(NR_BINS):
                bins[b] += cells[lst, flag, b]
    total = 0.0
    for b in range(NR_BINS):
        total += bins[b]
    return total


@inlined
def aim_tail(env, lruvec, lst, nr_pages):
    """Which part of each bin the nr_pages at the tail are -> env.taken_ratio.

    A second lap over the short list of one of many members meets what the first put back: there the
    members' common list is taken from its head (env.aims_head).
    """
    count_bins(env, lruvec, lst)
    left = float(nr_pages)
    for i in range(NR_BINS):
        b = i if env.aims_head else NR_BINS - 1 - i
        inside = env.bin_pages[b]
        if left <= 0.0 or inside <= 0.0:
            env.taken_ratio[b] = 0.0
        elif inside <= left:
            env.taken_ratio[b] = 1.0
            left -= inside
        else:
            env.taken_ratio[b] = left / inside
            left = 0.0


@kernel
def aimed_pages(env, set_, lst):
    """How much of a class lies in the aimed part of the tail; by flag -> env.flag_pages."""
    total = 0.0
    for flag in range(NR_FLAGS):
        part = 0.0
        for b in range(NR_BINS):
            part += set_.cells[lst, flag, b] * env.taken_ratio[b]
        env.flag_pages[flag] = part
        total += part
    return total


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
        reached += aimed_pages(env, set_, lst)
        k = min(int(math.floor(reached) - before), set_.resident_pages[lst])
        set_.isolated_pages = k
        picked += k
    return picked


@kernel
def del_tail(env, set_, lst, k):
    """Takes k pages of a class out of the aimed part of its list (and what that part lacks out of the rest).

    What left, by flag -> env.flag_pages. Sizes of lists are the caller's to change.
    """
    aimed = aimed_pages(env, set_, lst)
    resident = set_.resident_pages[lst]
    if k >= resident:
        for flag in range(NR_FLAGS):
            left = 0.0
            for b in range(NR_BINS):
                left += set_.cells[lst, flag, b]
                set_.cells[lst, flag, b] = 0.0
            env.flag_pages[flag] = left
        return
    inside = min(1.0, k / aimed) if aimed > 0.0 else 0.0
    missing = k - aimed * inside
    rest = resident - aimed * inside
    outside = missing / rest if missing > 1e-12 and rest > 0.0 else 0.0
    for flag in range(NR_FLAGS):
        left = 0.0
        for b in range(NR_BINS):
            pages = set_.cells[lst, flag, b]
            gone = pages * env.taken_ratio[b] * inside
            gone += (pages - gone) * outside
            set_.cells[lst, flag, b] = pages - gone
            left += gone
        env.flag_pages[flag] = left


@kernel
def add_head(env, set_, lst, flag, pages, now_s):
    """Puts pages of a class at a list's head; their young bits count from now_s."""
    if pages <= 0.0:
        return
    lruvec = env.lruvec[set_.lruvec]
    set_.cells[lst, flag, 0] += pages
    lruvec.stale[lst] = 1
    if lruvec.has_mapped:
        share = pages * NR_BINS / (lruvec.list_pages[lst] + pages * NR_BINS)
        lruvec.inserted_s[lst, 0] += share * (now_s - lruvec.inserted_s[lst, 0])


@kernel
def resize(env, set_, lst, pages):
    """Changes the whole-page sizes of the class, its list and its node."""
    set_.resident_pages[lst] += pages
    lruvec = env.lruvec[set_.lruvec]
    lruvec.list_pages[lst] += pages
    lruvec.stale[lst] = 1
    env.node[set_.nid].list_pages[lst] += pages


@kernel
def level_bins(env, lruvec, lst, stray_ratio):
    """Moves material across bin borders until all bins of a list that changed are equal again, in order."""
    if not lruvec.stale[lst]:
        return
    if lruvec.list_pages[lst] <= 0:
        return
    total = count_bins(env, lruvec, lst)
    share = total / NR_BINS
    strayed = False
    for b in range(NR_BINS):
        strayed |= abs(env.bin_pages[b] - share) > stray_ratio * share
    lruvec.stale[lst] = not strayed and stray_ratio > STRAY_RATIO  # a stricter look may find it strayed
    if not strayed:
        return
    nr_segments = _cut_segments(env, share)
    for i in range(lruvec.first_set, lruvec.first_set + lruvec.nr_sets):
        if env.set_[i].resident_pages[lst] > 0:
            for flag in range(NR_FLAGS):
                _pour_segments(env, env.set_[i].cells[lst, flag], nr_segments)
    if lruvec.has_mapped:
        _mix_times(env, lruvec, lst, share, nr_segments)


@inlined
def _cut_segments(env, share):
    """Overlaps of the old bins with the new, equal ones, from head to tail: at most 2 * NR_BINS - 1."""
    nr = 0
    to = 0
    room = share
    for b in range(NR_BINS):
        inside = env.bin_pages[b]
        left = inside
        while left > 0.0:
            part = left if to == NR_BINS - 1 else min(left, room)
            env.segment_from[nr] = b
            env.segment_to[nr] = to
            env.segment_ratio[nr] = part / inside
            nr += 1
            left -= part
            room -= part
            if room <= 0.0 and to < NR_BINS - 1:
                to += 1
                room = share
    return nr


@inlined
def _pour_segments(env, cells, nr_segments):
    poured = env.levelled
    for b in range(NR_BINS):
        poured[b] = 0.0
    for j in range(nr_segments):
        poured[env.segment_to[j]] += env.segment_ratio[j] * cells[env.segment_from[j]]
    for b in range(NR_BINS):
        cells[b] = poured[b]


@inlined
def _mix_times(env, lruvec, lst, share, nr_segments):
    mixed = env.levelled
    for b in range(NR_BINS):
        mixed[b] = 0.0
    for j in range(nr_segments):
        b = env.segment_from[j]
        pages = env.segment_ratio[j] * env.bin_pages[b]
        mixed[env.segment_to[j]] += pages / share * lruvec.inserted_s[lst, b]
    for b in range(NR_BINS):
        lruvec.inserted_s[lst, b] = mixed[b]
