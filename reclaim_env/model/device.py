"""The block device as a fluid queue: every miss takes device time, and waits for what is before it."""

from reclaim_env.model.kernel import inlined


@inlined
def wait_of_miss(env, io_s):
    """Seconds one read waits: latency, its own transfer, the backlog, and the queue the closed loops keep."""
    device = env.device
    return device.latency_s + io_s + device.backlog_s + device.queue_s


@inlined
def submit(env, nr_ios, io_s):
    """Reads enter the queue; what a slice brings is spread over it, so it waits for what was there before."""
    env.device.submitted_s += nr_ios * io_s


@inlined
def serve(env, slice_s):
    """The device works one slice; it never serves more than it was given or than time allows."""
    device = env.device
    asked_s = device.backlog_s + device.submitted_s
    served_s = min(asked_s, slice_s)
    device.backlog_s = asked_s - served_s
    device.submitted_s = 0.0
    device.used_s += served_s
