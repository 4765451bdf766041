"""From the inactive anonymous list to a swap slot (mm/vmscan.c pageout(), mm/page_io.c).

A page is free as soon as it is handed to the device. Who reclaims sleeps while more than WRITEBACK_S of
writes are queued, as reclaim_throttle() makes it; reads wait behind them.
"""

from reclaim_env.model import bins
from reclaim_env.model.buddy import free_pages
from reclaim_env.model.constants import INACTIVE
from reclaim_env.model.hierarchy import uncharge
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.swap_slots import charge_swap, fit_pool, nr_swap_pages
from reclaim_env.model.workingset import workingset_eviction

WRITEBACK_S = 0.1


@kernel
def swap_out(env, set_, nr_pages, evictor, now_s):
    """Pages of a heat that nobody touched get a slot each while there are any. Returns how many did."""
    class_ = env.class_[set_.class_id]
    k = min(nr_pages, nr_swap_pages(env, class_.memcg))
    if k == 0:
        return 0
    bins.resize(env, set_, INACTIVE, -k)
    class_.absent_pages += k
    class_.evicted_pages += k
    workingset_eviction(env, set_, evictor, k)
    charge_swap(env, class_, k)
    move_anon(env, class_, set_.nid, -k)
    uncharge(env, class_.memcg, k)
    pgdat = env.node[set_.nid]
    pgdat.swapped_pages += k
    pgdat.vmstat.pswpout += k
    free_pages(env, set_.nid, k)
    fit_pool(env, set_.nid)
    write(env, k, now_s)
    return k


@inlined
def move_anon(env, class_, nid, nr_pages):
    """The books of resident anonymous pages: of the task, and of its cgroup."""
    env.workload[class_.workload].anon_pages[nid] += nr_pages
    env.memcg[class_.memcg].anon_pages[nid] += nr_pages


@inlined
def write(env, nr_pages, now_s):
    """Neighbouring slots are written together: bandwidth is what bounds. -> env.pageout_s, write_wait_s."""
    device = env.swap_device
    served_s = max(now_s - env.time_s, 0.0)  # since the slice began
    device.submitted_s += nr_pages * device.page_s
    wait_s = max(device.backlog_s + device.submitted_s - served_s - WRITEBACK_S, 0.0)
    env.write_wait_s += wait_s
    env.pageout_s += wait_s + nr_pages * env.swap.page_cpu_s
