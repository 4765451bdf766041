#include "cgroups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "machine.h"

#define MOUNTED_AT "/sys/fs/cgroup"

static const char *const LIMIT_FILES[LIMITS] = { "memory.min", "memory.low", "memory.high", "memory.max" };

static void join_path(char *path, const char *folder, const char *name)
{
	char joined[2 * PATH_BYTES];

	if (snprintf(joined, sizeof(joined), "%s/%s", folder, name) >= PATH_BYTES)
		fail("cgroup %s: its path is too long", name);
	strcpy(path, joined);
}

void cgroup_path(const struct program *program, int cgroup, char *path)
{
	if (cgroup == ROOT) {
		strcpy(path, MOUNTED_AT);
		return;
	}
	cgroup_path(program, program->cgroups[cgroup].parent, path);
	join_path(path, path, program->cgroups[cgroup].name);
}

void member_path(const struct program *program, int cgroup, int64_t member, char *path)
{
	char name[32];

	cgroup_path(program, cgroup, path);
	if (cgroup == ROOT || program->cgroups[cgroup].count == 1)
		return;
	snprintf(name, sizeof(name), "%lld", (long long)member);
	join_path(path, path, name);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		fail("%s: %s", path, strerror(errno));
}

static void let_children_have_memory(const char *folder)
{
	char path[PATH_BYTES];

	join_path(path, folder, "cgroup.subtree_control");
	write_text(path, "+memory");
}

void make_cgroups(const struct program *program)
{
	char path[PATH_BYTES];

	let_children_have_memory(MOUNTED_AT);
	for (int g = 0; g < program->nr_cgroups; g++) {
		const struct cgroup *cgroup = &program->cgroups[g];

		if (cgroup->parent != ROOT) {
			cgroup_path(program, cgroup->parent, path);
			let_children_have_memory(path);
		}
		cgroup_path(program, g, path);
		make_folder(path);
		if (cgroup->count > 1)
			let_children_have_memory(path);
		for (int64_t m = 0; m < cgroup->count; m++) {
			member_path(program, g, m, path);
			make_folder(path);
		}
	}
}

static bool is_within(const struct program *program, int cgroup, int ancestor)
{
	while (cgroup != ancestor && cgroup != ROOT)
		cgroup = program->cgroups[cgroup].parent;
	return cgroup == ancestor;
}

static int64_t pages_at_start(const struct workload *workload)
{
	int64_t pages = 0;

	for (int node = 0; node < MAX_NODES; node++) {
		pages += workload->initial_pages[node];
		for (int i = 0; i < workload->nr_files; i++)
			pages += workload->files[i].inactive_pages[node] + workload->files[i].active_pages[node];
	}
	return pages;
}

/* Of one member of a table, those of the tables below it included. */
static int64_t placed_pages(const struct program *program, int cgroup)
{
	int64_t pages = 0;

	for (int w = 0; w < program->nr_workloads; w++) {
		const struct workload *workload = &program->workloads[w];
		bool below = workload->cgroup != cgroup;

		if (is_within(program, workload->cgroup, cgroup))
			pages += pages_at_start(workload) * (below ? members_of(program, workload) : 1);
	}
	return pages;
}

static int64_t charged_pages(const struct program *program, int cgroup, int64_t member)
{
	static const char *const CHARGED[] = { "anon", "file", "kernel" };
	char path[PATH_BYTES];
	int64_t bytes[3];

	member_path(program, cgroup, member, path);
	join_path(path, path, "memory.stat");
	read_values(path, CHARGED, 3, bytes);
	return (bytes[0] + bytes[1] + bytes[2]) / PAGE_BYTES;
}

void measure_overheads(struct program *program)
{
	for (int g = 0; g < program->nr_cgroups; g++) {
		struct cgroup *cgroup = &program->cgroups[g];

		cgroup->overhead_pages = calloc((size_t)cgroup->count, sizeof(*cgroup->overhead_pages));
		for (int64_t m = 0; m < cgroup->count; m++) {
			int64_t pages = charged_pages(program, g, m) - placed_pages(program, g);

			cgroup->overhead_pages[m] = pages > 0 ? pages : 0;
		}
	}
}

static bool is_limit(const char *file)
{
	return strcmp(file, LIMIT_FILES[LIMIT_HIGH]) == 0 || strcmp(file, LIMIT_FILES[LIMIT_MAX]) == 0;
}

void write_pages(const struct program *program, int cgroup, const char *file, int64_t pages)
{
	char path[PATH_BYTES];

	for (int64_t m = 0; m < program->cgroups[cgroup].count; m++) {
		int64_t overhead_pages = is_limit(file) ? program->cgroups[cgroup].overhead_pages[m] : 0;

		member_path(program, cgroup, m, path);
		join_path(path, path, file);
		(void)try_write_int(path, (pages + overhead_pages) * PAGE_BYTES); /* memory.reclaim may find less */
	}
}

void set_limits(const struct program *program)
{
	for (int g = 0; g < program->nr_cgroups; g++)
		for (int i = 0; i < LIMITS; i++)
			if (program->cgroups[g].limit_pages[i] != NO_LIMIT)
				write_pages(program, g, LIMIT_FILES[i], program->cgroups[g].limit_pages[i]);
}

void join_cgroup(const struct program *program, int cgroup, int64_t member)
{
	char path[PATH_BYTES];

	member_path(program, cgroup, member, path);
	join_path(path, path, "cgroup.procs");
	write_text(path, "0");
}
