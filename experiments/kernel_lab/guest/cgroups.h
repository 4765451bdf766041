/* The scenario's cgroups (v2). Members of `count = N` lie below one cgroup that has their sums. */
#ifndef CGROUPS_H
#define CGROUPS_H

#include "program.h"

void make_cgroups(const struct program *program);

/* Once the machine is filled: what stacks, page tables and inodes have cost each member. */
void measure_overheads(struct program *program);
void set_limits(const struct program *program);

/* The folder of the whole table, and of one member of it. */
void cgroup_path(const struct program *program, int cgroup, char *path);
void member_path(const struct program *program, int cgroup, int64_t member, char *path);

void join_cgroup(const struct program *program, int cgroup, int64_t member);

/* Writes a size to a file of every member. Limits are of the workloads' pages, the overhead comes on top. */
void write_pages(const struct program *program, int cgroup, const char *file, int64_t pages);

#endif
