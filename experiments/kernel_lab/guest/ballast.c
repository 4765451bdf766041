#define _GNU_SOURCE
#include "ballast.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fail.h"
#include "machine.h"
#include "nodes.h"

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

/* What CPUs have counted and not yet told. */
static void bring_counters_up_to_date(void)
{
	write_text("/proc/sys/vm/stat_refresh", "1");
}

int64_t free_pages_of(int node)
{
	int64_t pages[NODE_SIZES];

	read_node_sizes(node, pages);
	return pages[FREE];
}

static int64_t listed_pages_of(int node)
{
	int64_t pages[NODE_SIZES], listed = 0;

	read_node_sizes(node, pages);
	for (int i = INACTIVE_FILE; i < NODE_SIZES; i++)
		listed += pages[i];
	return listed;
}

static void lock_pages(int node, struct ballast *ballast, int64_t pages)
{
	size_t bytes = (size_t)(pages * PAGE_BYTES);

	bind_to_node(node);
	ballast->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ballast->memory == MAP_FAILED || mlock(ballast->memory, bytes) != 0)
		fail("node %d: no room for a ballast of %lld pages", node, (long long)pages);
	ballast->locked_pages = pages;
	set_policy(LOCAL, 0);
}

void load_ballast(const struct program *program, struct ballast *ballasts)
{
	for (int node = 0; node < program->nr_nodes; node++) {
		struct ballast *ballast = &ballasts[node];
		int64_t used_pages, missing_pages;

		bring_counters_up_to_date();
		read_watermarks(node, ballast);
		used_pages = ballast->managed_pages - free_pages_of(node);
		missing_pages = program->kernel_pages[node] - used_pages;
		if (missing_pages > 0)
			lock_pages(node, ballast, missing_pages);
		ballast->shortfall_pages = missing_pages < 0 ? -missing_pages : 0;
		bring_counters_up_to_date();
		ballast->free_pages = free_pages_of(node);
		ballast->listed_pages = listed_pages_of(node);
	}
}

void trim_ballast(const struct program *program, struct ballast *ballasts)
{
	bring_counters_up_to_date();
	for (int node = 0; node < program->nr_nodes; node++) {
		struct ballast *ballast = &ballasts[node];
		int64_t taken_pages = ballast->free_pages - free_pages_of(node);
		int64_t surplus_pages = taken_pages - (listed_pages_of(node) - ballast->listed_pages);

		if (surplus_pages <= 0)
			continue;
		if (surplus_pages > ballast->locked_pages) {
			ballast->shortfall_pages += surplus_pages - ballast->locked_pages;
			surplus_pages = ballast->locked_pages;
		}
		ballast->locked_pages -= surplus_pages;
		munmap(ballast->memory + ballast->locked_pages * PAGE_BYTES, (size_t)(surplus_pages * PAGE_BYTES));
	}
}
