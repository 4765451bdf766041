"""Readers that take turns with a task which reclaims from their own cgroup.

A task over memory.high takes pages every few milliseconds, and hot ones are back within a fraction of one,
however long a slice is. What is read back is charged, and makes the readers reclaim in their turn. Left out:
readers in descendants of the cgroup whose limit it is; files read in order, which wait for the next slice.
"""

import math

from reclaim_env.model import arrivals
from reclaim_env.model.constants import READER
from reclaim_env.model.demand import window_pages
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.memcontrol import handle_over_high, spend
from reclaim_env.model.reader import miss, run_reader

# The draws of two turns in one slice lie at least so far apart.
MAX_CLASSES = 1024


@kernel
def run_readers(env, g, slice_s):
    """Readers of a cgroup do their part of the slice before the first call that takes pages from them."""
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.kind == READER and work.memcg == g:
            if work.is_due:
                run_reader(env, w, slice_s)
            deliver(env, w)


@kernel
def read_back(env, g, time_s):
    """Of what a call took, readers read what they miss in the rest of the slice; their own calls follow.

    Those take again, and so on until the task's next call, time_s later.
    """
    begin_s = env.now_s
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.kind != READER or work.memcg != g:
            continue
        env.now_s = begin_s
        while env.now_s < begin_s + time_s and miss_taken(env, w) and work.owed_batches > 0:
            batches = work.owed_batches
            spent_s = handle_over_high(env, w, work.threads * time_s)
            spend(env, w, spent_s)
            env.now_s += spent_s / batches
    env.now_s = begin_s


@inlined
def miss_taken(env, w):
    """Misses of what was taken since the reader's last misses, each thread its own one after the other."""
    work = env.workload[w]
    left_s = env.time_s + env.slice_s - env.now_s
    missed_before, waited_before_s = work.missed_ops, work.waited_s
    until_miss_s = 0.0
    for c in range(work.first_class, work.first_class + work.nr_classes):
        class_ = env.class_[c]
        taken = class_.absent_pages - class_.unasked_pages
        if taken > 0 and class_.rate_per_s > 0.0 and not class_.loop:
            missed = work.missed_ops
            missed_per_s = class_.rate_per_s * window_pages(class_)
            miss(env, w, c, taken, left_s, work.threads * left_s, (1 + env.nr_scans) * MAX_CLASSES + c)
            until_miss_s += (work.missed_ops - missed) * mean_time_s(missed_per_s, left_s)
        class_.unasked_pages = class_.absent_pages
    missed = work.missed_ops - missed_before
    if missed == 0.0:
        return False
    waited_s = work.waited_s - waited_before_s
    work.stalled_s += waited_s
    env.now_s += (until_miss_s + waited_s) / missed
    deliver(env, w)
    return True


@inlined
def mean_time_s(events_per_s, within_s):
    """Mean time of a Poisson process's first event, if that comes within so long."""
    expected = events_per_s * within_s
    if expected < 1e-3:
        return within_s / 2.0
    return 1.0 / events_per_s - within_s / math.expm1(min(expected, 500.0))


@inlined
def deliver(env, w):
    """What a reader has read is on the lists."""
    work = env.workload[w]
    for c in range(work.first_class, work.first_class + work.nr_classes):
        for nid in range(env.nr_nodes):
            arrivals.deliver_set(env, env.set_[nid * env.nr_classes + c])
