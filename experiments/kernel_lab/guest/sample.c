#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups.h"
#include "clock.h"
#include "kswapd.h"
#include "log.h"
#include "machine.h"
#include "nodes.h"
#include "shared.h"
#include "stalls.h"

enum { MAX_ASKED = 8 };

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

static const char *const VMSTAT[] = {
	"pgpgin", "pgfault", "pgmajfault", "pgfree", "pgactivate", "pgdeactivate", "pgrefill", "pgscan_kswapd",
	"pgscan_direct", "pgsteal_kswapd", "pgsteal_direct", "pgscan_file", "pgsteal_file", "pgscan_direct_throttle",
	"allocstall_normal", "allocstall_movable", "pageoutrun", "kswapd_low_wmark_hit_quickly",
	"kswapd_high_wmark_hit_quickly", "slabs_scanned", "oom_kill", "workingset_refault_file",
	"workingset_activate_file", "workingset_restore_file", "workingset_nodereclaim", "numa_hit", "numa_miss",
};
static const char *const EVENTS[] = { "low", "high", "max", "oom", "oom_kill" };
static const char *const STAT[] = { "pgscan", "pgsteal", "workingset_refault_file", "workingset_activate_file",
				    "pgmajfault" };
static const char *const SIZES[] = { "anon", "file" };

struct cgroup_counts {
	int64_t events[COUNT(EVENTS)], stat[COUNT(STAT)], sizes[COUNT(SIZES)];
	int64_t memory_us[2], io_us[2];
};

/* Of all members of a workload. */
struct workload_counts {
	struct stalls stalls;
	int64_t majflt;
};

struct counts {
	int64_t vmstat[COUNT(VMSTAT)], memory_us[2], io_us[2], disk[3];
	struct cgroup_counts *cgroups;
	struct workload_counts *workloads;
};

static struct counts begin, now;

/* "some avg10=... total=N" and "full ... total=N" */
static void read_pressure(const char *path, int64_t *us)
{
	const char *text = read_text(path), *full = strstr(text, "full");

	us[0] = number_after(text, "total", 0);
	us[1] = full != NULL ? number_after(full, "total", 0) : 0;
}

/* Reads completed, sectors read, milliseconds reading: the first, third and fourth number. */
static void read_disk(int64_t *disk)
{
	long long reads = 0, sectors = 0, ms = 0;

	if (sscanf(read_text("/sys/block/vda/stat"), "%lld %*d %lld %lld", &reads, &sectors, &ms) == 3) {
		disk[0] = reads;
		disk[1] = sectors;
		disk[2] = ms;
	}
}

static void read_cgroup(const struct program *program, int cgroup, struct cgroup_counts *counts)
{
	char folder[PATH_BYTES], path[2 * PATH_BYTES];

	cgroup_path(program, cgroup, folder);
	snprintf(path, sizeof(path), "%s/memory.events", folder);
	read_values(path, EVENTS, COUNT(EVENTS), counts->events);
	snprintf(path, sizeof(path), "%s/memory.stat", folder);
	read_values(path, STAT, COUNT(STAT), counts->stat);
	for (int i = 0; i < COUNT(SIZES); i++) /* still that of memory.stat */
		counts->sizes[i] = 0;
	read_values(path, SIZES, COUNT(SIZES), counts->sizes);
	snprintf(path, sizeof(path), "%s/memory.pressure", folder);
	read_pressure(path, counts->memory_us);
	snprintf(path, sizeof(path), "%s/io.pressure", folder);
	read_pressure(path, counts->io_us);
}

/* Major faults are the 12th field of stat, the tenth after the name in brackets. */
static int64_t major_faults(pid_t pid)
{
	char path[PATH_BYTES];
	const char *after;
	long long faults = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	after = strrchr(read_text(path), ')');
	if (after != NULL)
		sscanf(after, ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &faults);
	return faults;
}

/* Many members are asked at the end only: asking two hundred would be a workload of its own. */
static bool is_asked(const struct program *program, int w, bool last)
{
	return last || members_of(program, &program->workloads[w]) <= MAX_ASKED;
}

static void read_workloads(const struct program *program, struct counts *counts, bool last)
{
	memset(counts->workloads, 0, sizeof(*counts->workloads) * (size_t)program->nr_workloads);
	for (int p = 0; p < shared.nr_processes; p++) {
		const struct process *process = &shared.processes[p];

		if (!is_asked(program, process->workload, last))
			continue;
		add_stalls(process->pid, &counts->workloads[process->workload].stalls);
		counts->workloads[process->workload].majflt += major_faults(process->pid);
	}
}

static void read_counts(const struct program *program, struct counts *counts, bool last)
{
	read_values("/proc/vmstat", VMSTAT, COUNT(VMSTAT), counts->vmstat);
	read_pressure("/proc/pressure/memory", counts->memory_us);
	read_pressure("/proc/pressure/io", counts->io_us);
	read_disk(counts->disk);
	for (int g = 0; g < program->nr_cgroups; g++)
		read_cgroup(program, g, &counts->cgroups[g]);
	read_workloads(program, counts, last);
}

static void put_since(const char *const *names, int nr_names, const int64_t *values, const int64_t *before)
{
	for (int i = 0; i < nr_names; i++)
		put_int(names[i], values[i] - before[i]);
}

static void put_pressure(const char *what, const int64_t *us, const int64_t *before_us)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_some_us", what);
	put_int(key, us[0] - before_us[0]);
	snprintf(key, sizeof(key), "%s_full_us", what);
	put_int(key, us[1] - before_us[1]);
}

static void put_cgroups(const struct program *program)
{
	begin_array("cgroup");
	for (int g = 0; g < program->nr_cgroups; g++) {
		const struct cgroup_counts *counts = &now.cgroups[g], *before = &begin.cgroups[g];
		char key[64];

		begin_object(NULL);
		put_text("name", program->cgroups[g].name);
		for (int i = 0; i < COUNT(EVENTS); i++) {
			snprintf(key, sizeof(key), "events_%s", EVENTS[i]);
			put_int(key, counts->events[i] - before->events[i]);
		}
		put_since(STAT, COUNT(STAT), counts->stat, before->stat);
		put_int("anon_pages", counts->sizes[0] / PAGE_BYTES);
		put_int("file_pages", counts->sizes[1] / PAGE_BYTES);
		put_pressure("memory", counts->memory_us, before->memory_us);
		put_pressure("io", counts->io_us, before->io_us);
		end_object();
	}
	end_array();
}

static void put_stalls(const struct workload_counts *counts, const struct workload_counts *before)
{
	put_int("majflt", counts->majflt - before->majflt);
	put_int("direct_ns", counts->stalls.direct_ns - before->stalls.direct_ns);
	put_int("thrashing_ns", counts->stalls.thrashing_ns - before->stalls.thrashing_ns);
	put_int("run_delay_ns", counts->stalls.run_delay_ns - before->stalls.run_delay_ns);
}

static void put_workloads(const struct program *program, bool last)
{
	begin_array("workload");
	for (int w = 0; w < program->nr_workloads; w++) {
		struct tally *tally = &shared.tallies[w];

		begin_object(NULL);
		put_text("name", program->workloads[w].name);
		put_int("ops", (int64_t)atomic_load(&tally->ops));
		put_int("lost_ops", (int64_t)atomic_load(&tally->lost_ops));
		put_int("busy_ns", (int64_t)atomic_load(&tally->busy_ns));
		if (is_asked(program, w, last))
			put_stalls(&now.workloads[w], &begin.workloads[w]);
		end_object();
	}
	end_array();
}

void begin_samples(const struct program *program)
{
	begin.cgroups = calloc((size_t)(program->nr_cgroups + 1), sizeof(*begin.cgroups));
	now.cgroups = calloc((size_t)(program->nr_cgroups + 1), sizeof(*now.cgroups));
	begin.workloads = calloc((size_t)(program->nr_workloads + 1), sizeof(*begin.workloads));
	now.workloads = calloc((size_t)(program->nr_workloads + 1), sizeof(*now.workloads));
	find_kswapds(program->nr_nodes);
	begin_nodes(program->nr_nodes);
	open_stalls();
	read_counts(program, &begin, true);
}

void sample(const struct program *program, bool last)
{
	static const char *const DISK[] = { "reads", "sectors", "ms" };

	read_counts(program, &now, last);
	begin_line("sample");
	put_seconds("t_s", now_ns() - atomic_load(shared.start_ns));
	begin_object("vmstat");
	put_since(VMSTAT, COUNT(VMSTAT), now.vmstat, begin.vmstat);
	end_object();
	put_nodes();
	put_workloads(program, last);
	put_cgroups(program);
	begin_object("pressure");
	put_pressure("memory", now.memory_us, begin.memory_us);
	put_pressure("io", now.io_us, begin.io_us);
	end_object();
	begin_object("disk");
	put_since(DISK, COUNT(DISK), now.disk, begin.disk);
	end_object();
	end_line();
}

void log_latencies(const struct program *program)
{
	for (int w = 0; w < program->nr_workloads; w++) {
		begin_line("latency");
		put_text("name", program->workloads[w].name);
		begin_array("bins");
		for (int bin = 0; bin < LATENCY_BINS; bin++)
			put_int(NULL, (int64_t)atomic_load(&shared.tallies[w].latency[bin]));
		end_array();
		end_line();
	}
}
