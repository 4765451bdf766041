"""A block device as a fluid queue: every miss takes device time, and waits for what is before it."""

from reclaim_env.model.kernel import inlined


@inlined
def read_s(device, nr_pages):
    """Device time of one read of so many pages."""
    return max(nr_pages * device.page_s, device.request_s)


@inlined
def wait_of_miss(device, nr_pages):
    """Seconds one read waits: latency, its own transfer, and what is before it."""
    return device.latency_s + read_s(device, nr_pages) + device.queue_s


@inlined
def submit(device, nr_ios, nr_pages):
    """Reads of nr_pages each enter the queue.

    What a slice brings is spread over it, so it waits for what was there before.
    """
    device.submitted_s += nr_ios * read_s(device, nr_pages)


@inlined
def serve(device, slice_s):
    """The device works one slice; it never serves more than it was given or than time allows."""
    asked_s = device.backlog_s + device.submitted_s
    served_s = min(asked_s, slice_s)
    device.backlog_s = asked_s - served_s
    device.queue_s = device.backlog_s
    device.submitted_s = 0.0
    device.used_s += served_s
