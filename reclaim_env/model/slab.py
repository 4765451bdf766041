"""Reclaimable slab: names and inodes the kernel keeps, one pool for each node (mm/slub.c, mm/shrinker.c).

The pool grows at a rate of its own and is shrunk by global reclaim after the lists of a pass; what it yields
is progress. Kept: do_shrink_slab()'s share by priority, batches, what is deferred. Left out: pools of single
cgroups (a limit shrinks none), objects in use, pages that one object in use keeps.
"""

from reclaim_env.model.buddy import free_pages, rmqueue
from reclaim_env.model.constants import SHRINK_BATCH, SLAB_OBJECTS_PER_PAGE
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import pages_above, zone_watermark_ok


@kernel
def slab_pages(nr_objects):
    """Pages that hold so many objects."""
    return (nr_objects + SLAB_OBJECTS_PER_PAGE - 1) // SLAB_OBJECTS_PER_PAGE


@inlined
def grow_slabs(env):
    """One tick of every node's trickle."""
    for nid in range(env.nr_nodes):
        if env.node[nid].slab_pages_per_s > 0.0:
            grow_slab(env.node[nid], env.tick_s)


@kernel
def grow_slab(pgdat, tick_s):
    """New pages of objects: below low they wake kswapd, and what min does not let them have is lost."""
    pgdat.slab_carry_pages += pgdat.slab_pages_per_s * tick_s
    wanted = int(pgdat.slab_carry_pages)
    pgdat.slab_carry_pages -= wanted
    got = min(pages_above(pgdat, pgdat.min_wmark_pages), wanted)
    rmqueue(pgdat, got)
    if not zone_watermark_ok(pgdat, pgdat.low_wmark_pages):
        wakeup_kswapd(pgdat)
    pgdat.vmstat.numa_hit += got
    pgdat.slab_pages += got
    pgdat.slab_objects += got * SLAB_OBJECTS_PER_PAGE


@kernel
def shrink_slab(env, nid, priority):
    """do_shrink_slab() of the node's pool. Returns (pages freed, CPU seconds).

    Four times the pool shifted, over what an object costs to make again (DEFAULT_SEEKS: 2), in whole batches;
    what is less than one waits for the next call.
    """
    pgdat = env.node[nid]
    freeable = pgdat.slab_objects
    if freeable == 0:
        return 0, 0.0
    delta = 2 * (freeable >> priority)
    wanted = min((pgdat.slab_deferred_objects >> priority) + delta, 2 * freeable)
    batch = min(SHRINK_BATCH, freeable)
    scanned = min(wanted // batch * batch, freeable)
    left = pgdat.slab_deferred_objects + delta - scanned
    pgdat.slab_deferred_objects = min(max(left, 0), 2 * freeable)
    pgdat.slab_objects -= scanned
    freed = pgdat.slab_pages - slab_pages(pgdat.slab_objects)
    pgdat.slab_pages -= freed
    pgdat.vmstat.slabs_scanned += scanned
    free_pages(env, nid, freed)
    return freed, scanned * env.cost.scan_s + freed * env.cost.free_s


@inlined
def shrink_slab_by_kswapd(env, nid):
    """After the lists of a pass, or of the passes it stands for. CPU seconds."""
    pgdat = env.node[nid]
    spent_s = 0.0
    if pgdat.slab_objects > 0:
        for priority in range(pgdat.pass_first_priority, pgdat.priority - 1, -1):
            freed, cost_s = shrink_slab(env, nid, priority)
            pgdat.pass_reclaimed_pages += freed
            spent_s += cost_s
    return spent_s


@inlined
def shrink_slab_by_tasks(env, nid, priority, wanted_pages, calls):
    """After the lists of a direct reclaimer's pass: once a call, until they have what they want.

    Returns (pages freed, CPU seconds).
    """
    freed = 0
    spent_s = 0.0
    for _ in range(calls):
        if env.node[nid].slab_objects == 0 or freed >= wanted_pages:
            break
        pages, cost_s = shrink_slab(env, nid, priority)
        freed += pages
        spent_s += cost_s
    return freed, spent_s
