/* Delay accounting of whole processes, by taskstats: what no file of /proc tells. */
#ifndef STALLS_H
#define STALLS_H

#include <stdint.h>
#include <sys/types.h>

/* Not the delay of block IO: seen to jump by the whole time since the last wait, and io.pressure tells as much. */
struct stalls {
	int64_t direct_ns; /* in direct reclaim, for the allocator or for a cgroup's limit */
	int64_t thrashing_ns, run_delay_ns;
};

void open_stalls(void);

/* Adds those of a process, all its threads together; nothing if it has ended. */
void add_stalls(pid_t pid, struct stalls *stalls);

#endif
