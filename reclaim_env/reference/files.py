"""File pages: what a read or a fault does to resident ones, and how absent ones come in (mm/filemap.c)."""

from .allocate import alloc_page
from .charge import charge, handle_over_high
from .compiled import compiled, inlined
from .device import submit
from .lists import add_head, is_absent, remember
from .names import ACTIVE, DISK, FILE, INACTIVE, NOWHERE, READ
from .workingset import lruvec_of, refault
from .zone import give_page


@compiled
def get_page(m, t):
    """A charged frame for a thread: (node or NOWHERE, seconds spent)."""
    one = m.instance[m.thread[t].instance]
    nid, spent_s = alloc_page(m, t)
    one.stall_s += spent_s
    m.node[one.cpu_node].stall_s += spent_s
    if nid == NOWHERE:
        return NOWHERE, spent_s
    charged, cost_s = charge(m, t)
    m.node[one.cpu_node].limit_reclaim_s += cost_s
    if not charged:
        give_page(m, nid)
        nid = NOWHERE
    return nid, spent_s + cost_s


@compiled
def settle_limits(m, t):
    """What memory.high asks of the thread before it goes on. Seconds."""
    reclaim_s, sleep_s = handle_over_high(m, t)
    node = m.node[m.instance[m.thread[t].instance].cpu_node]
    node.limit_reclaim_s += reclaim_s
    node.high_delay_s += sleep_s
    return reclaim_s + sleep_s


@inlined
def insert(m, p, nid, is_demanded, ready_s):
    """A page enters the cache. Returns whether it had been evicted before.

    A fault's whole window is mapped young (do_fault_around() on x86); of a read() only what was asked for
    is referenced.
    """
    page = m.page[p]
    c = m.class_[page.class_]
    remember(m, p)
    page.workingset = page.workingset if page.shadow != NOWHERE else 0
    refaulted, recent = refault(m, p, nid, c.memcg, FILE)
    page.referenced = 1 if is_demanded and c.access == READ else 0
    page.young = 1 if c.access != READ else 0
    page.cleared_touches, page.cleared_s = c.touches, m.system[0].time_s
    page.ready_s = ready_s
    add_head(m, p, lruvec_of(m, nid, c.memcg), ACTIVE if recent else INACTIVE)
    node = m.node[nid]
    node.pgpgin += 4
    if is_demanded and c.access != READ:
        node.pgmajfault += 1
    return refaulted


@compiled
def window_of(c, p):
    """First and last page + 1 that a miss of page p reads: round it for a fault, from it on for a read()."""
    first = p if c.access == READ else max(p - c.readahead // 2, c.first_page)
    return first, min(first + c.readahead, c.first_page + c.pages)


@compiled
def miss(m, t, p):
    """Brings page p in, and its window as far as frames are to be had. (done?, seconds)"""
    c = m.class_[m.page[p].class_]
    nid, spent_s = get_page(m, t)
    if nid == NOWHERE:
        return False, spent_s
    if not is_absent(m, p):  # somebody else read it while this thread reclaimed
        give_back(m, nid, c.memcg)
        return True, spent_s
    nr_refaulted = int(insert(m, p, nid, True, m.system[0].time_s))
    nr_pages = 1
    first, last = window_of(c, p)
    for q in range(first, last):
        if not is_absent(m, q):
            continue
        nid, cost_s = get_page(m, t)
        spent_s += cost_s
        if nid == NOWHERE:
            m.thread[t].waits_for = NOWHERE
            break
        if is_absent(m, q):
            nr_refaulted += int(insert(m, q, nid, False, m.system[0].time_s))
            nr_pages += 1
        else:
            give_back(m, nid, c.memcg)
    wait_s = submit(m, DISK, nr_pages)
    lock_window(m, c, p, m.system[0].time_s + spent_s + wait_s)
    m.node[m.instance[c.instance].cpu_node].refault_wait_s += wait_s * nr_refaulted / nr_pages
    return True, spent_s + wait_s


@compiled
def lock_window(m, c, p, ready_s):
    """Pages under read are locked: reclaim puts them back."""
    first, last = window_of(c, p)
    for q in range(first, last):
        if m.page[q].ready_s == m.system[0].time_s and not is_absent(m, q):
            m.page[q].ready_s = ready_s


@compiled
def give_back(m, nid, g):
    """A frame that was not needed after all."""
    while g >= 0:
        m.memcg[g].usage_pages -= 1
        g = m.memcg[g].parent
    give_page(m, nid)
