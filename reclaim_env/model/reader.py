"""File workloads: readers of popularity classes and one-touch streams (mm/filemap.c, mm/readahead.c)."""

import math

from reclaim_env.model import arrivals, device, latency, rng
from reclaim_env.model.constants import READ, STREAM
from reclaim_env.model.demand import begin_slice, is_running, window_pages
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.memcontrol import fault_in
from reclaim_env.model.workingset import workingset_refault

# A young bit remembers the touches since it was last cleared: over laps, not over one stalled slice.
RATE_MEAN_S = 0.1


@kernel
def run_reader(env, w, slice_s):
    """One slice of a reader: touch, miss, wait, count operations."""
    work = env.workload[w]
    work.is_due = 0
    budget_s = begin_slice(work, slice_s)
    stalls_before = work.allocstall
    lost_s = 0.0
    is_on = 0
    recent = -math.expm1(-slice_s / RATE_MEAN_S)
    for c in range(work.first_class, work.first_class + work.nr_classes):
        class_ = env.class_[c]
        class_.rate_per_s = (
            work.throughput_per_s * work.pages_per_op * class_.share_ratio / class_.pages * class_.on
        )
        class_.hits_s += class_.rate_per_s * slice_s
        if class_.on:
            weight = recent if class_.on_rate_per_s > 0.0 else 1.0
            class_.on_rate_per_s += weight * (class_.rate_per_s - class_.on_rate_per_s)
            is_on = 1
        if class_.absent_pages > 0 and class_.rate_per_s > 0.0:
            lost_s += miss(env, w, c, class_.absent_pages, slice_s, budget_s - lost_s, c)
        class_.unasked_pages = class_.absent_pages
    nr_ops = work.throughput_per_s * slice_s * is_on  # an operation leaves out the silent ones of its files
    finish_ops(env, work, nr_ops, slice_s)
    count_latency(work, nr_ops, work.allocstall - stalls_before, lost_s)
    work.missed_ops = 0.0
    work.waited_s = 0.0


@inlined
def miss(env, w, c, absent_pages, time_s, budget_s, draw):
    """A class's absent pages touched in time_s, and those read ahead with them. Returns seconds lost."""
    class_ = env.class_[c]
    u, v, _ = rng.uniforms(env, rng.MISSES, draw)
    if class_.loop:  # a file read in order misses what is absent before it finds what is there
        window = class_.readahead_pages
        touched = rng.round_stochastic(class_.rate_per_s * time_s * class_.pages / window, u) * window
        demanded = min(touched, absent_pages)
        wanted = demanded
    else:
        window = window_pages(class_)
        windows = int(math.ceil(absent_pages / window))
        demanded = draw_misses(env, u, windows, -math.expm1(-class_.rate_per_s * window * time_s))
        wanted = min(int(demanded * window + 0.5), absent_pages)
    if demanded == 0:
        return 0.0
    granted, lost_s = fault_in(env, w, wanted, budget_s)
    if granted > 0:
        read_pages(env, w, c, granted, min(demanded, granted), v)
    return lost_s


@inlined
def draw_misses(env, u, windows, ratio):
    """Windows missed: at random, but at the device's pace where readers wait for it."""
    if env.device.queue_s > 0.0:
        return min(rng.round_stochastic(windows * ratio, u), windows)
    return rng.binomial(u, windows, ratio)


@inlined
def read_pages(env, w, c, nr_pages, demanded, u):
    """The I/O for pages that have their frames: refault detection, device, counters, arrival."""
    class_ = env.class_[c]
    work = env.workload[w]
    nr_ios = demanded / class_.readahead_pages if class_.loop else float(demanded)
    wait_s = device.wait_of_miss(env.device, nr_pages / nr_ios)
    device.submit(env.device, nr_ios, nr_pages / nr_ios)
    refaulted, recent = workingset_refault(env, c, nr_pages, u)
    refault_wait_s = nr_ios * wait_s * refaulted / nr_pages
    work.missed_ops += nr_ios
    work.waited_s += nr_ios * wait_s
    work.refault_wait_s += refault_wait_s
    spread(env, c, nr_pages, nr_ios, demanded, refaulted, recent)
    vmstat = env.node[work.cpu_node].vmstat
    vmstat.refault_wait_s += refault_wait_s
    vmstat.workingset_wait_s += nr_ios * wait_s * recent / nr_pages
    vmstat.read_wait_s += nr_ios * wait_s


@kernel
def spread(env, c, nr_pages, nr_ios, demanded, refaulted, recent):
    """Shares pages and what is known of them out to the nodes that gave the frames."""
    class_ = env.class_[c]
    memcg = env.memcg[class_.memcg]
    done = 0
    for nid in range(env.nr_nodes):
        got = env.granted_pages[nid]
        if got == 0:
            continue
        reached = done + got
        demanded_here = demanded * reached // nr_pages - demanded * done // nr_pages
        refaulted_before = refaulted * done // nr_pages
        refaulted_reached = refaulted * reached // nr_pages
        refaulted_here = refaulted_reached - refaulted_before
        recent_here = recent * refaulted_reached // max(refaulted, 1)
        recent_here -= recent * refaulted_before // max(refaulted, 1)
        done = reached
        windows = max(int(nr_ios * got / nr_pages + 0.5), 1)
        arrivals.expect(env, env.set_[nid * env.nr_classes + c], got, windows, demanded_here, recent_here)
        vmstat = env.node[nid].vmstat
        vmstat.pgpgin += got * 4
        vmstat.pgmajfault += 0 if class_.access == READ else demanded_here
        vmstat.workingset_refault_file += refaulted_here
        vmstat.workingset_activate_file += recent_here
        vmstat.bystander_refault_pages += refaulted_here * memcg.bystander
    memcg.workingset_refault_file += refaulted
    memcg.workingset_activate_file += recent
    class_.refaulted_pages += refaulted
    class_.activated_pages += recent


@kernel
def finish_ops(env, work, nr_ops, slice_s):
    """Counts operations done; an open loop keeps a bounded backlog and loses the rest.

    Before its start and after its stop nobody asks for any.
    """
    work.ops += nr_ops
    if work.ops_per_s <= 0.0 or not is_running(env, work):
        return
    work.backlog_ops = max(work.backlog_ops + (work.ops_per_s - work.throughput_per_s) * slice_s, 0.0)
    if work.backlog_ops > work.max_backlog_ops:
        work.lost_ops += work.backlog_ops - work.max_backlog_ops
        work.backlog_ops = work.max_backlog_ops


@kernel
def count_latency(work, nr_ops, nr_stalls, lost_s):
    """Operations by latency: those that hit, those that waited for the device, those stalled as well."""
    if nr_ops <= 0.0:
        return
    base_s = work.op_cpu_s
    if work.backlog_ops > 0.0:
        base_s += work.backlog_ops / max(work.throughput_per_s, 1e-9)
    missed = nr_ops * -math.expm1(-work.missed_ops / nr_ops)
    waited_s = work.waited_s / missed if missed > 0.0 else 0.0
    stalled = min(float(max(nr_stalls, 1)), max(missed, 1e-9)) if lost_s > 0.0 else 0.0
    latency.record(work, base_s, nr_ops - missed)
    latency.record(work, base_s + waited_s, missed - stalled)
    if stalled > 0.0:
        latency.record(work, base_s + waited_s + lost_s / max(nr_stalls, 1), stalled)


@inlined
def begin_streams(env):
    """Streams are not in step: each has a part of its first window."""
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.kind == STREAM:
            window = env.class_[work.first_class].readahead_pages
            work.carry_pages = window * rng.timeless_uniform(env, rng.PHASES, 2048 + w, 0)


@kernel
def run_stream(env, w, slice_s):
    """One slice of a one-touch stream: new pages, whole windows, never read again."""
    work = env.workload[w]
    budget_s = begin_slice(work, slice_s)
    work.missed_ops = 0.0
    work.waited_s = 0.0
    c = work.first_class
    class_ = env.class_[c]
    window = class_.readahead_pages
    begun_windows = work.carry_pages / window
    work.carry_pages += work.throughput_per_s * slice_s
    wanted = int(work.carry_pages / window) * window
    work.carry_pages -= wanted
    stalls_before = work.allocstall
    granted, lost_s = fault_in(env, w, wanted, budget_s)
    if granted > 0:
        nr_ios = granted / window
        work.missed_ops = nr_ios
        work.waited_s = nr_ios * device.wait_of_miss(env.device, window)
        env.node[work.cpu_node].vmstat.read_wait_s += work.waited_s
        device.submit(env.device, nr_ios, window)
        spread(env, c, granted, nr_ios, granted, 0, 0)
        arrivals.set_pace(env, c, begun_windows, work.throughput_per_s * slice_s / window)
    # What was planned and not granted stays in the backlog; the part of a window is carried already.
    work.throughput_per_s -= (wanted - granted) / slice_s
    finish_ops(env, work, float(granted), slice_s)
    count_latency(work, granted / window, work.allocstall - stalls_before, lost_s)
