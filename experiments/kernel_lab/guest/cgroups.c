#include "cgroups.h"

#include <errno.h>
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

void write_pages(const struct program *program, int cgroup, const char *file, int64_t pages)
{
	char path[PATH_BYTES];

	for (int64_t m = 0; m < program->cgroups[cgroup].count; m++) {
		member_path(program, cgroup, m, path);
		join_path(path, path, file);
		write_int(path, pages * PAGE_BYTES);
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
