"""What threads do: read files, stream, hold anonymous memory; and bursts of atomic allocations."""

from .anon import NO_CLASS, add_new, end_wait, free_some, swap_in, touch_held_up
from .compiled import compiled, inlined
from .device import read_s, submit
from .files import get_page, give_back, insert, miss, settle_limits
from .names import ANON_DEMAND, BURST, CHARGE_BATCH, DISK, NOWHERE, READER, STREAM
from .queue import again, schedule
from .reader import begin_op, end_op, touch_on, wake_idle
from .touch import DEMAND_S, catch_up, expect_touch
from .zone import give_page, is_above, take_page, wakeup_kswapd

RETRY_S = 0.001  # after an OOM kill the allocator looks again
FREE_BATCH = 256


@inlined
def run_thread(m, t):
    """A thread's turn: it comes back from the kernel, where memory.high may keep it, and goes on."""
    kept_s = settle_limits(m, t)
    if kept_s > 0.0:
        again(m, t, kept_s)
        return
    kind = m.instance[m.thread[t].instance].kind
    if kind == READER:
        read_on(m, t)
    elif kind == STREAM:
        stream_on(m, t)
    else:
        anon_on(m, t)


@inlined
def read_on(m, t):
    """Goes on with the operation under way: to the next miss or the end."""
    thread = m.thread[t]
    if not begin_op(m, t):
        return
    touch_on(m, t)
    if thread.missed_page == NOWHERE:
        end_op(m, t)
        return
    done, delay_s = miss(m, t, thread.missed_page)
    if done:
        thread.missed_page = NOWHERE
        again(m, t, delay_s)
    elif thread.waits_for == NOWHERE:
        again(m, t, delay_s + RETRY_S)


@compiled
def stream_on(m, t):
    """The next window of new pages."""
    thread = m.thread[t]
    one = m.instance[thread.instance]
    c = m.class_[one.first_class]
    if one.backlog < c.readahead:
        thread.idle = 1
        return
    spent_s = 0.0
    nr_pages = 0
    ready = m.system[0].time_s
    while nr_pages < c.readahead:
        nid, cost_s = get_page(m, t)
        spent_s += cost_s
        if nid == NOWHERE:
            break
        p = m.absent[c.first_page + c.absent - 1]
        insert(m, p, nid, True, ready + read_s(m.device[DISK], c.readahead))
        nr_pages += 1
    one.backlog -= nr_pages
    one.ops += nr_pages
    if nr_pages == 0:
        if thread.waits_for == NOWHERE:
            again(m, t, spent_s + RETRY_S)
        return
    thread.waits_for = NOWHERE
    again(m, t, spent_s + submit(m, DISK, nr_pages))


@compiled
def held(m, one):
    """Pages of a process, resident or swapped out."""
    pages = one.swapped_pages
    for nid in range(m.system[0].nr_nodes):
        pages += one.anon_pages[nid]
    return pages


@compiled
def wanted_pages(m, one):
    """The schedule, and the burst while one is held."""
    now_s = m.system[0].time_s
    last = one.nr_points - 1
    pages = one.point_pages[last]
    for i in range(last):
        if one.point_s[i] <= now_s < one.point_s[i + 1]:
            part = (now_s - one.point_s[i]) / (one.point_s[i + 1] - one.point_s[i])
            pages = one.point_pages[i] + part * (one.point_pages[i + 1] - one.point_pages[i])
    if one.burst_pages > 0 and (now_s + one.phase_s) % one.period_s < one.hold_s:
        pages += one.burst_pages
    return int(pages)


@compiled
def compare_demand(m, w):
    """A process looks at its target: dies, restarts, grows, churns or shrinks; and what it touches next."""
    one = m.instance[w]
    now_s = m.system[0].time_s
    one.churn_due += one.churn_per_s * (now_s - one.churned_s)
    one.churned_s = now_s
    if one.dying:
        free_anon(m, w, int(DEMAND_S / m.system[0].anon_free_s))
        one.dying = int(held(m, one) > 0)
    elif now_s >= one.restart_at_s:
        gap = abs(wanted_pages(m, one) - held(m, one)) + int(one.churn_due)
        wake_idle(m, w, gap // CHARGE_BATCH + min(gap, 1))
    for c in range(one.first_class, one.first_class + one.nr_classes):
        expect_touch(m, c)
    schedule(m, now_s + DEMAND_S, ANON_DEMAND, w)


@compiled
def anon_on(m, t):
    """A page from swap, a batch of faults, of churn, or of frees."""
    thread = m.thread[t]
    w = thread.instance
    one = m.instance[w]
    end_wait(m, t)
    c = touch_held_up(m, w)
    if c != NO_CLASS:
        touch_in_swap(m, t, c)
        return
    gap = 0 if one.dying or m.system[0].time_s < one.restart_at_s else wanted_pages(m, one) - held(m, one)
    if gap > 0:
        got, spent_s = fault_in(m, t, min(gap, CHARGE_BATCH))
    elif gap < 0:
        freed = min(-gap, FREE_BATCH)
        free_anon(m, w, freed)
        again(m, t, freed * m.system[0].anon_free_s)
        return
    elif one.churn_due >= CHARGE_BATCH and not one.dying:
        one.churn_due -= CHARGE_BATCH
        got, spent_s = churn(m, t)
    else:
        thread.idle = 1
        return
    if got == 0:
        if thread.waits_for == NOWHERE:
            again(m, t, spent_s + RETRY_S)
        return
    thread.waits_for = NOWHERE
    again(m, t, spent_s)


@compiled
def touch_in_swap(m, t, c):
    """The thread touches what is in swap: it waits for the page, or for the frame."""
    done, delay_s = swap_in(m, t, c)
    if done:
        m.thread[t].waits_for = NOWHERE
    if done or m.thread[t].waits_for == NOWHERE:
        again(m, t, delay_s + (0.0 if done else RETRY_S))


@compiled
def touch_swapped(m, c):
    """A heat's next touch of a swapped page is due, unless its rate has changed meanwhile."""
    row = m.class_[c]
    row.is_due = 0
    catch_up(m, c)
    if row.next_touch - row.missed_touches > 1e-9:
        expect_touch(m, c)
        return
    row.is_held_up = 1
    wake_idle(m, row.instance, 1)


@compiled
def churn(m, t):
    """A batch touched first, then freed: where pages are listed, the same ones, which reach no list."""
    w = m.thread[t].instance
    if not m.system[0].has_anon_lists:
        got, spent_s = fault_in(m, t, CHARGE_BATCH)
        free_anon(m, w, got)
        return CHARGE_BATCH, spent_s
    spent_s = 0.0
    for _ in range(CHARGE_BATCH):
        nid, cost_s = get_page(m, t)
        spent_s += cost_s
        if nid == NOWHERE:
            break
        m.node[nid].churn_frames += 1
        spent_s += m.system[0].anon_fault_s + settle_limits(m, t)
    for nid in range(m.system[0].nr_nodes):
        for _ in range(m.node[nid].churn_frames):
            give_back(m, nid, m.instance[w].memcg)
        m.node[nid].churn_frames = 0
    return CHARGE_BATCH, spent_s


@compiled
def fault_in(m, t, nr):
    """Anonymous pages touched one by one. (pages, seconds)"""
    one = m.instance[m.thread[t].instance]
    spent_s = 0.0
    for i in range(nr):
        nid, cost_s = get_page(m, t)
        spent_s += cost_s
        if nid == NOWHERE:
            return i, spent_s
        if m.system[0].has_anon_lists:
            add_new(m, m.thread[t].instance, nid)
        else:
            one.anon_pages[nid] += 1
        one.ops += 1.0 / 256.0
        spent_s += m.system[0].anon_fault_s + settle_limits(m, t)
    return nr, spent_s


@compiled
def free_anon(m, w, nr):
    """Pages of a process given back, from each node in proportion."""
    if m.system[0].has_anon_lists:
        free_some(m, w, nr)
        return
    one = m.instance[w]
    have = held(m, one)
    nr = min(nr, have)
    for nid in range(m.system[0].nr_nodes):
        pages = one.anon_pages[nid]
        if pages == 0:
            continue
        part = min(nr * pages // have, pages)
        have -= pages
        nr -= part
        one.anon_pages[nid] -= part
        g = one.memcg
        while g >= 0:
            m.memcg[g].usage_pages -= part
            g = m.memcg[g].parent
        for _ in range(part):
            give_page(m, nid)


@compiled
def burst(m, w):
    """Atomic allocations: taken down to 3/8 of min, held, given back."""
    one = m.instance[w]
    now_s = m.system[0].time_s
    node = m.node[one.cpu_node]
    held = one.anon_pages[one.cpu_node]
    if held > 0:
        one.anon_pages[one.cpu_node] = 0
        node.kernel_pages -= held
        for _ in range(held):
            give_page(m, one.cpu_node)
        schedule(m, now_s + one.period_s - one.hold_s, BURST, w)
        return
    if now_s >= one.stop_s:
        return
    got = 0
    min_pages = node.min_pages - node.boost_pages
    reserve = min_pages - min_pages // 2
    reserve -= reserve // 4
    if not is_above(node, node.low_pages + one.burst_pages - 1):
        wakeup_kswapd(m, one.cpu_node)
    while got < one.burst_pages and is_above(node, reserve):
        take_page(node)
        got += 1
    one.anon_pages[one.cpu_node] += got
    node.kernel_pages += got
    one.ops += 1.0
    if got < one.burst_pages:
        one.lost_ops += 1.0
        node.atomic_fail += 1
    schedule(m, now_s + (one.hold_s if got > 0 else one.period_s), BURST, w)
