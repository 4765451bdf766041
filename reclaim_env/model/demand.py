"""How fast readers and streams go, given what misses cost now (closed loops by Little's law).

Threads cycle through think time, computing, and waiting for misses; threads that are stalled or asleep by
order of memory.high do not cycle. When all together want more than the device gives, each miss waits
longer until they do not.
"""

import math

from reclaim_env.model.constants import READER, STREAM
from reclaim_env.model.device import read_s, wait_of_miss
from reclaim_env.model.kernel import inlined, kernel

NEWTON_STEPS = 2
QUEUE_STEPS = 3
QUEUE_STRAY_RATIO = 0.02  # of a slice: the queue is found as near


@inlined
def is_running(env, work):
    """Is the workload's time now?"""
    return work.start_s <= env.time_s < work.stop_s


@kernel
def free_threads(work, slice_s):
    """Threads not stalled or asleep in this slice (as many as were lost in the last one)."""
    lost = work.stalled_s / slice_s
    asleep = min(work.sleep_debt_s / slice_s, work.threads)
    return max(work.threads - lost - asleep, 0.0)


@inlined
def begin_slice(work, slice_s):
    """Thread seconds a workload has in this slice.

    What it lost beyond its time, asleep behind a slow swap device, is lost of the slices that follow.
    """
    budget_s = free_threads(work, slice_s) * slice_s
    work.stalled_s = max(work.stalled_s - work.threads * slice_s, 0.0)
    return budget_s


@inlined
def window_pages(class_):
    """Absent pages that one miss brings, itself among them: those present in the window are skipped."""
    return 1.0 + (class_.readahead_pages - 1.0) * class_.absent_pages / class_.pages


@kernel
def distinct_misses(env, work, ops_per_s, slice_s):
    """What a slice's misses at ops_per_s cost: (device seconds, waiting thread seconds, its derivative).

    A page is missed once: the reads that follow find it.
    """
    device_s = 0.0
    waiting_s = 0.0
    slope = 0.0
    for c in range(work.first_class, work.first_class + work.nr_classes):
        class_ = env.class_[c]
        if class_.absent_pages == 0 or not class_.on:
            continue
        per_op = work.pages_per_op * class_.share_ratio / class_.pages  # touches of each page
        if class_.loop:
            window = class_.readahead_pages
            touched = class_.pages * per_op * slice_s * ops_per_s
            misses = min(touched, float(class_.absent_pages)) / window
            growth = class_.pages * per_op * slice_s / window if touched < class_.absent_pages else 0.0
        else:
            window = window_pages(class_)
            untouched = math.exp(-per_op * window * slice_s * ops_per_s)
            misses = class_.absent_pages / window * (1.0 - untouched)
            growth = class_.absent_pages * per_op * slice_s * untouched
        wait_s = wait_of_miss(env.device, window)
        waiting_s += misses * wait_s
        device_s += misses * read_s(env.device, window)
        slope += growth * wait_s
    return device_s, waiting_s, slope


@inlined
def reader_rate(env, work, slice_s):
    """Operations per second a reader's threads reach: X (think + cpu) + waiting(X) = threads."""
    threads = free_threads(work, slice_s)
    cycle_s = work.op_cpu_s + work.think_s
    wanted = threads / cycle_s
    if work.ops_per_s > 0.0:
        wanted = min(work.ops_per_s + work.backlog_ops / slice_s, wanted)
    _, waiting_s, _ = distinct_misses(env, work, wanted, slice_s)
    if wanted * cycle_s + waiting_s / slice_s <= threads:
        return wanted
    rate = min(work.throughput_per_s, wanted)
    for _ in range(NEWTON_STEPS):
        _, waiting_s, slope = distinct_misses(env, work, rate, slice_s)
        excess = rate * cycle_s + waiting_s / slice_s - threads
        rate -= excess / (cycle_s + slope / slice_s)
        rate = min(max(rate, 0.0), wanted)
    return rate


@inlined
def stream_rate(env, work, slice_s):
    """Pages per second of a stream: its pace, or one readahead window per thread and wait."""
    class_ = env.class_[work.first_class]
    wait_s = wait_of_miss(env.device, class_.readahead_pages)
    reach = free_threads(work, slice_s) * class_.readahead_pages / wait_s
    return min(work.ops_per_s + work.backlog_ops / slice_s, reach)


@kernel
def plan(env, slice_s):
    """Sets throughput_per_s of readers and streams for a slice. Returns the device seconds they ask for."""
    asked_s = 0.0
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.kind == READER:
            work.throughput_per_s = reader_rate(env, work, slice_s) if is_running(env, work) else 0.0
            work.is_due = 1
            device_s, _, _ = distinct_misses(env, work, work.throughput_per_s, slice_s)
            asked_s += device_s
        elif work.kind == STREAM:
            work.throughput_per_s = stream_rate(env, work, slice_s) if is_running(env, work) else 0.0
            class_ = env.class_[work.first_class]
            window = class_.readahead_pages
            asked_s += work.throughput_per_s * slice_s / window * read_s(env.device, window)
    return asked_s


@kernel
def share_device(env, slice_s):
    """Finds the queue that the slice's own reads leave behind (implicit Euler).

    Closed loops ask for less the longer they wait; while the device is busy they keep it so, and the queue is
    what their waiting threads have asked for.
    """
    device = env.device
    for step in range(QUEUE_STEPS + 1):
        asked_s = plan(env, slice_s)
        left_s = max(device.backlog_s + asked_s - slice_s, 0.0)
        if step == QUEUE_STEPS or abs(left_s - device.queue_s) < QUEUE_STRAY_RATIO * slice_s:
            return
        device.queue_s = expected_queue(device, asked_s, slice_s)


@inlined
def expected_queue(device, asked_s, slice_s):
    """The queue left behind if what is asked for goes as one over the wait: a root of a square."""
    wait_s = device.latency_s + device.queue_s
    free_s = slice_s - device.backlog_s - device.latency_s
    return max((math.sqrt(free_s * free_s + 4.0 * asked_s * wait_s) - free_s) / 2.0 - device.latency_s, 0.0)
