"""Anonymous pages where they can leave: on the lists, in slots, back again (mm/memory.c, mm/swap.c).

A process's pages are those of its heats. Its class of records has room for as many as it will ever hold.
"""

from .chance import below, uniform
from .compiled import compiled
from .device import submit
from .files import get_page, give_back
from .lists import add_head, is_absent, remember, unlink
from .names import ACTIVE_ANON, ANON_TYPE, INACTIVE_ANON, NOWHERE, SWAP
from .shrink import uncharge
from .slots import charge_slot
from .touch import catch_up, catch_up_all, draw_touch, expect_touch
from .workingset import lruvec_of, refault
from .zone import give_page

NO_CLASS = -1


@compiled
def held_of(row):
    """Pages of a heat, resident or swapped out."""
    return row.pages - row.unused


@compiled
def add_new(m, w, nid):
    """A fresh page, young since its fault, of the heat that lacks most to its share of the process."""
    one = m.instance[w]
    held = 1
    for c in range(one.first_class, one.first_class + one.nr_classes):
        held += held_of(m.class_[c])
    best, most = one.first_class, -1.0
    for c in range(one.first_class, one.first_class + one.nr_classes):
        row = m.class_[c]
        lacking = row.share * held - held_of(row)
        if row.unused > 0 and lacking > most:
            best, most = c, lacking
    row = m.class_[best]
    p = m.absent[row.first_page + row.pages - row.unused]
    row.unused -= 1
    put_on_list(m, p, nid, one.memcg, True, False)


@compiled
def put_on_list(m, p, nid, g, is_touched, is_active):
    page = m.page[p]
    catch_up(m, page.class_)
    row = m.class_[page.class_]
    page.referenced, page.young = 0, is_touched
    page.cleared_touches, page.cleared_s = row.use_s * row.touch_per_s, m.system[0].time_s
    add_head(m, p, lruvec_of(m, nid, g), ACTIVE_ANON if is_active else INACTIVE_ANON)
    m.instance[row.instance].anon_pages[nid] += 1


@compiled
def free_some(m, w, nr):
    """A process gives back nr of its pages, any of them."""
    one = m.instance[w]
    catch_up_all(m, w)
    held = 0
    for c in range(one.first_class, one.first_class + one.nr_classes):
        held += held_of(m.class_[c])
    for left in range(held, max(held - nr, 0), -1):
        u = uniform(m) * left
        c = one.first_class
        while u >= held_of(m.class_[c]) and c + 1 < one.first_class + one.nr_classes:
            u -= held_of(m.class_[c])
            c += 1
        free_one(m, one, c)


@compiled
def free_one(m, one, c):
    """Any page of a heat: zap_pte_range(), or swap_free() of one that was never read back."""
    row = m.class_[c]
    p = row.first_page + below(m, row.pages)
    while m.page[p].lru == NOWHERE and m.page[p].absent_at == NOWHERE:
        p = row.first_page + below(m, row.pages)
    if is_absent(m, p):
        nid = m.page[p].shadow // m.system[0].nr_memcgs
        remember(m, p)
        charge_slot(m, one, nid, -1)
    else:
        lruvec, _ = unlink(m, p)
        nid = lruvec // m.system[0].nr_memcgs
        one.anon_pages[nid] -= 1
        uncharge(m, one.memcg)
        give_page(m, nid)
    m.page[p].shadow, m.page[p].workingset, m.page[p].ready_s = NOWHERE, 0, 0.0
    row.unused += 1
    m.absent[row.first_page + row.pages - row.unused] = p


@compiled
def touch_held_up(m, w):
    """A heat whose touch of a swapped page waits for a thread; NO_CLASS: none."""
    one = m.instance[w]
    for c in range(one.first_class, one.first_class + one.nr_classes):
        if m.class_[c].is_held_up:
            return c
    return NO_CLASS


@compiled
def end_wait(m, t):
    """The thread has its page."""
    thread = m.thread[t]
    if not thread.in_op:
        return
    catch_up_all(m, thread.instance)
    one = m.instance[thread.instance]
    thread.in_op = 0
    one.nr_waiting -= 1
    for c in range(one.first_class, one.first_class + one.nr_classes):
        expect_touch(m, c)


@compiled
def swap_in(m, t, c):
    """do_swap_page() of any of the heat's swapped pages. (done?, seconds)"""
    thread, row = m.thread[t], m.class_[c]
    one = m.instance[thread.instance]
    catch_up_all(m, thread.instance)
    if row.absent == 0 or one.dying:  # freed meanwhile
        end_touch(m, c)
        return True, 0.0
    nid, spent_s = get_page(m, t)
    if nid == NOWHERE:
        return False, spent_s
    p = m.absent[row.first_page + below(m, row.absent)]
    begun_s = m.system[0].time_s
    bring(m, p, nid, True)
    nr_pages = 1
    first, last = swap_window(m, row, p)
    for q in range(first, last):
        if m.page[q].absent_at == NOWHERE:
            continue
        nid, cost_s = get_page(m, t)
        spent_s += cost_s
        if nid == NOWHERE:
            thread.waits_for = NOWHERE
            break
        if m.page[q].absent_at == NOWHERE:
            give_back(m, nid, one.memcg)
            continue
        bring(m, q, nid, False)
        nr_pages += 1
    wait_s = submit(m, SWAP, nr_pages) + nr_pages * m.system[0].swap_cpu_s
    for q in range(first, last):
        if m.page[q].ready_s == begun_s and not is_absent(m, q):
            m.page[q].ready_s = begun_s + spent_s + wait_s
    m.node[one.cpu_node].refault_wait_s += wait_s
    m.node[one.cpu_node].pgmajfault += 1
    thread.in_op = 1
    one.nr_waiting += 1
    end_touch(m, c)
    return True, spent_s + wait_s


@compiled
def end_touch(m, c):
    row = m.class_[c]
    row.is_held_up = 0
    draw_touch(m, row)
    expect_touch(m, c)


@compiled
def swap_window(m, row, p):
    """Neighbours in memory that are read along, as far as they are in swap: first, last + 1."""
    width = m.system[0].swap_window
    first = row.first_page + (p - row.first_page) // width * width
    return first, min(first + width, row.first_page + row.pages)


@compiled
def bring(m, p, nid, is_touched):
    """A page leaves its slot for a frame; recent refaults are active."""
    page = m.page[p]
    row = m.class_[page.class_]
    one = m.instance[row.instance]
    home = page.shadow // m.system[0].nr_memcgs
    catch_up(m, page.class_)
    remember(m, p)
    _, recent = refault(m, p, nid, one.memcg, ANON_TYPE)
    charge_slot(m, one, home, -1)
    put_on_list(m, p, nid, one.memcg, is_touched, recent)
    page.ready_s = m.system[0].time_s
    node = m.node[nid]
    node.pswpin += 1
    node.pgpgin += 4
