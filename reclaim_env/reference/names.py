"""Numbers the kernel fixes (Linux 6.12, never scaled), and the names of what the records hold.

What is passed to compiled functions is np.int64: numba compiles a function anew for every plain int.
"""

import numpy as np

DEF_PRIORITY = 12
SWAP_CLUSTER_MAX = np.int64(32)
MAX_RECLAIM_RETRIES = 16
CHARGE_BATCH = np.int64(64)
DOZE_S = 0.1
MAX_HIGH_DELAY_S = 2.0
IGNORED_HIGH_DELAY_S = 0.01
FLUSH_S = 2.0
PAGES_PER_GIB = 262_144
PAGEBLOCK = np.int64(512)
SHRINK_BATCH = np.int64(128)
OBJECTS_PER_PAGE = np.int64(21)  # names and inodes
LOWEST_BOOSTED_PRIORITY = DEF_PRIORITY - 2

# Lists: of each type the inactive one, then the active one
FILE, ANON_TYPE = (np.int64(i) for i in range(2))
INACTIVE, ACTIVE, INACTIVE_ANON, ACTIVE_ANON = (np.int64(i) for i in range(4))
NR_LISTS = np.int64(4)
READ, MMAP, EXEC = (np.int64(i) for i in range(3))
SLEEP, RUN, DOZE = (np.int64(i) for i in range(3))

# Who made progress: bit r of a reset rule's masks; OTHER makes none: demotion switched on
KSWAPD, GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE, FREE_PATH, OTHER = (np.int64(i) for i in range(7))
REASONS = ("kswapd", "global_direct", "memcg_high", "memcg_max", "proactive", "free_path", "other")
# What the clock switches besides limits, which go by the reasons above
SWAPON, DEMOTION_ON, DEMOTION_OFF = (np.int64(16 + i) for i in range(3))

# What is scanned of a cgroup: one type, both alike, or both by their costs
ONLY_FILE, ONLY_ANON, EQUAL, BY_COST = (np.int64(i) for i in range(4))
MAX_SWAPPINESS = 200
WRITEBACK_S = 0.1  # of queued writes are let be; who queues more sleeps

# What happens to memory itself
ONLINE, OFFLINE, INFLATE, DEFLATE = (np.int64(i) for i in range(4))
THP_PAGES_PER_ZONE = 5632  # that huge pages ask to be kept free

# Devices
DISK, SWAP = (np.int64(i) for i in range(2))

ANON, READER, STREAM, ATOMIC = (np.int64(i) for i in range(4))

# What an event of the queue is about
THREAD, ARRIVAL, KSWAPD_STEP, DOZE_END, ANON_DEMAND, SWITCH, FLUSH, LIMIT, BURST, BOOST, SLAB = (
    np.int64(i) for i in range(11)
)
TOUCH, HOTPLUG = (np.int64(11 + i) for i in range(2))

ROOT = np.int64(0)  # the root cgroup's row; rows lie in preorder, so a subtree is a range
NOWHERE = np.int64(-1)
ALL_NODES = np.int64(-1)  # as a mask
