"""Memory that comes and goes: blocks on and off line, a balloon (mm/memory_hotplug.c, virtio_balloon.c).

Kept: managed and free pages, watermarks set anew for all nodes after a block (not after a balloon), no effect
on kswapd_failures. Left out: migration. What a block holds moves to free pages of its own node, so to take a
block off line takes its size of free pages, as fast as they appear; the kernel prefers other nodes.
"""

from reclaim_env.model.buddy import free_pages, rmqueue
from reclaim_env.model.constants import DEFLATE, DMA_ZONES, OFFLINE, ONLINE
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.wakeup import wakeup_kswapd
from reclaim_env.model.watermark import pages_above, zone_watermark_ok
from reclaim_env.model.wmark_setup import calculate_min_free_kib, recommended_min_free_kib, zone_wmarks

_calculate_min_free_kib = kernel(calculate_min_free_kib)
_recommended_min_free_kib = kernel(recommended_min_free_kib)
_zone_wmarks = kernel(zone_wmarks)


@inlined
def plug_memory(env):
    """What was asked for by now and is not done: what lacks free pages goes on as they appear."""
    for i in range(env.nr_hotplugs):
        request = env.hotplug[i]
        if request.at_s <= env.time_s and request.left_pages > 0:
            plug(env, request)


@kernel
def plug(env, request):
    """One request, as far as free pages go."""
    pgdat = env.node[request.nid]
    if request.kind == ONLINE:
        online_pages(pgdat, request.left_pages)
        request.left_pages = 0
    elif request.kind == DEFLATE:
        leak_balloon(env, request.nid, request.left_pages)
        request.left_pages = 0
    else:
        got = min(pages_above(pgdat, pgdat.min_wmark_pages), request.left_pages)
        request.left_pages -= got
        if request.kind == OFFLINE:
            offline_pages(pgdat, got)
        else:
            inflate_balloon(pgdat, got)
        if not zone_watermark_ok(pgdat, pgdat.low_wmark_pages):
            wakeup_kswapd(pgdat)
    if request.left_pages == 0 and (request.kind == ONLINE or request.kind == OFFLINE):
        init_per_zone_wmark_min(env)


@inlined
def online_pages(pgdat, nr_pages):
    """New pages go to the free list as they are: no per-CPU list, and so no reset on the free path."""
    pgdat.managed_pages += nr_pages
    pgdat.plugged_pages += nr_pages
    pgdat.free_pages += nr_pages


@inlined
def offline_pages(pgdat, nr_pages):
    """Free pages, or those that took in what the block held."""
    pgdat.managed_pages -= nr_pages
    pgdat.plugged_pages -= nr_pages
    pgdat.free_pages -= nr_pages


@inlined
def inflate_balloon(pgdat, nr_pages):
    """The balloon allocates pages and gives them to the host."""
    rmqueue(pgdat, nr_pages)
    pgdat.vmstat.numa_hit += nr_pages
    pgdat.managed_pages -= nr_pages
    pgdat.balloon_pages += nr_pages


@inlined
def leak_balloon(env, nid, nr_pages):
    """The balloon frees pages, at most what it holds."""
    pgdat = env.node[nid]
    got = min(nr_pages, pgdat.balloon_pages)
    pgdat.balloon_pages -= got
    pgdat.managed_pages += got
    free_pages(env, nid, got)


@inlined
def init_per_zone_wmark_min(env):
    """vm.min_free_kbytes from the memory there is, and not below a user's; every mark, without boosts."""
    lowmem_pages = 0
    for nid in range(env.nr_nodes):
        lowmem_pages += env.node[nid].managed_pages
    min_free_kib = max(_calculate_min_free_kib(lowmem_pages), env.user_min_free_kib)
    if env.thp:
        min_free_kib = max(min_free_kib, _recommended_min_free_kib(lowmem_pages, env.nr_nodes + DMA_ZONES))
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        marks = _zone_wmarks(pgdat.managed_pages, lowmem_pages, min_free_kib, env.watermark_scale_factor)
        pgdat.boost_pages = 0
        pgdat.min_wmark_pages, pgdat.low_wmark_pages = marks[0], marks[1]
        pgdat.high_wmark_pages, pgdat.promo_wmark_pages = marks[2], marks[3]
