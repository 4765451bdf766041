"""Workloads touch their anonymous memory and read back what was swapped out (mm/memory.c do_swap_page()).

Every page of a heat is touched at its rate while the heat is in use. Threads wait for the pages they miss;
where they are too few for all the misses, everything they do slows down.
"""

import math

from reclaim_env.model import device, rng
from reclaim_env.model.anon_lru import lru_add_swapped_in
from reclaim_env.model.demand import window_pages
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import lru_note_cost
from reclaim_env.model.memcontrol import fault_in
from reclaim_env.model.reader import RATE_MEAN_S, count_latency
from reclaim_env.model.rows import set_row
from reclaim_env.model.swap_slots import charge_swap, fit_pools
from reclaim_env.model.workingset import workingset_age_nonresident, workingset_refault


@kernel
def use_memory(env, w, slice_s, budget_s):
    """One slice of touches. Returns the thread seconds spent waiting for pages from swap."""
    work = env.workload[w]
    work.missed_ops = 0.0
    work.waited_s = 0.0
    nr_ops = 0.0
    recent = -math.expm1(-slice_s / RATE_MEAN_S)
    for c in range(work.first_class, work.first_class + work.nr_classes):
        class_ = env.class_[c]
        class_.rate_per_s = class_.touch_per_s * class_.on
        if class_.absent_pages > 0 and class_.rate_per_s > 0.0:
            swap_in(env, w, c, slice_s, budget_s - work.waited_s)
        if class_.on:
            weight = recent if class_.on_rate_per_s > 0.0 else 1.0
            class_.on_rate_per_s += weight * (class_.rate_per_s - class_.on_rate_per_s)
        nr_ops += class_.pages * class_.rate_per_s * slice_s / work.pages_per_op
    work.ops += nr_ops
    count_latency(work, nr_ops, 0, 0.0)
    return work.waited_s


@inlined
def swap_in(env, w, c, slice_s, budget_s):
    """A heat's swapped pages touched in this slice, with neighbours: as many as the threads can wait for."""
    class_ = env.class_[c]
    u, v, x = rng.uniforms(env, rng.SWAP_INS, c)
    window = window_pages(class_)
    windows = int(math.ceil(class_.absent_pages / window))
    missed = rng.binomial(u, windows, -math.expm1(-class_.rate_per_s * window * slice_s))
    wait_s = device.wait_of_miss(env.swap_device, window) + window * env.swap.page_cpu_s
    demanded = min(missed, rng.round_stochastic(max(budget_s, 0.0) / wait_s, v))
    if demanded < missed:
        class_.rate_per_s *= demanded / missed
    wanted = min(int(demanded * window + 0.5), class_.absent_pages)
    if wanted == 0:
        return
    granted, _ = fault_in(env, w, wanted, budget_s)
    if granted > 0:
        do_swap_page(env, w, c, granted, min(demanded, granted), wait_s, x)


@inlined
def do_swap_page(env, w, c, nr_pages, demanded, wait_s, u):
    """Pages that have their frames (env.granted_pages) come back: device, slots, refault distance, lists."""
    work = env.workload[w]
    device.submit(env.swap_device, float(demanded), nr_pages / demanded)
    _, recent = workingset_refault(env, c, nr_pages, u)
    class_ = env.class_[c]
    class_.refaulted_pages += nr_pages
    class_.activated_pages += recent
    charge_swap(env, class_, -nr_pages)
    fit_pools(env)
    done = 0
    for nid in range(env.nr_nodes):
        got = env.granted_pages[nid]
        if got == 0:
            continue
        reached = done + got
        demanded_here = demanded * reached // nr_pages - demanded * done // nr_pages
        recent_here = recent * reached // nr_pages - recent * done // nr_pages
        done = reached
        put_back(env, w, c, nid, got, demanded_here, recent_here)
    waited_s = demanded * wait_s
    work.missed_ops += demanded
    work.waited_s += waited_s
    work.refault_wait_s += waited_s
    vmstat = env.node[work.cpu_node].vmstat
    vmstat.refault_wait_s += waited_s
    vmstat.workingset_wait_s += waited_s  # a swap-in is a memory stall, recent or not
    vmstat.read_wait_s += waited_s


@inlined
def put_back(env, w, c, nid, nr_pages, demanded, recent):
    """Those of one node: on their lists and in the books."""
    work = env.workload[w]
    memcg = env.memcg[work.memcg]
    set_ = env.set_[set_row(env, nid, c)]
    lruvec = env.lruvec[set_.lruvec]
    lru_add_swapped_in(env, set_, nr_pages, demanded, recent)
    work.anon_pages[nid] += nr_pages
    memcg.anon_pages[nid] += nr_pages
    memcg.workingset_refault_anon += nr_pages
    pgdat = env.node[nid]
    vmstat = pgdat.vmstat
    vmstat.pswpin += nr_pages
    vmstat.pgpgin += nr_pages * 4
    vmstat.pgmajfault += demanded
    vmstat.workingset_refault_anon += nr_pages
    vmstat.workingset_activate_anon += recent
    if recent == 0:
        return
    workingset_age_nonresident(env, lruvec, recent)
    lru_note_cost(env, lruvec, recent, 0)
    pgdat.workingset_activate_anon += recent
    g = work.memcg
    while g >= 0:
        env.lruvec[nid * env.nr_memcgs + g].workingset_activate_anon += recent
        g = env.memcg[g].parent
