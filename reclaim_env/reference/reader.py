"""Readers up to their next miss: they need no frame for it, and go on while somebody else reclaims."""

import math

from .chance import below, tries_until, uniform
from .compiled import compiled, inlined
from .lists import add_head, is_absent, unlink
from .names import ACTIVE, NOWHERE, NR_LISTS, READ, READER, STREAM
from .queue import again
from .workingset import age_nonresident


@compiled
def wake_idle(m, w, nr):
    """Up to nr idle threads of an instance have work."""
    one = m.instance[w]
    for t in range(one.first_thread, one.first_thread + one.nr_threads):
        if nr <= 0:
            return
        if m.thread[t].idle:
            m.thread[t].idle = 0
            again(m, t, 0.0)
            nr -= 1


@compiled
def arrive(m, w):
    """An operation of an open loop arrives (of a stream: a window's worth of pages)."""
    one = m.instance[w]
    now_s = m.system[0].time_s
    one.arrival_s = math.inf
    if now_s >= one.stop_s:
        return
    pages = 1.0
    if one.kind == STREAM:
        pages = float(m.class_[one.first_class].readahead)
    one.backlog += pages
    if one.backlog > one.max_backlog:
        one.lost_ops += one.backlog - one.max_backlog
        one.backlog = one.max_backlog
    wake_idle(m, w, 1)
    one.arrival_s = now_s + pages / one.ops_per_s


@inlined
def begin_op(m, t):
    """Whether the thread is in an operation, or has one to do; else it is idle."""
    thread = m.thread[t]
    one = m.instance[thread.instance]
    if thread.in_op:
        return True
    is_wanted = one.ops_per_s == 0.0 or one.backlog >= 1.0
    if m.system[0].time_s >= one.stop_s or not is_wanted:
        thread.idle, thread.at_s = 1, math.inf
        return False
    if one.ops_per_s > 0.0:
        one.backlog -= 1.0
    thread.in_op = 1
    thread.touches_left = math.floor(one.pages_per_op + uniform(m))
    return True


@inlined
def touch_on(m, t):
    """Goes on with the operation under way: touch by touch, to its end or to an absent page."""
    thread = m.thread[t]
    one = m.instance[thread.instance]
    while thread.missed_page == NOWHERE or not is_absent(m, thread.missed_page):
        thread.missed_page = NOWHERE
        if thread.touches_left <= 0.0:
            return
        thread.missed_page = next_miss(m, thread, one) if one.all_mapped else next_touch(m, thread, one)


@compiled
def end_op(m, t):
    one = m.instance[m.thread[t].instance]
    m.thread[t].in_op = 0
    one.ops += 1.0
    again(m, t, one.op_cpu_s + one.think_s)


@inlined
def next_touch(m, thread, one):
    """One touch of one page; that page, if it is absent."""
    thread.touches_left -= 1.0
    u = uniform(m)
    c = one.first_class
    while c + 1 < one.first_class + one.nr_classes and u > m.class_[c].share:
        u -= m.class_[c].share
        c += 1
    row = m.class_[c]
    if not row.on:
        return NOWHERE
    row.touches += 1.0
    p = row.first_page + below(m, row.pages)
    if row.loop:
        p = row.first_page + row.next_page
        row.next_page = (row.next_page + 1) % row.pages
    if not is_absent(m, p) and row.access == READ:
        mark_accessed(m, p)
    return p


@inlined
def mark_accessed(m, p):
    """folio_mark_accessed() of a read()."""
    page = m.page[p]
    if page.referenced == 0:
        page.referenced = 1
        return
    if page.lru % NR_LISTS == ACTIVE:
        return
    lruvec, _ = unlink(m, p)
    page.referenced = 0
    add_head(m, p, lruvec, ACTIVE)
    nid = lruvec // m.system[0].nr_memcgs
    age_nonresident(m, nid, lruvec % m.system[0].nr_memcgs)
    m.node[nid].pgactivate += 1
    m.class_[page.class_].activated += 1


@compiled
def next_miss(m, thread, one):
    """Mapped files leave no trace but young bits: skips all touches up to the next absent page."""
    chance = 0.0
    for c in range(one.first_class, one.first_class + one.nr_classes):
        row = m.class_[c]
        if row.on:
            chance += row.share * row.absent / row.pages
    skipped = thread.touches_left
    if chance > 0.0:
        skipped = min(tries_until(m, chance), thread.touches_left)
    is_missed = skipped < thread.touches_left
    made = skipped + 1.0 if is_missed else skipped
    for c in range(one.first_class, one.first_class + one.nr_classes):
        row = m.class_[c]
        if row.on:
            row.touches += made * row.share
    thread.touches_left -= made
    return absent_page(m, one, uniform(m) * chance) if is_missed else NOWHERE


@compiled
def absent_page(m, one, u):
    """An absent page, the classes in proportion to how often they are missed."""
    found = NOWHERE
    for c in range(one.first_class, one.first_class + one.nr_classes):
        row = m.class_[c]
        if not row.on or row.absent == 0:
            continue
        found = c
        u -= row.share * row.absent / row.pages
        if u <= 0.0:
            break
    row = m.class_[found]
    return m.absent[row.first_page + below(m, row.absent)]


@compiled
def read_meanwhile(m, g):
    """A task has come so far with its reclaim: what the readers of a cgroup have touched till then.

    Whoever is in the kernel touches nothing: who reclaims, waits for a read, or sleeps over memory.high. Who
    misses a page stops there. The miss itself comes when the descent is done, at its own time.
    """
    system = m.system[0]
    now_s = system.time_s
    for w in range(m.instance.shape[0]):
        if m.instance[w].memcg == g and m.instance[w].kind == READER:
            while read_next(m, w, now_s + system.spent_s):
                pass
    system.time_s = now_s


@inlined
def read_next(m, w, until_s):
    """The next arrival or turn of a reader, if it comes by then and needs neither frames nor reclaim."""
    one = m.instance[w]
    next_, at_s = NOWHERE, one.arrival_s
    for t in range(one.first_thread, one.first_thread + one.nr_threads):
        thread = m.thread[t]
        if thread.at_s < at_s and thread.missed_page == NOWHERE and thread.over_high == 0:
            next_, at_s = t, thread.at_s
    if at_s > until_s:
        return False
    m.system[0].time_s = at_s
    if next_ == NOWHERE:
        arrive(m, w)
        return True
    if begin_op(m, next_):
        touch_on(m, next_)
        if m.thread[next_].missed_page == NOWHERE:
            end_op(m, next_)
    return True
