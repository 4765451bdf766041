"""The state of one simulated machine: one padded record, so that a copy is a fork.

Pages are int64 (whole pages); what is spread over bins and flags is float64 and sums to the
whole pages of its list. Times are seconds. Everything the model knows lies here: two records
with equal bytes have equal futures.
"""

import numpy as np

from reclaim_env.model.constants import (
    NR_BINS,
    NR_COHORTS,
    NR_EVICTORS,
    NR_FLAGS,
    NR_LISTS,
    NR_PRESSURES,
    NR_REASONS,
    NR_SCANNERS,
)

MAX_NODES = 8
MAX_MEMCGS = 32
MAX_LRUVECS = 128  # nodes x cgroups
MAX_CLASSES = 64
MAX_SETS = 128  # nodes x classes
MAX_WORKLOADS = 24
MAX_BREAKPOINTS = 16
MAX_EVENTS = 16
NR_LATENCY_BINS = 64

i8, f8, u8 = np.int64, np.float64, np.uint64

# What prepare_scan_control() finds out about a node before a pass, where anonymous memory can leave.
SCAN_BALANCE = np.dtype(
    [
        ("deactivate_anon", i8),
        ("cache_trim", i8),
        ("file_is_tiny", i8),
        ("anon_cost", f8),
        ("file_cost", f8),
    ],
    align=True,
)

# Counters of one node. Names of /proc/vmstat where the kernel has them (the kernel keeps most of
# them per machine, not per node); the rest carry their unit.
VMSTAT = np.dtype(
    [
        ("pgscan_kswapd", i8),
        ("pgscan_direct", i8),
        ("pgsteal_kswapd", i8),
        ("pgsteal_direct", i8),
        ("pgscan_file", i8),  # every reclaimer, cgroup limits included
        ("pgsteal_file", i8),
        ("pgscan_anon", i8),
        ("pgsteal_anon", i8),
        ("pgrefill", i8),
        ("slabs_scanned", i8),  # objects
        ("pgactivate", i8),
        ("pgdeactivate", i8),
        ("allocstall", i8),  # direct-reclaim descents begun by tasks that prefer this node
        ("pgscan_direct_throttle", i8),
        ("pageoutrun", i8),
        ("kswapd_low_wmark_hit_quickly", i8),
        ("kswapd_high_wmark_hit_quickly", i8),
        ("pgmajfault", i8),
        ("pgpgin", i8),  # KiB
        ("workingset_refault_file", i8),
        ("workingset_activate_file", i8),
        ("workingset_refault_anon", i8),
        ("workingset_activate_anon", i8),
        ("pswpin", i8),
        ("pswpout", i8),
        ("pgdemote_kswapd", i8),  # pages that left this node for its lower tier
        ("pgdemote_direct", i8),
        ("numa_hit", i8),
        ("numa_miss", i8),
        ("numa_foreign", i8),
        ("pgalloc_normal", i8),
        ("pgfree", i8),
        ("oom_kill", i8),  # of the kernel, by the node the victim prefers
        ("oomd_kill", i8),  # of the killer in user space, likewise
        ("atomic_fail", i8),  # bursts that did not get all their pages
        ("bystander_refault_pages", i8),  # of cgroups without a high or max limit above them
        ("kswapd_fruitless_runs", i8),
        ("boosted_fruitless_runs", i8),  # of them, those that began with a watermark boost
        ("boosts", i8),  # allocations that stole from another migrate type's block
        ("kswapd_cpu_s", f8),
        ("stall_s", f8),  # thread seconds in, or kept waiting by, direct reclaim
        ("limit_reclaim_s", f8),  # thread seconds in memory.high and memory.max reclaim
        ("high_delay_s", f8),  # thread seconds slept by order of memory.high
        ("refault_wait_s", f8),  # thread seconds waiting for refaulted pages to be read
        ("workingset_wait_s", f8),  # of them, for those that were recent
        ("read_wait_s", f8),  # thread seconds waiting for pages to be read, whatever for
        ("awake_s", f8),
        ("hopeless_s", f8),
        ("false_dead_s", f8),  # hopeless while cold reclaimable pages exceed the deficit
        ("false_alive_s", f8),  # running while they do not
        ("progress", i8, (NR_REASONS,)),  # reclaim passes that freed something, by who
        ("resets", i8, (NR_REASONS,)),  # of them, those that took failures off the count
        ("revivals", i8, (NR_REASONS,)),  # of them, those that gave a hopeless node its kswapd back
    ],
    align=True,
)

NODE = np.dtype(
    [
        ("managed_pages", i8),
        ("unusable_pages", i8),  # free, but in blocks that users may not take
        ("kernel_pages", i8),  # not on any list, never reclaimed
        ("slab_pages", i8),  # NR_SLAB_RECLAIMABLE
        ("slab_objects", i8),
        ("slab_deferred_objects", i8),  # still to be scanned (nr_deferred)
        ("slab_pages_per_s", f8),
        ("slab_carry_pages", f8),
        ("free_pages", i8),  # NR_FREE_PAGES
        ("min_wmark_pages", i8),
        ("low_wmark_pages", i8),
        ("high_wmark_pages", i8),
        ("promo_wmark_pages", i8),
        ("plugged_pages", i8),  # switched on line less off line since the start
        ("balloon_pages", i8),  # taken back by the host, not of managed_pages
        ("boost_pages", i8),  # the part of each mark that is boost
        ("boosts_per_s", f8),
        ("next_boost_s", f8),
        ("list_pages", i8, (NR_LISTS,)),  # NR_INACTIVE_FILE, NR_ACTIVE_FILE
        ("anon_list_pages", i8, (NR_LISTS,)),  # NR_INACTIVE_ANON, NR_ACTIVE_ANON; 0 where they have no lists
        ("demotion_target", i8),  # the node of the lower tier; -1: none
        ("swapped_pages", i8),  # swap slots filled from this node
        ("pool_pages", i8),  # of kernel_pages: compressed swap kept on this node
        ("arriving_windows", i8),  # read in this slice, not yet on a list, each at some moment of it
        ("paced_windows", i8),  # as well, of streams, each at its own
        ("arrived_ratio", f8),  # how much of the slice's arrivals is on the lists by now
        ("zonelist", i8, (MAX_NODES,)),  # fallback order of a task on this node
        ("below_high", i8),  # ZONE_BELOW_HIGH
        ("kswapd_failures", i8),
        ("kswapd_phase", i8),
        ("last_reset_reason", i8),  # -1 before the first reset that changed the count
        ("last_reset_s", f8),
        ("kswapd_cpu_share_ratio", f8),
        ("cpu_carry_s", f8),  # CPU time kswapd has been granted and not used (negative: owes)
        ("doze_left_s", f8),
        ("priority", i8),  # of the run under way
        ("in_run", i8),
        ("in_pass", i8),
        ("in_lruvec", i8),  # the cgroup under the pass has its targets set
        ("pass_lruvec", i8),  # next cgroup of the pass under way
        ("pass_scanned_pages", i8),  # sc.nr_scanned
        ("pass_reclaimed_pages", i8),
        ("run_reclaimed_pages", i8),  # sc.nr_reclaimed
        ("run_boost_pages", i8),  # the boost at its start
        ("boost_left_pages", i8),  # of it, still to be reclaimed (nr_boost_reclaim)
        ("pass_first_priority", i8),  # above the priority where passes are made as one
        ("pass_may_deactivate", i8),
        ("pass_trim", i8),
        ("tasks_deactivate", i8),  # scratch: may the task's descent under way
        ("trim_forbidden", i8),
        ("trim_failed", i8),
        ("low_skipped", i8),  # of the run under way: memory.low kept kswapd off a cgroup
        ("low_ignored", i8),
        ("reclaim_cursor", i8),  # shared cgroup cursor of partial walks
        ("nonresident_age", i8),  # eviction clock of the root lruvec
        ("workingset_activate", i8),
        ("stat_list_pages", i8, (NR_LISTS,)),  # as the last flush of the statistics saw them
        ("stat_workingset_activate", i8),
        ("activate_snapshot", i8),
        ("stat_anon_list_pages", i8, (NR_LISTS,)),
        ("workingset_activate_anon", i8),
        ("stat_workingset_activate_anon", i8),
        ("activate_snapshot_anon", i8),
        ("anon_cost", f8),  # of the root lruvec (lru_note_cost())
        ("file_cost", f8),
        ("scan_balance", SCAN_BALANCE, (NR_SCANNERS,)),
        ("reset_always_mask", i8),  # rule: bit r set = progress by reason r clears the count
        ("reset_balanced_mask", i8),  # ... if the node is balanced
        ("reset_coin_mask", i8),  # ... if a coin says so
        ("reset_signal_mask", i8),  # ... if reset_signal holds
        ("reset_signal", i8),
        ("reset_refaults_per_s", f8),  # FEW_REFAULTS: fewer than so many
        ("reset_step", i8),  # a reset takes this many failures off the count,
        ("reset_floor", i8),  # and leaves no fewer than these
        ("failure_limit", i8),  # fruitless runs after which kswapd gives up
        ("retries_low", i8),  # a fruitless run is repeated with memory.low ignored before it counts
        ("probe_first_s", f8),  # kswapd is tried again after so long hopeless (0: never),
        ("probe_max_s", f8),  # twice as long each time it soon gives up again, up to this
        ("probe_after_pages", i8),  # or after so many pages were allocated on the hopeless node (0: never),
        ("probe_needs_free", i8),  # with (low + min) / 2 free
        ("probe_wait_s", f8),  # the wait now in force
        ("probed_s", f8),  # the last probe
        ("allocated_at_hopeless_pages", i8),
        ("nr_progress", i8),  # index of the next coin
        ("refault_2s_per_s", f8),  # exponential means of pages per second, for observations
        ("refault_20s_per_s", f8),
        ("steal_2s_per_s", f8),
        ("steal_20s_per_s", f8),
        ("scan_20s_per_s", f8),
        ("direct_steal_2s_per_s", f8),  # kept only where a rule reads them
        ("direct_scan_2s_per_s", f8),
        ("refaulted_before_pages", i8),  # counters at the last tick
        ("stolen_before_pages", i8),
        ("scanned_before_pages", i8),
        ("direct_stolen_before_pages", i8),
        ("direct_scanned_before_pages", i8),
        ("allocated_before_pages", i8),
        ("allocstall_before", i8),
        ("hopeless_since_s", f8),  # -1 when it is not
        ("first_fruitless_s", f8),  # -1 before it
        ("first_hopeless_s", f8),
        ("vmstat", VMSTAT),
    ],
    align=True,
)

MEMCG = np.dtype(
    [
        ("parent", i8),  # -1 below the root
        ("last_descendant", i8),  # the row below it that is walked last; its own if it has no children
        ("nr_members", i8),  # identical cgroups this one stands for
        ("bystander", i8),
        ("min_pages", i8),  # limits and protection of all members together; -1 means none
        ("low_pages", i8),
        ("high_pages", i8),
        ("max_pages", i8),
        ("emin_pages", f8),  # effective protection
        ("elow_pages", f8),
        ("usage_pages", i8),  # with its descendants
        ("anon_pages", i8, (MAX_NODES,)),  # own, without descendants
        ("stock_pages", i8),  # charged ahead of use, of all members together
        ("fruitless_retries", i8),
        ("pgscan", i8),
        ("pgsteal", i8),
        ("workingset_refault_file", i8),
        ("workingset_activate_file", i8),
        ("workingset_refault_anon", i8),
        ("swap_pages", i8),  # slots its pages fill, with its descendants
        ("swap_max_pages", i8),  # -1: no limit
        ("looked_pgscan", i8),  # when the killer in user space looked last
        ("events_low", i8),
        ("events_high", i8),
        ("events_max", i8),
        ("events_oom_kill", i8),
        ("high_delay_s", f8),
    ],
    align=True,
)

LRUVEC = np.dtype(
    [
        ("memcg", i8),
        ("nid", i8),
        ("anon", i8),  # the cgroup's anonymous lists; its file lists have a row of their own
        ("first_set", i8),
        ("nr_sets", i8),
        ("has_mapped", i8),
        ("stale", i8, (NR_LISTS,)),  # changed since it was looked whether its bins are to be levelled
        ("list_pages", i8, (NR_LISTS,)),
        ("stat_list_pages", i8, (NR_LISTS,)),  # as the last flush saw them
        ("settled_pages", i8, (NR_LISTS,)),  # left by the last scan: spread evenly over the members
        ("scan_left_pages", i8, (NR_LISTS,)),  # of the pass under way
        ("evicted_ratio", f8),  # of the inactive pages kswapd examined last
        ("activated_ratio", f8),
        ("rotated_ratio", f8),  # of the active pages kswapd examined last
        ("lap_pages", i8),  # the inactive list's length when a task's call began
        ("lapped_pages", i8),  # inactive pages examined since
        ("visited_pages", i8, (NR_LISTS,)),  # what the members whose call it is have left of each list
        ("reclaim_cursor", i8),  # of partial walks over this cgroup's subtree
        ("workingset_activate", i8),  # with its descendants
        ("stat_workingset_activate", i8),  # as the last flush saw it
        ("activate_snapshot", i8),
        ("inserted_s", f8, (NR_LISTS, NR_BINS)),  # mean time at which a bin's pages entered its list
        ("undated_pages", f8, (NR_LISTS,)),  # scratch: put at the head, and not dated yet
        ("workingset_activate_anon", i8),
        ("stat_workingset_activate_anon", i8),
        ("activate_snapshot_anon", i8),
        ("nonresident_age", i8),  # eviction clock of the cgroup on this node, both types (in the file row)
        ("anon_cost", f8),  # of both types (in the file row)
        ("file_cost", f8),
    ],
    align=True,
)

CLASS = np.dtype(
    [
        ("memcg", i8),
        ("workload", i8),
        ("access", i8),  # READ, MMAP, EXEC
        ("anon", i8),  # a heat of an anonymous workload: absent pages are in swap
        ("touch_per_s", f8),  # of each page of it, while on
        ("loop", i8),  # touched in file order, for ever
        ("one_touch", i8),  # a stream: every page new, none touched again
        ("on", i8),
        ("nr_switches", i8),
        ("next_switch_s", f8),
        ("switched_s", f8),
        ("silent_s", f8),  # when it last fell silent
        ("on_s", f8),  # mean of the exponential periods; off_s 0: always on
        ("off_s", f8),
        ("pages", i8),
        ("new_pages", i8),  # not read yet: absent without a shadow
        ("absent_pages", i8),  # new and evicted
        ("unasked_pages", i8),  # of them nobody asks before the slice ends
        ("evicted_pages", i8),  # since the episode began
        ("refaulted_pages", i8),
        ("activated_pages", i8),  # with recent refaults
        ("share_ratio", f8),  # of its workload's accesses; a heat's: of its pages
        ("readahead_pages", i8),  # pages one miss brings
        ("rate_per_s", f8),  # accesses per page in this slice
        ("on_rate_per_s", f8),  # its running mean over the time the class was on
        ("hits_s", f8),  # integral of rate_per_s since the flags were last brought up to date
    ],
    align=True,
)

SET = np.dtype(
    [
        ("class_id", i8),
        ("nid", i8),
        ("lruvec", i8),
        ("resident_pages", i8, (NR_LISTS,)),
        ("filled_s", f8),  # when the last of them had been read in, before the start
        ("isolated_pages", i8),  # scratch: taken by the scan under way
        ("aimed_pages", f8, (NR_FLAGS,)),  # scratch: where it takes them from lie so many, by flag
        ("arriving_pages", i8),  # read in this slice, not yet on a list
        ("arriving_windows", i8),  # as so many reads
        ("begun_windows", f8),  # of a stream: the part of a window it had when the slice began
        ("pace_windows", f8),  # and how many it reads in the slice
        ("arriving_demanded_pages", i8),  # of them, those demanded and not read ahead
        ("arriving_active_pages", i8),  # refaults whose distance was short
        ("cells", f8, (NR_LISTS, NR_FLAGS, NR_BINS)),
        ("shadow_pages", i8, (NR_EVICTORS, NR_COHORTS)),
        ("shadow_age", f8, (NR_EVICTORS, NR_COHORTS)),  # mean clock at eviction
    ],
    align=True,
)

WORKLOAD = np.dtype(
    [
        ("kind", i8),
        ("memcg", i8),
        ("cpu_node", i8),
        ("policy", i8),
        ("node_mask", i8),
        ("bound", i8),  # node_mask is a strict subset: constrained OOM
        ("interleave_next", i8),
        ("first_class", i8),
        ("nr_classes", i8),
        ("dying", i8),
        ("start_s", f8),
        ("stop_s", f8),
        ("threads", f8),
        ("think_s", f8),
        ("op_cpu_s", f8),
        ("pages_per_op", f8),
        ("ops_per_s", f8),  # open loop; 0: closed
        ("max_backlog_ops", f8),
        ("backlog_ops", f8),
        ("stalled_s", f8),  # thread seconds lost in the last slice, and beyond the time of those before
        ("sleep_debt_s", f8),  # memory.high sleeps still to be slept
        ("owed_batches", i8),  # charged over high, reclaim for them still owed
        ("high_fruitless", i8),  # calls for the batch under way that freed nothing
        ("missed_ops", f8),  # in this slice: operations that waited for the device
        ("waited_s", f8),  # in this slice: thread seconds they waited
        ("throughput_per_s", f8),
        ("is_due", i8),  # a reader whose part of this slice is planned and still to come
        ("nr_breakpoints", i8),
        ("breakpoint_s", f8, (MAX_BREAKPOINTS,)),
        ("breakpoint_pages", f8, (MAX_BREAKPOINTS,)),
        ("anon_pages", i8, (MAX_NODES,)),
        ("swapped_pages", i8),
        ("churn_pages_per_s", f8),  # freed and touched again
        ("burst_pages", i8),
        ("period_s", f8),
        ("hold_s", f8),
        ("phase_s", f8),  # offset of the bursts, drawn per episode
        ("nr_bursts", i8),
        ("carry_pages", f8),  # fraction of a page still to be asked for, or given back
        ("oom_score_adj", f8),
        ("restart_s", f8),
        ("restart_at_s", f8),
        ("no_progress_loops", i8),
        ("ops", f8),
        ("lost_ops", f8),
        ("stall_s", f8),
        ("refault_wait_s", f8),
        ("allocstall", i8),
        ("oom_kill", i8),
        ("oomd_kill", i8),
        ("latency_ops", f8, (NR_LATENCY_BINS,)),
    ],
    align=True,
)

EVENT = np.dtype(
    [
        ("at_s", f8),
        ("kind", i8),  # MEMCG_HIGH, MEMCG_MAX: that limit is written; PROACTIVE: memory.reclaim; or a switch
        ("target", i8),
        ("pages", i8),
    ],
    align=True,
)

HOTPLUG = np.dtype(
    [
        ("at_s", f8),
        ("kind", i8),  # ONLINE, OFFLINE: blocks; INFLATE, DEFLATE: a balloon
        ("nid", i8),
        ("left_pages", i8),  # still to be done
    ],
    align=True,
)

SWAP = np.dtype(
    [
        ("total_pages", i8),  # slots
        ("on", i8),
        ("used_pages", i8),
        ("readahead_pages", i8),
        ("page_cpu_s", f8),  # store or load one page
        ("pool_ratio", f8),  # memory a stored page keeps
    ],
    align=True,
)

DEVICE = np.dtype(
    [
        ("latency_s", f8),
        ("request_s", f8),  # device time of the smallest read
        ("page_s", f8),  # and of each page, where bandwidth is what bounds
        ("backlog_s", f8),  # device time that reads of earlier slices still need
        ("submitted_s", f8),  # and those of this slice
        ("queue_s", f8),  # device time before a read of this slice: what it leaves behind
        ("used_s", f8),
    ],
    align=True,
)

PSI = np.dtype(
    [
        ("total_s", f8, (NR_PRESSURES,)),
        ("avg10_ratio", f8, (NR_PRESSURES,)),
        ("avg60_ratio", f8, (NR_PRESSURES,)),
        ("sampled_s", f8, (NR_PRESSURES,)),  # totals when the averages were last brought up to date
        ("next_update_s", f8),
        ("reclaiming_before_s", f8),  # thread seconds until the last tick
        ("slept_before_s", f8),
        ("read_before_s", f8),
        ("workingset_before_s", f8),
        ("working_before_s", f8),
    ],
    align=True,
)

OOMD = np.dtype(
    [
        ("limit_ratio", f8),  # 0: there is none
        ("duration_s", f8),
        ("above_since_s", f8),  # -1: it is not
        ("next_look_s", f8),
    ],
    align=True,
)

COST = np.dtype(
    [
        ("scan_s", f8),  # examine one unmapped page
        ("scan_mapped_s", f8),
        ("free_s", f8),
        ("unmap_s", f8),
        ("pass_s", f8),  # one shrink_node() pass, before its pages
        ("pass_memcg_s", f8),  # and per cgroup walked
        ("direct_entry_s", f8),
        ("anon_fault_s", f8),
        ("anon_free_s", f8),
        ("migrate_s", f8),
        ("tlb_s", f8),  # a page touched sooner after its young bit was cleared leaves no trace
    ],
    align=True,
)

# struct scan_control of the task's call under way.
SCAN_CONTROL = np.dtype(
    [
        ("nr_merged", i8),  # passes at higher priorities made as one with the one under way, besides it
        ("full_walk", i8),
        ("force_deactivate", i8),
        ("low_ignored", i8),
        ("skipped_deactivate", i8),
        ("skipped_low", i8),
        ("same_members", i8),  # of a crowd it is those again that made the last call
    ],
    align=True,
)

ENV = np.dtype(
    [
        ("seed", u8),
        ("episode", i8),
        ("tick", i8),
        ("slice", i8),
        ("nr_scans", i8),  # list scans in this slice: the index of their draws
        ("time_s", f8),
        ("tick_s", f8),
        ("slice_s", f8),
        ("now_s", f8),  # the moment of the slice at which the task under way acts
        ("nr_nodes", i8),
        ("nr_memcgs", i8),
        ("first_memcg", i8),  # where a walk of the tree begins: the root, if anything lives in it
        ("nr_cpus", i8),
        ("nr_members", i8),  # cgroups with all members counted: what one walk visits
        ("nr_lruvecs", i8),  # nodes x cgroups; twice that where anonymous memory can leave
        ("nr_classes", i8),
        ("nr_sets", i8),
        ("nr_anon_classes", i8),  # after the others; 0: anonymous memory has no lists, and nobody looks at it
        ("nr_workloads", i8),
        ("nr_events", i8),
        ("next_event", i8),
        ("flush_phase_s", f8),  # when in its period the worker flushes the statistics
        ("fill_s", f8),  # a page, while the machine was filled right before the start; 0: it has settled
        ("nr_hotplugs", i8),
        ("user_min_free_kib", i8),  # 0: never written
        ("thp", i8),
        ("watermark_scale_factor", i8),
        ("watermark_boost_factor", i8),
        ("counts_boosted_runs", i8),  # kernel preset: until 6.18 a fruitless boosted run is a failure
        ("free_path_reset", i8),  # kernel preset: the 6.18 reset when free climbs above high
        ("demotion_reset", i8),  # kernel preset: the 6.18 reset when demotion is switched on
        ("swappiness", i8),
        ("demotion_enabled", i8),
        # Scratch of single functions: kernels allocate nothing.
        ("granted_pages", i8, (MAX_NODES,)),  # what the last allocation got, by node
        ("sc", SCAN_CONTROL),
        ("descent_s", f8),  # when the task's descent under way began
        ("looks_again", i8),  # the scan under way meets the pages its descent put back a moment ago
        ("aims_head", i8),  # ... and finds them at the head
        ("bin_pages", f8, (NR_BINS,)),
        ("taken_ratio", f8, (NR_BINS,)),  # of each bin, by the scan under way
        ("cleared_pages", f8, (NR_BINS,)),  # in each bin, whose young bit was cleared once
        ("flag_pages", f8, (NR_FLAGS,)),
        ("poured_ratio", f8, (NR_BINS, NR_BINS)),  # bin levelling: of each old bin what each new one gets
        ("levelled", f8, (NR_BINS,)),
        ("pageout_s", f8),  # time the scan under way spent moving pages to swap or to the lower tier
        ("write_wait_s", f8),  # of it, asleep until the swap device had room
        ("cost", COST),
        ("device", DEVICE),
        ("psi", PSI),
        ("swap", SWAP),
        ("swap_device", DEVICE),
        ("oomd", OOMD),
        ("node", NODE, (MAX_NODES,)),
        ("memcg", MEMCG, (MAX_MEMCGS,)),
        ("lruvec", LRUVEC, (MAX_LRUVECS,)),
        ("class_", CLASS, (MAX_CLASSES,)),
        ("set_", SET, (MAX_SETS,)),
        ("workload", WORKLOAD, (MAX_WORKLOADS,)),
        ("event", EVENT, (MAX_EVENTS,)),
        ("hotplug", HOTPLUG, (MAX_EVENTS,)),
    ],
    align=True,
)


def alloc(num_envs: int) -> np.ndarray:
    """(num_envs,) zeroed machines."""
    return np.zeros(num_envs, ENV)
