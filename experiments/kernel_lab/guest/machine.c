#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail.h"

static const struct {
	const char *type, *source, *target;
	unsigned long flags;
	bool needed;
} MOUNTS[] = {
	{ "devtmpfs", "dev", "/dev", 0, true },
	{ "proc", "proc", "/proc", 0, true },
	{ "sysfs", "sys", "/sys", 0, true },
	{ "cgroup2", "cgroup", "/sys/fs/cgroup", 0, true },
	{ "ext4", "/dev/vda", "/data", MS_RDONLY, false },
};

void mount_all(void)
{
	for (size_t i = 0; i < sizeof(MOUNTS) / sizeof(*MOUNTS); i++) {
		mkdir(MOUNTS[i].target, 0755);
		if (mount(MOUNTS[i].source, MOUNTS[i].target, MOUNTS[i].type, MOUNTS[i].flags, NULL) != 0 &&
		    errno != EBUSY && MOUNTS[i].needed)
			fail("mount of %s: %s", MOUNTS[i].target, strerror(errno));
	}
}

static bool try_write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text);
	bool done = fd >= 0 && write(fd, text, (size_t)length) == length;

	if (!done && errno != EAGAIN)
		fail("%s: writing %s: %s", path, text, strerror(errno));
	close(fd);
	return done;
}

void write_text(const char *path, const char *text)
{
	if (!try_write_text(path, text))
		fail("%s: writing %s: %s", path, text, strerror(EAGAIN));
}

bool try_write_int(const char *path, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return try_write_text(path, text);
}

void write_int(const char *path, int64_t value)
{
	if (!try_write_int(path, value))
		fail("%s: writing %lld: %s", path, (long long)value, strerror(EAGAIN));
}

const char *read_text(const char *path)
{
	static char text[TEXT_BYTES];
	size_t length = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
			length += (size_t)got;
		close(fd);
	}
	text[length] = '\0';
	return text;
}

int64_t number_after(const char *text, const char *word, int64_t otherwise)
{
	size_t length = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
		if ((at == text || strchr(" \n\t", at[-1]) != NULL) && strchr(" =:\t", at[length]) != NULL)
			return strtoll(at + length + 1, NULL, 10);
	return otherwise;
}

void read_values(const char *path, const char *const *names, int nr_names, int64_t *values)
{
	const char *text = read_text(path);

	for (int i = 0; i < nr_names; i++)
		values[i] = number_after(text, names[i], 0);
}

/* "0-1,4" -> CPUs */
static void parse_cpus(const char *list, cpu_set_t *cpus)
{
	char *end;

	CPU_ZERO(cpus);
	for (; *list >= '0' && *list <= '9'; list = *end == ',' ? end + 1 : end) {
		long first = strtol(list, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (; first <= last; first++)
			CPU_SET((size_t)first, cpus);
	}
}

void pin_to_node(int64_t node)
{
	char path[PATH_BYTES];
	cpu_set_t cpus;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%lld/cpulist", (long long)node);
	parse_cpus(read_text(path), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		fail("node %lld: found no CPU to run on", (long long)node);
}

void set_policy(enum policy policy, int64_t nodes)
{
	static const int MODES[] = { MPOL_DEFAULT, MPOL_BIND, MPOL_PREFERRED_MANY, MPOL_INTERLEAVE };
	unsigned long mask = policy == LOCAL ? 0 : (unsigned long)nodes;

	if (syscall(SYS_set_mempolicy, MODES[policy], policy == LOCAL ? NULL : &mask, MAX_NODES * 8) != 0)
		fail("memory policy %d on nodes %#lx: %s", policy, mask, strerror(errno));
}
