"""Numbers the kernel fixes (Linux 6.12, never scaled), and the names of what the records hold."""

DEF_PRIORITY = 12
SWAP_CLUSTER_MAX = 32
MAX_RECLAIM_RETRIES = 16
CHARGE_BATCH = 64
DOZE_S = 0.1
MAX_HIGH_DELAY_S = 2.0
IGNORED_HIGH_DELAY_S = 0.01
FLUSH_S = 2.0
PAGES_PER_GIB = 262_144

INACTIVE, ACTIVE = 0, 1
READ, MMAP, EXEC = 0, 1, 2
SLEEP, RUN, DOZE = 0, 1, 2

# Who made progress: bit r of a reset rule's masks
KSWAPD, GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE, FREE_PATH = range(6)
REASONS = ("kswapd", "global_direct", "memcg_high", "memcg_max", "proactive", "free_path")

ANON, READER, STREAM, ATOMIC = range(4)

# What an event of the queue is about
THREAD, ARRIVAL, KSWAPD_STEP, DOZE_END, ANON_DEMAND, SWITCH, FLUSH, LIMIT, BURST = range(9)

ROOT = 0  # the root cgroup's row; rows lie in preorder, so a subtree is a range
NOWHERE = -1
