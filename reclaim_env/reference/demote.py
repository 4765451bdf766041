"""Demotion: what reclaim would free moves to a lower tier while that has room (mm/vmscan.c, mm/migrate.c)."""

from .compiled import compiled
from .lists import add_head
from .names import INACTIVE, INACTIVE_ANON, KSWAPD, OTHER
from .slots import can_demote
from .workingset import lruvec_of
from .zone import clear_failures, give_page, is_above, take_page, wakeup_kswapd


@compiled
def take_below(m, to):
    """A frame of the lower node, which nobody reclaims for: its low mark first, then min and its kswapd."""
    node = m.node[to]
    if not is_above(node, node.low_pages):
        wakeup_kswapd(m, to)
        if not is_above(node, node.min_pages):
            return False
    take_page(node)
    node.numa_hit += 1
    return True


@compiled
def demote(m, p, nid, g, reason):
    """demote_folio_list() for one isolated page, cold as it is. Returns whether it has moved."""
    node = m.node[nid]
    if not can_demote(m, nid) or not take_below(m, node.demotes_to):
        return False
    row = m.class_[m.page[p].class_]
    add_head(m, p, lruvec_of(m, node.demotes_to, g), INACTIVE_ANON if row.anon else INACTIVE)
    if row.anon:
        one = m.instance[row.instance]
        one.anon_pages[nid] -= 1
        one.anon_pages[node.demotes_to] += 1
    give_page(m, nid)
    if reason == KSWAPD:
        node.pgdemote_kswapd += 1
    else:
        node.pgdemote_direct += 1
    return True


@compiled
def switch_demotion(m, on):
    """/sys/kernel/mm/numa/demotion_enabled: from 6.18 on no count outlives its being switched on."""
    system = m.system[0]
    if on and not system.demotion_on and system.free_path_reset:
        for nid in range(system.nr_nodes):
            clear_failures(m, nid, OTHER)
    system.demotion_on = on
