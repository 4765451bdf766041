"""Where anonymous pages can go: swap slots, how many for whom; a lower tier (mm/swapfile.c, zram)."""

import math

from .compiled import compiled
from .names import ROOT
from .zone import give_page, take_page


@compiled
def nr_swap_pages(m, g):
    """Slots a cgroup may still fill."""
    system = m.system[0]
    if not system.swap_on:
        return 0
    free = system.swap_pages - system.swap_used_pages
    while g >= 0:
        row = m.memcg[g]
        if row.swap_max_pages >= 0:
            free = min(free, row.swap_max_pages - row.swap_pages)
        g = row.parent
    return max(free, 0)


@compiled
def can_demote(m, nid):
    return m.system[0].demotion_on and m.node[nid].demotes_to >= 0


@compiled
def can_reclaim_anon_pages(m, nid, g):
    return m.system[0].has_anon_lists and (can_demote(m, nid) or nr_swap_pages(m, g) > 0)


@compiled
def can_age_anon_pages(m, nid):
    """Swap may be full for that."""
    return m.system[0].has_anon_lists and (m.system[0].swap_on or can_demote(m, nid))


@compiled
def charge_slot(m, one, nid, nr):
    """A page more or less is in a slot, that was on node nid."""
    m.system[0].swap_used_pages += nr
    one.swapped_pages += nr
    g = one.memcg
    while g >= ROOT:
        m.memcg[g].swap_pages += nr
        g = m.memcg[g].parent
    m.node[nid].swapped_pages += nr
    fit_pool(m, nid)


@compiled
def fit_pool(m, nid):
    """What is stored takes the kernel's memory, whatever the watermarks say."""
    node = m.node[nid]
    wanted = math.ceil(m.system[0].pool_ratio * node.swapped_pages)
    while node.pool_pages < wanted:
        take_page(node)
        node.numa_hit += 1
        node.pool_pages += 1
        node.kernel_pages += 1
    while node.pool_pages > wanted:
        node.pool_pages -= 1
        node.kernel_pages -= 1
        give_page(m, nid)
