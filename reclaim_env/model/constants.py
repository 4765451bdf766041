"""Numbers the kernel fixes, each with the file that fixes it (Linux 6.12), and the model's own names.

What is passed to model functions is np.int64: a plain int would be a type of its own to numba for
every value, and every function compiled anew for each.
"""

import numpy as np

PAGE_BYTES = 4096
KIB_PER_PAGE = PAGE_BYTES // 1024

# mm/vmscan.c, include/linux/mmzone.h, include/linux/swap.h, mm/internal.h
DEF_PRIORITY = 12
SWAP_CLUSTER_MAX = np.int64(32)
MAX_RECLAIM_RETRIES = 16  # kswapd gives up, and the allocator stops retrying, after as many
KSWAPD_DOZE_S = 0.1  # HZ/10 in kswapd_try_to_sleep()

# include/linux/memcontrol.h, mm/memcontrol.c
MEMCG_CHARGE_BATCH = np.int64(64)
MEMCG_MAX_HIGH_DELAY_S = 2.0
MEMCG_HIGH_DELAY_IGNORED_S = 0.01  # shorter penalties are not slept

# mm/page_alloc.c, mm/khugepaged.c, mm/vmscan.c
MIN_FREE_KIB_FLOOR = 128
MIN_FREE_KIB_CEILING = 262_144
THP_MIN_FREE_PAGES_PER_ZONE = 5632  # 512 * 2 + 512 * 9
DMA_ZONES = 2  # DMA and DMA32, both on node 0
PAGES_PER_GIB = 262_144

# include/linux/pageblock-flags.h: a block of pages of one migrate type, 2 MiB on x86
PAGEBLOCK_PAGES = 512

# mm/shrinker.c; 21 directory entries of 192 bytes lie in a page
SHRINK_BATCH = 128
SLAB_OBJECTS_PER_PAGE = 21

# Where a page's list and flags are kept in SET.cells
INACTIVE, ACTIVE = (np.int64(i) for i in range(2))
UNREFERENCED, REFERENCED, FRESH = (
    np.int64(i) for i in range(3)
)  # FRESH: mapped and young since the fault that brought it
NR_LISTS, NR_FLAGS, NR_BINS = 2, 3, 8

# How a class of file pages is touched
READ, MMAP, EXEC = (np.int64(i) for i in range(3))

# Who evicted a page: its refault distance is measured on that clock (mm/workingset.c)
BY_NODE, BY_LIMIT = (np.int64(i) for i in range(2))
NR_EVICTORS, NR_COHORTS = 2, 3

# kswapd's phases
SLEEP, RUN, DOZE = (np.int64(i) for i in range(3))

# Who made the progress that may clear kswapd_failures; OTHER is no progress: a rule's probe, or
# demotion switched on
KSWAPD, GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE, FREE_PATH, OTHER = (np.int64(i) for i in range(7))
REASONS = ("kswapd", "global_direct", "memcg_high", "memcg_max", "proactive", "free_path", "other")
NR_REASONS = len(REASONS)

# What a rule asks of the node at a progress event (reset_signal.py)
NO_SIGNAL, FEW_REFAULTS, AWARE, PRICE, GAP, GAP_STALL = (np.int64(i) for i in range(6))

# What the clock switches besides a cgroup's limits, which go by the reasons above
SWAPON, DEMOTION_ON, DEMOTION_OFF = (np.int64(16 + i) for i in range(3))

# Whose scan control: kswapd's passes last longer than a task's, and both may be under way
BY_KSWAPD, BY_TASK = (np.int64(i) for i in range(2))
NR_SCANNERS = 2

# Memory policies (mm/mempolicy.c); PREFERRED differs from LOCAL only in where the walk starts
LOCAL, BIND, PREFERRED, INTERLEAVE = (np.int64(i) for i in range(4))

# What happens to memory itself
ONLINE, OFFLINE, INFLATE, DEFLATE = (np.int64(i) for i in range(4))

# Pressure (kernel/sched/psi.c)
IO_SOME, IO_FULL, MEMORY_SOME, MEMORY_FULL = (np.int64(i) for i in range(4))
PRESSURES = ("io_some", "io_full", "memory_some", "memory_full")
NR_PRESSURES = len(PRESSURES)

# What a workload does
ANON, READER, STREAM, ATOMIC = (np.int64(i) for i in range(4))

# "Everything" in the places of a cgroup's row, a node mask, and a number of calls
ROOT = np.int64(-1)
ALL_NODES = np.int64(-1)
ONE = np.int64(1)
MIN_WMARK, LOW_WMARK = (np.int64(i) for i in range(2))
