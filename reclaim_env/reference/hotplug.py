"""Memory that comes and goes: blocks on and off line, a balloon (mm/memory_hotplug.c, virtio_balloon.c).

A block that goes off line takes free pages of its node as they appear: nothing moves to other nodes.
"""

import math

from .compiled import compiled
from .names import DEFLATE, HOTPLUG, INFLATE, OFFLINE, ONLINE, THP_PAGES_PER_ZONE
from .queue import schedule
from .zone import give_page, is_above, take_page, wakeup_kswapd

RETRY_S = 0.001  # what lacks free pages looks for them again


@compiled
def plug(m, i):
    """A request, or what is left of it. Nothing of it touches kswapd_failures."""
    row = m.plug[i]
    node = m.node[row.node]
    if row.kind == ONLINE:  # a new block does not pass the free path
        node.managed_pages += row.pages
        node.free_pages += row.pages
        row.pages = 0
    elif row.kind == DEFLATE:
        deflate(m, row)
    else:
        take_off(node, row)
        if not is_above(node, node.low_pages):
            wakeup_kswapd(m, row.node)
    if row.pages > 0:
        schedule(m, m.system[0].time_s + RETRY_S, HOTPLUG, i)
    elif row.kind == ONLINE or row.kind == OFFLINE:
        init_per_zone_wmark_min(m)


@compiled
def take_off(node, row):
    """Free pages above min go off line, or into the balloon, which allocates them."""
    while row.pages > 0 and is_above(node, node.min_pages):
        row.pages -= 1
        node.managed_pages -= 1
        if row.kind == INFLATE:
            take_page(node)
            node.numa_hit += 1
            node.balloon_pages += 1
        else:
            node.free_pages -= 1


@compiled
def deflate(m, row):
    """The balloon frees what it holds, at most."""
    node = m.node[row.node]
    given = min(row.pages, node.balloon_pages)
    node.balloon_pages -= given
    node.managed_pages += given
    for _ in range(given):
        give_page(m, row.node)
    row.pages = 0


@compiled
def init_per_zone_wmark_min(m):
    """vm.min_free_kbytes and all marks anew, in whole pages as the kernel divides; boosts are over."""
    system = m.system[0]
    total = 0
    for nid in range(system.nr_nodes):
        total += m.node[nid].managed_pages
    min_free_kib = min(max(int(math.sqrt(16.0 * 4 * total)), 128), 262_144)
    min_free_kib = max(min_free_kib, system.user_min_free_kib)
    if system.thp:  # of the zones, DMA and DMA32 are node 0's
        min_free_kib = max(min_free_kib, 4 * min(THP_PAGES_PER_ZONE * (system.nr_nodes + 2), total // 20))
    for nid in range(system.nr_nodes):
        node = m.node[nid]
        node.min_pages = min_free_kib // 4 * node.managed_pages // total
        gap = max(node.min_pages // 4, node.managed_pages * system.scale_factor // 10_000)
        node.low_pages, node.high_pages = node.min_pages + gap, node.min_pages + 2 * gap
        node.boost_pages = 0
