/* What the guest is to do: the program text of translate.py, parsed. Sizes are pages, times microseconds. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { PAGE_BYTES = 4096, MAX_NODES = 4, NAME_BYTES = 96, NO_LIMIT = -1, ROOT = -1 };

enum kind { ANON, READER, STREAM };
enum policy { LOCAL, BIND, PREFERRED, INTERLEAVE };
enum access { READ, MMAP, EXEC };
enum limit { LIMIT_MIN, LIMIT_LOW, LIMIT_HIGH, LIMIT_MAX, LIMITS };

struct sysctl {
	char name[NAME_BYTES];
	int64_t value;
};

struct cgroup {
	char name[NAME_BYTES];
	int parent; /* its index, or ROOT */
	int64_t count;
	int64_t limit_pages[LIMITS];
	int64_t *overhead_pages; /* of each member: charged to it, and none of the workloads' pages */
};

struct point {
	int64_t at_us, pages;
};

struct file {
	char path[NAME_BYTES]; /* member m reads PATH.m */
	int64_t pages, readahead_pages;
	double share;
	int access;
	bool loop;
	int64_t on_us, off_us; /* 0: always on */
	int64_t inactive_pages[MAX_NODES], active_pages[MAX_NODES];
};

struct workload {
	int kind;
	char name[NAME_BYTES];
	int cgroup; /* index, or ROOT */
	int64_t cpu_node, nodes, threads;
	int policy;

	/* anon */
	double churn_pages_per_s;
	int64_t burst_pages, burst_every_us, burst_hold_us, oom_score_adj, restart_us;
	int64_t initial_pages[MAX_NODES];
	struct point *points;
	int nr_points;

	/* reader and stream */
	int64_t start_us, stop_us, think_us;
	double op_cpu_us, pages_per_op, ops_per_s, max_backlog_ops, pages_per_s;
	struct file *files;
	int nr_files;
};

struct event {
	int64_t at_us, pages;
	char file[NAME_BYTES];
	int cgroup;
};

struct program {
	int64_t duration_us, sample_us, seed, reset_rule, free_path_reset;
	int64_t kernel_pages[MAX_NODES];
	bool hopeless[MAX_NODES];
	int nr_nodes;
	struct sysctl *sysctls;
	int nr_sysctls;
	struct cgroup *cgroups;
	int nr_cgroups;
	struct workload *workloads;
	int nr_workloads;
	struct event *events;
	int nr_events;
};

/* Reads a whole program; fails on the first line it does not understand. */
struct program *parse_program(FILE *text);

/* How many processes a workload stands for. */
int64_t members_of(const struct program *program, const struct workload *workload);

#endif
