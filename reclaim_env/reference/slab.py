"""A node's pool of names and inodes nobody uses: it grows, and global reclaim shrinks it (mm/shrinker.c)."""

from .compiled import compiled
from .names import OBJECTS_PER_PAGE, SHRINK_BATCH, SLAB
from .queue import schedule
from .zone import give_page, is_above, take_page, wakeup_kswapd


@compiled
def grow_slab(m, nid):
    """A page of new objects; without one to be had above min they are not made."""
    node = m.node[nid]
    if not is_above(node, node.low_pages):
        wakeup_kswapd(m, nid)
    if is_above(node, node.min_pages):
        take_page(node)
        node.numa_hit += 1
        node.slab_pages += 1
        node.slab_objects += OBJECTS_PER_PAGE
    schedule(m, m.system[0].time_s + 1.0 / node.slab_per_s, SLAB, nid)


@compiled
def shrink_slab(m, nid, priority):
    """do_shrink_slab(): batch by batch. Returns (pages freed, CPU seconds)."""
    node = m.node[nid]
    freeable = node.slab_objects
    if freeable == 0:
        return 0, 0.0
    deferred = node.slab_deferred
    delta = (freeable >> priority) * 4 // 2  # an object costs two seeks to make again
    left = min((deferred >> priority) + delta, 2 * freeable)
    scanned, freed = 0, 0
    while node.slab_objects > 0 and (left >= SHRINK_BATCH or left >= freeable):
        batch = min(SHRINK_BATCH, left, node.slab_objects)
        left -= batch
        scanned += batch
        node.slab_objects -= batch
        while (node.slab_pages - 1) * OBJECTS_PER_PAGE >= node.slab_objects:
            node.slab_pages -= 1
            give_page(m, nid)
            freed += 1
    node.slab_deferred = min(max(deferred + delta - scanned, 0), 2 * freeable)
    node.slabs_scanned += scanned
    return freed, scanned * m.system[0].scan_s + freed * m.system[0].free_s
