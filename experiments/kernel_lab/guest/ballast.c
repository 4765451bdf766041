#define _GNU_SOURCE
#include "ballast.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fail.h"
#include "machine.h"

/* The node's Normal zone is the only one that manages pages. */
void read_watermarks(int node, struct ballast *ballast)
{
	char heading[32];
	const char *zone;

	snprintf(heading, sizeof(heading), "Node %d, zone   Normal", node);
	zone = strstr(read_text("/proc/zoneinfo"), heading);
	if (zone == NULL)
		fail("/proc/zoneinfo: found no %s", heading);
	ballast->managed_pages = number_after(zone, "managed", 0);
	ballast->min_pages = number_after(zone, "min", 0);
	ballast->low_pages = number_after(zone, "low", 0);
	ballast->high_pages = number_after(zone, "high", 0);
}

int64_t free_pages_of(int node)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/vmstat", node);
	return number_after(read_text(path), "nr_free_pages", 0);
}

static void lock_pages(int node, int64_t pages)
{
	size_t bytes = (size_t)(pages * PAGE_BYTES);
	void *memory;

	bind_to_node(node);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || mlock(memory, bytes) != 0)
		fail("node %d: no room for a ballast of %lld pages", node, (long long)pages);
	set_policy(LOCAL, 0);
}

void load_ballast(const struct program *program, struct ballast *ballasts)
{
	for (int node = 0; node < program->nr_nodes; node++) {
		struct ballast *ballast = &ballasts[node];
		int64_t used_pages, missing_pages;

		read_watermarks(node, ballast);
		used_pages = ballast->managed_pages - free_pages_of(node);
		missing_pages = program->kernel_pages[node] - used_pages;
		if (missing_pages > 0)
			lock_pages(node, missing_pages);
		ballast->locked_pages = missing_pages > 0 ? missing_pages : 0;
		ballast->shortfall_pages = missing_pages < 0 ? -missing_pages : 0;
	}
}
