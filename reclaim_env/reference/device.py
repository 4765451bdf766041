"""A device serves one request after the other; who waits for a read also waits for what is before it."""

from .compiled import compiled
from .names import SWAP, WRITEBACK_S


@compiled
def read_s(device, nr_pages):
    """Device time of one read."""
    return max(nr_pages * device.page_s, device.request_s)


@compiled
def submit(m, which, nr_pages):
    """A read joins the queue. Seconds until it is done."""
    device = m.device[which]
    begin_s = max(device.free_s, m.system[0].time_s)
    device.free_s = begin_s + read_s(device, nr_pages)
    device.used_s += read_s(device, nr_pages)
    return device.free_s + device.latency_s - m.system[0].time_s


@compiled
def submit_write(m, spent_s):
    """A page written to swap, beside its neighbours. Seconds whoever reclaims sleeps behind the queue."""
    device = m.device[SWAP]
    now_s = m.system[0].time_s + spent_s
    device.free_s = max(device.free_s, now_s) + device.page_s
    device.used_s += device.page_s
    return max(device.free_s - now_s - WRITEBACK_S, 0.0)
