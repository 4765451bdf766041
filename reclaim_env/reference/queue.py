"""The queue of events: a binary heap by time; among equals the earlier scheduled comes first."""

from .compiled import compiled
from .names import THREAD


@compiled
def _before(a, b):
    return a.at_s < b.at_s or (a.at_s == b.at_s and a.number < b.number)


@compiled
def _swap(m, i, j):
    a, b = m.event[i], m.event[j]
    a.at_s, b.at_s = b.at_s, a.at_s
    a.number, b.number = b.number, a.number
    a.kind, b.kind = b.kind, a.kind
    a.of, b.of = b.of, a.of


@compiled
def schedule(m, at_s, kind, of):
    system = m.system[0]
    i = system.nr_events
    if i == m.event.shape[0]:
        raise RuntimeError("the queue of events is full")
    system.nr_events += 1
    system.nr_scheduled += 1
    event = m.event[i]
    event.at_s, event.number, event.kind, event.of = at_s, system.nr_scheduled, kind, of
    while i > 0 and _before(m.event[i], m.event[(i - 1) // 2]):
        _swap(m, i, (i - 1) // 2)
        i = (i - 1) // 2


@compiled
def take_first(m):
    """Removes the first event -> (at_s, kind, of)."""
    system = m.system[0]
    at_s, kind, of = m.event[0].at_s, m.event[0].kind, m.event[0].of
    system.nr_events -= 1
    n = system.nr_events
    _swap(m, 0, n)
    i = 0
    while True:
        least = i
        for child in (2 * i + 1, 2 * i + 2):
            if child < n and _before(m.event[child], m.event[least]):
                least = child
        if least == i:
            return at_s, kind, of
        _swap(m, i, least)
        i = least


@compiled
def again(m, t, delay_s):
    """A thread's next turn, which is never before the one that is in the queue already."""
    thread = m.thread[t]
    thread.at_s = m.system[0].time_s + delay_s
    if not thread.is_queued:
        thread.is_queued = 1
        schedule(m, thread.at_s, THREAD, t)
