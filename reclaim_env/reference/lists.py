"""Intrusive lists of pages, one for each cgroup, node, type, and activity (include/linux/mm_inline.h)."""

from .compiled import compiled
from .names import NOWHERE, NR_LISTS


@compiled
def add_head(m, p, lruvec, lst):
    """A page that is on no list becomes the youngest of one."""
    page, row = m.page[p], m.lruvec[lruvec]
    page.lru = NR_LISTS * lruvec + lst
    page.prev = NOWHERE
    page.next = row.head[lst]
    if row.head[lst] == NOWHERE:
        row.tail[lst] = p
    else:
        m.page[row.head[lst]].prev = p
    row.head[lst] = p
    row.pages[lst] += 1
    m.node[lruvec // m.system[0].nr_memcgs].list_pages[lst] += 1


@compiled
def unlink(m, p):
    """A page leaves its list. Returns (lruvec, list) it was on."""
    page = m.page[p]
    lruvec, lst = page.lru // NR_LISTS, page.lru % NR_LISTS
    row = m.lruvec[lruvec]
    if page.prev == NOWHERE:
        row.head[lst] = page.next
    else:
        m.page[page.prev].next = page.next
    if page.next == NOWHERE:
        row.tail[lst] = page.prev
    else:
        m.page[page.next].prev = page.prev
    row.pages[lst] -= 1
    m.node[lruvec // m.system[0].nr_memcgs].list_pages[lst] -= 1
    page.lru = NOWHERE
    return lruvec, lst


@compiled
def is_absent(m, p):
    return m.page[p].lru == NOWHERE


@compiled
def forget(m, p):
    """A page that left memory is among its class's absent ones (of a stream: a slot to use again)."""
    c = m.class_[m.page[p].class_]
    m.absent[c.first_page + c.absent] = p
    m.page[p].absent_at = c.absent
    c.absent += 1


@compiled
def remember(m, p):
    """An absent page gets a frame."""
    c = m.class_[m.page[p].class_]
    c.absent -= 1
    last = m.absent[c.first_page + c.absent]
    at = m.page[p].absent_at
    m.absent[c.first_page + at] = last
    m.page[last].absent_at = at
    m.page[p].absent_at = NOWHERE
