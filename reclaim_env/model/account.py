"""What is read off a machine after each tick: time hopeless, futile or missed, and running means."""

import math

from reclaim_env.model.constants import ACTIVE, INACTIVE, NO_SIGNAL, RUN
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.kswapd import lap_s
from reclaim_env.model.lru_balance import both_lists
from reclaim_env.model.migrate import can_demote
from reclaim_env.model.reset_rule import kswapd_test_hopeless
from reclaim_env.model.reset_signal import deficit_pages
from reclaim_env.model.rows import set_row
from reclaim_env.model.scan_count import mem_cgroup_below_low, mem_cgroup_below_min
from reclaim_env.model.swap_slots import nr_swap_pages

SHORT_MEAN_S = 2.0
LONG_MEAN_S = 20.0


@inlined
def cold_pages(env, nid):
    """Reclaimable pages that would not be touched again within one lap of kswapd over the node's file lists.

    A class that is switched off counts as cold: its silence is long against a lap.
    """
    lap = lap_s(env, nid)
    cold = env.node[nid].slab_pages
    for c in range(env.nr_classes):
        class_ = env.class_[c]
        memcg = env.memcg[class_.memcg]
        if (
            class_.rate_per_s * lap < 1.0
            and not mem_cgroup_below_low(memcg)
            and not mem_cgroup_below_min(memcg)
        ):
            set_ = env.set_[nid * env.nr_classes + c]
            cold += set_.resident_pages[INACTIVE] + set_.resident_pages[ACTIVE]
    if env.nr_anon_classes > 0:
        cold += cold_anon_pages(env, nid, lap)
    return cold


@kernel
def cold_anon_pages(env, nid, lap):
    """The same of anonymous memory: no more than can leave."""
    cold = 0
    for c in range(env.nr_classes, env.nr_classes + env.nr_anon_classes):
        class_ = env.class_[c]
        memcg = env.memcg[class_.memcg]
        protected = mem_cgroup_below_low(memcg) or mem_cgroup_below_min(memcg)
        if class_.rate_per_s * lap < 1.0 and not protected:
            cold += both_lists(env.set_[set_row(env, nid, c)].resident_pages)
    if can_demote(env, nid):
        return cold
    return min(cold, nr_swap_pages(env, -1))


@kernel
def account(env):
    """Books one tick."""
    short = 1.0 - math.exp(-env.tick_s / SHORT_MEAN_S)
    long = 1.0 - math.exp(-env.tick_s / LONG_MEAN_S)
    for nid in range(env.nr_nodes):
        pgdat = env.node[nid]
        label_time(env, nid, pgdat)
        vmstat = pgdat.vmstat
        refaults = vmstat.workingset_refault_file + vmstat.workingset_refault_anon
        steals = vmstat.pgsteal_file + vmstat.pgsteal_anon
        scans = vmstat.pgscan_file + vmstat.pgscan_anon
        refaulted = refaults - pgdat.refaulted_before_pages
        stolen = steals - pgdat.stolen_before_pages
        scanned = scans - pgdat.scanned_before_pages
        pgdat.refaulted_before_pages = refaults
        pgdat.stolen_before_pages = steals
        pgdat.scanned_before_pages = scans
        pgdat.refault_2s_per_s += short * (refaulted / env.tick_s - pgdat.refault_2s_per_s)
        pgdat.refault_20s_per_s += long * (refaulted / env.tick_s - pgdat.refault_20s_per_s)
        pgdat.steal_2s_per_s += short * (stolen / env.tick_s - pgdat.steal_2s_per_s)
        pgdat.steal_20s_per_s += long * (stolen / env.tick_s - pgdat.steal_20s_per_s)
        pgdat.scan_20s_per_s += long * (scanned / env.tick_s - pgdat.scan_20s_per_s)
        if pgdat.reset_signal != NO_SIGNAL:
            average_direct(env, pgdat, short)


@inlined
def average_direct(env, pgdat, short):
    """Running means of the allocator's direct reclaim on the node."""
    vmstat = pgdat.vmstat
    stolen = vmstat.pgsteal_direct - pgdat.direct_stolen_before_pages
    scanned = vmstat.pgscan_direct - pgdat.direct_scanned_before_pages
    pgdat.direct_stolen_before_pages = vmstat.pgsteal_direct
    pgdat.direct_scanned_before_pages = vmstat.pgscan_direct
    pgdat.direct_steal_2s_per_s += short * (stolen / env.tick_s - pgdat.direct_steal_2s_per_s)
    pgdat.direct_scan_2s_per_s += short * (scanned / env.tick_s - pgdat.direct_scan_2s_per_s)


@inlined
def label_time(env, nid, pgdat):
    """Books hopeless time, and whether it (or running) was right.

    False dead: hopeless although cold pages exceed the deficit. False alive: running although they do not.
    """
    hopeless = kswapd_test_hopeless(pgdat)
    running = pgdat.kswapd_phase == RUN
    if hopeless:
        pgdat.vmstat.hopeless_s += env.tick_s
    deficit = deficit_pages(pgdat)
    if not (hopeless or running) or deficit <= 0:
        return
    enough = cold_pages(env, nid) > deficit
    if hopeless and enough:
        pgdat.vmstat.false_dead_s += env.tick_s
    if running and not enough:
        pgdat.vmstat.false_alive_s += env.tick_s
