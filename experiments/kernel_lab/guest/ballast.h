/* Memory locked on each node, so that what is neither free nor on a list is the scenario's kernel_mib. */
#ifndef BALLAST_H
#define BALLAST_H

#include "program.h"

struct ballast {
	int64_t managed_pages, min_pages, low_pages, high_pages;
	char *memory;
	int64_t locked_pages;
	int64_t shortfall_pages; /* what the kernel itself needs beyond kernel_mib */

	int64_t free_pages, listed_pages; /* when it was loaded */
};

/* From /proc/zoneinfo. */
void read_watermarks(int node, struct ballast *ballast);
int64_t free_pages_of(int node);

void load_ballast(const struct program *program, struct ballast *ballasts);

/* Gives back what the filling cost besides its pages: page tables, inodes. */
void trim_ballast(const struct program *program, struct ballast *ballasts);

#endif
