#include "kswapd.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "machine.h"

static struct {
	int pid;
	int64_t begun_ns;
} kswapds[MAX_NODES];

/* The first number of schedstat: time on a CPU. */
static int64_t cpu_ns(int pid)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	return strtoll(read_text(path), NULL, 10);
}

void find_kswapds(int nr_nodes)
{
	DIR *processes = opendir("/proc");
	char path[PATH_BYTES];

	for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
		int pid = atoi(entry->d_name), node;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		if (pid > 0 && sscanf(read_text(path), "kswapd%d", &node) == 1 && node < nr_nodes)
			kswapds[node].pid = pid;
	}
	closedir(processes);
	for (int node = 0; node < nr_nodes; node++)
		kswapds[node].begun_ns = cpu_ns(kswapds[node].pid);
}

void put_kswapd(int node)
{
	char path[PATH_BYTES], state[2] = "?";

	snprintf(path, sizeof(path), "/proc/%d/stat", kswapds[node].pid);
	sscanf(read_text(path), "%*d (%*[^)]) %1s", state);
	put_int("kswapd_cpu_ns", cpu_ns(kswapds[node].pid) - kswapds[node].begun_ns);
	put_text("kswapd_state", state);
}
