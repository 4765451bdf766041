"""The state of one machine, page by page: arrays of records, one row a page, list, cgroup, thread.

Pages are whole, times seconds. Anonymous pages that can never leave are inert and are counted, not listed.
"""

from typing import NamedTuple

import numpy as np

from .names import NR_LISTS, REASONS

MAX_NODES = 8
MAX_POINTS = 16
i1, i4, i8, u8, f8 = np.int8, np.int32, np.int64, np.uint64, np.float64

# Counters of a node, by the names of /proc/vmstat where it has them
COUNTERS = (
    "pgscan_kswapd",
    "pgsteal_kswapd",
    "pgscan_direct",
    "pgsteal_direct",
    "pgscan_file",
    "pgsteal_file",
    "pgrefill",
    "pgactivate",
    "pgdeactivate",
    "allocstall",
    "pgscan_direct_throttle",
    "pageoutrun",
    "kswapd_low_wmark_hit_quickly",
    "kswapd_high_wmark_hit_quickly",
    "kswapd_fruitless_runs",
    "pgmajfault",
    "pgpgin",
    "workingset_refault_file",
    "workingset_activate_file",
    "numa_hit",
    "numa_miss",
    "numa_foreign",
    "oom_kill",
    "atomic_fail",
    "slabs_scanned",
    "pgscan_anon",
    "pgsteal_anon",
    "pswpin",
    "pswpout",
    "workingset_refault_anon",
    "workingset_activate_anon",
    "pgdemote_kswapd",
    "pgdemote_direct",
)
SECONDS = ("kswapd_cpu_s", "stall_s", "limit_reclaim_s", "high_delay_s", "refault_wait_s")

NODE = np.dtype(
    [
        ("managed_pages", i8),
        ("unusable_pages", i8),
        ("kernel_pages", i8),
        ("free_pages", i8),
        ("min_pages", i8),
        ("low_pages", i8),
        ("high_pages", i8),
        ("boost_pages", i8),  # the marks hold it
        ("run_boost_pages", i8),
        ("boost_left_pages", i8),
        ("slab_pages", i8),
        ("slab_objects", i8),
        ("slab_deferred", i8),
        ("slab_per_s", f8),
        ("list_pages", i8, (NR_LISTS,)),
        ("swapped_pages", i8),  # came from here and are in slots
        ("pool_pages", i8),  # kernel memory that holds them, compressed
        ("demotes_to", i8),  # NOWHERE: to none
        ("churn_frames", i8),  # of the batch of churn under way
        ("balloon_pages", i8),
        ("zonelist", i8, (MAX_NODES,)),
        ("below_high", i8),
        ("kswapd_failures", i8),
        ("phase", i8),
        ("cpu_share", f8),
        ("doze_number", i8),  # an end of an earlier doze is not this one's
        ("throttled", i8),  # threads that wait for this node's kswapd
        ("priority", i8),
        ("in_run", i8),
        ("in_pass", i8),
        ("pass_memcg", i8),
        ("is_aimed", i8),  # the cgroup under the pass has its targets set
        ("is_skipped", i8),  # it is protected
        ("lruvec_reclaimed", i8),
        ("pass_scanned", i8),
        ("pass_reclaimed", i8),
        ("run_reclaimed", i8),
        ("trim_forbidden", i8),
        ("trim_failed", i8),
        ("always_mask", i8),
        ("balanced_mask", i8),
        ("coin_mask", i8),
        ("first_fruitless_s", f8),
        ("first_hopeless_s", f8),
        ("hopeless_since_s", f8),
        ("hopeless_s", f8),  # of periods that are over
        *((name, i8) for name in COUNTERS),
        *((name, f8) for name in SECONDS),
        ("progress", i8, (len(REASONS),)),
        ("resets", i8, (len(REASONS),)),
        ("revivals", i8, (len(REASONS),)),
    ],
    align=True,
)

LRUVEC = np.dtype(
    [
        ("head", i8, (NR_LISTS,)),
        ("tail", i8, (NR_LISTS,)),
        ("pages", i8, (NR_LISTS,)),
        ("stat_pages", i8, (NR_LISTS,)),  # of the subtree, as last flushed
        ("activated", i8, (2,)),  # WORKINGSET_ACTIVATE_FILE, _ANON, own
        ("stat_activated", i8, (2,)),  # of the subtree, as last flushed
        ("snapshot", i8, (2,)),
        ("cost", i8, (2,)),  # file_cost, anon_cost
        ("nonresident_age", i8),
    ],
    align=True,
)

MEMCG = np.dtype(
    [
        ("table", i8),  # row of the scenario's cgroups; -1 the root
        ("parent", i8),
        ("end", i8),  # its subtree is the rows from itself to here
        ("min_pages", i8),
        ("low_pages", i8),
        ("high_pages", i8),
        ("max_pages", i8),
        ("swap_max_pages", i8),
        ("swap_pages", i8),  # in slots, with descendants
        ("emin_pages", f8),
        ("elow_pages", f8),
        ("usage_pages", i8),  # with descendants and what is charged ahead
        ("stock_pages", i8),  # charged ahead
        ("cursor", i8, (MAX_NODES,)),  # of partial walks of this subtree
        ("pgscan", i8),
        ("pgsteal", i8),
        ("refaults", i8),
        ("events_low", i8),
        ("events_high", i8),
        ("events_max", i8),
        ("events_oom_kill", i8),
    ],
    align=True,
)

PAGE = np.dtype(
    [
        ("prev", i4),
        ("next", i4),
        ("lru", i4),  # NR_LISTS * lruvec + list; NOWHERE: absent
        ("class_", i4),
        ("absent_at", i4),  # its place among the class's absent pages; of unused anonymous memory NOWHERE
        ("shadow", i4),  # lruvec of the evictor; NOWHERE: no shadow
        ("referenced", i1),
        ("workingset", i1),
        ("young", i1),  # touched since the bit was cleared, for certain
        ("shadow_age", i8),
        ("cleared_touches", f8),  # touches of its class when its young bit was cleared
        ("cleared_s", f8),
        ("ready_s", f8),  # until then it is locked: its read is under way
    ],
    align=True,
)

CLASS = np.dtype(
    [
        ("memcg", i8),
        ("instance", i8),
        ("access", i8),
        ("loop", i8),
        ("one_touch", i8),
        ("first_page", i8),
        ("pages", i8),
        ("absent", i8),
        ("readahead", i8),
        ("share", f8),
        ("on", i8),
        ("next_page", i8),  # of a file read in order; of a stream: its first free slot
        ("touches", f8),
        ("next_switch", i8),
        ("last_switch", i8),
        # Of a heat: a part of a process's anonymous memory; its absent pages are in slots
        ("anon", i8),
        ("unused", i8),  # room for pages, at the end of the class's absent ones
        ("touch_per_s", f8),
        ("use_s", f8),  # how long its pages have been touched
        ("caught_up_s", f8),  # until when use_s and missed_touches are reckoned
        ("missed_touches", f8),  # expected since the last swap-in
        ("next_touch", f8),  # of them the one that comes true
        ("is_due", i8),  # its event is in the queue
        ("is_held_up", i8),  # no thread was free to take it
        ("evicted", i8),
        ("refaulted", i8),
        ("activated", i8),  # with recent refaults
    ],
    align=True,
)

INSTANCE = np.dtype(
    [
        ("table", i8),  # row of the scenario's workloads
        ("kind", i8),
        ("memcg", i8),
        ("cpu_node", i8),
        ("interleaves", i8),
        ("node_mask", i8),
        ("bound", i8),
        ("interleave_next", i8),
        ("first_class", i8),
        ("nr_classes", i8),
        ("all_mapped", i8),
        ("first_thread", i8),
        ("nr_threads", i8),
        ("think_s", f8),
        ("op_cpu_s", f8),
        ("pages_per_op", f8),
        ("ops_per_s", f8),
        ("arrival_s", f8),  # of the next operation
        ("max_backlog", f8),
        ("backlog", f8),
        ("start_s", f8),
        ("stop_s", f8),
        ("nr_points", i8),
        ("point_s", f8, (MAX_POINTS,)),
        ("point_pages", f8, (MAX_POINTS,)),
        ("anon_pages", i8, (MAX_NODES,)),
        ("swapped_pages", i8),
        ("nr_waiting", i8),  # threads that wait for a page from swap
        ("churn_per_s", f8),
        ("churn_due", f8),
        ("churned_s", f8),
        ("burst_pages", i8),
        ("period_s", f8),
        ("hold_s", f8),
        ("phase_s", f8),
        ("oom_score_adj", f8),
        ("restart_s", f8),
        ("restart_at_s", f8),
        ("dying", i8),
        ("ops", f8),
        ("lost_ops", f8),
        ("stall_s", f8),
        ("allocstall", i8),
    ],
    align=True,
)

THREAD_ = np.dtype(
    [
        ("instance", i8),
        ("at_s", f8),  # its next turn; inf: none
        ("is_queued", i8),  # for it or an earlier one
        ("idle", i8),
        ("in_op", i8),
        ("touches_left", f8),
        ("missed_page", i8),  # the miss it could not finish; NOWHERE: none
        ("over_high", i8),  # pages charged while over memory.high
        ("no_progress", i8),
        ("waits_for", i8),  # node whose kswapd it waits for; NOWHERE: none
    ],
    align=True,
)

SWITCH_ = np.dtype([("at_s", f8)], align=True)
STEAL_ = np.dtype([("at_s", f8), ("node", i8)], align=True)
# What a pass goes by, and what it has left to do in the cgroup under it
CONTROL = np.dtype(
    [
        ("priority", i8),
        ("may_swap", i8),
        ("may_deactivate", i8, (2,)),
        ("trim", i8),
        ("file_is_tiny", i8),
        ("weight", i8, (2,)),
        ("target_pages", i8, (NR_LISTS,)),
        ("to_scan", i8, (NR_LISTS,)),
    ],
    align=True,
)
PLUG_ = np.dtype([("at_s", f8), ("kind", i8), ("node", i8), ("pages", i8)], align=True)
DEVICE_ = np.dtype(
    [("free_s", f8), ("used_s", f8), ("latency_s", f8), ("request_s", f8), ("page_s", f8)], align=True
)
LIMIT_ = np.dtype([("at_s", f8), ("reason", i8), ("memcg", i8), ("pages", i8)], align=True)
EVENT = np.dtype([("at_s", f8), ("number", i8), ("kind", i8), ("of", i8)], align=True)

SYSTEM = np.dtype(
    [
        ("time_s", f8),
        ("random", u8),
        ("nr_events", i8),
        ("nr_scheduled", i8),
        ("nr_nodes", i8),
        ("nr_memcgs", i8),
        ("nr_walked", i8),  # cgroups one full walk pays for
        ("free_path_reset", i8),
        ("counts_boosted_runs", i8),
        ("boost_factor", i8),
        ("has_anon_lists", i8),
        ("swappiness", i8),
        ("swap_on", i8),
        ("swap_pages", i8),  # slots
        ("swap_used_pages", i8),
        ("swap_window", i8),
        ("swap_cpu_s", f8),  # of a page stored or loaded
        ("pool_ratio", f8),
        ("demotion_on", i8),
        ("migrate_s", f8),
        ("scale_factor", i8),  # vm.watermark_scale_factor
        ("user_min_free_kib", i8),
        ("thp", i8),
        ("scan_s", f8),
        ("scan_mapped_s", f8),
        ("free_s", f8),
        ("unmap_s", f8),
        ("pass_s", f8),
        ("pass_memcg_s", f8),
        ("direct_entry_s", f8),
        ("anon_fault_s", f8),
        ("anon_free_s", f8),
        ("tlb_s", f8),
        ("running", i8),  # the thread whose turn it is; NOWHERE: nobody's
        # of the task's descents since the event under way began
        ("spent_s", f8),
        ("write_wait_s", f8),  # of what reclaim takes, asleep behind the swap device
        ("skipped_deactivate", i8),
        ("skipped_low", i8),
    ],
    align=True,
)


class Machine(NamedTuple):
    """Views of one machine's records; `system` has one row."""

    system: np.ndarray
    node: np.ndarray
    lruvec: np.ndarray  # nid * nr_memcgs + memcg
    memcg: np.ndarray
    page: np.ndarray
    absent: np.ndarray  # pages of a class that are absent, from its first_page on
    class_: np.ndarray
    instance: np.ndarray
    thread: np.ndarray
    switch: np.ndarray
    steal: np.ndarray
    limit: np.ndarray
    plug: np.ndarray  # what is left of each request
    control: np.ndarray  # of every node's kswapd; the last row: of tasks
    device: np.ndarray
    event: np.ndarray  # a heap by time
