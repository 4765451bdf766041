/* The guest of the kernel lab: fills the machine as the scenario says, runs its workloads, tells what happened.
 *
 * Runs as /init. `init --check PROGRAM` on any host only parses a program and tells what it found. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ballast.h"
#include "cgroups.h"
#include "clock.h"
#include "fail.h"
#include "log.h"
#include "machine.h"
#include "processes.h"
#include "program.h"
#include "sample.h"
#include "shared.h"
#include "spin.h"

enum { FORMAT = 1 };

#define PROGRAM_AT "/scenario.txt"
#define RESET_RULE "/sys/module/vmscan/parameters/reset_rule"
#define FREE_PATH_RESET "/sys/module/page_alloc/parameters/free_path_reset"
#define LAB "/proc/reclaim_lab"

static struct program *read_program(const char *path)
{
	FILE *text = fopen(path, "r");
	struct program *program;

	if (text == NULL)
		fail("%s: cannot be read", path);
	program = parse_program(text);
	fclose(text);
	return program;
}

static int check(const char *path)
{
	static const char *const KINDS[] = { "anon", "reader", "stream" };
	const struct program *program = read_program(path);

	printf("%lld us, %d nodes, %d cgroups, %d events\n", (long long)program->duration_us, program->nr_nodes,
	       program->nr_cgroups, program->nr_events);
	for (int w = 0; w < program->nr_workloads; w++) {
		const struct workload *workload = &program->workloads[w];

		printf("%s %s: %lld members, %lld threads, %d points, %d files\n", KINDS[workload->kind],
		       workload->name, (long long)members_of(program, workload), (long long)workload->threads,
		       workload->nr_points, workload->nr_files);
	}
	return 0;
}

static void set_sysctls(const struct program *program)
{
	char path[PATH_BYTES];

	for (int i = 0; i < program->nr_sysctls; i++) {
		snprintf(path, sizeof(path), "/proc/sys/%s", program->sysctls[i].name);
		write_int(path, program->sysctls[i].value);
	}
}

static void give_up_nodes(const struct program *program)
{
	char order[32];

	for (int node = 0; node < program->nr_nodes; node++) {
		snprintf(order, sizeof(order), "hopeless %d", node);
		if (program->hopeless[node])
			write_text(LAB, order);
	}
}

/* One after the other, in the order of the scenario; kswapd stays out of it where it is to be hopeless. */
static void fill(const struct program *program)
{
	give_up_nodes(program);
	fill_processes();
}

static void log_boot(const struct program *program, const struct ballast *ballasts)
{
	struct utsname kernel;

	uname(&kernel);
	begin_line("boot");
	put_int("version", FORMAT);
	put_text("release", kernel.release);
	put_int("reset_rule", program->reset_rule);
	put_int("free_path_reset", program->free_path_reset);
	put_int("seed", program->seed);
	begin_array("nodes");
	for (int node = 0; node < program->nr_nodes; node++) {
		begin_object(NULL);
		put_int("nid", node);
		put_int("managed_pages", ballasts[node].managed_pages);
		put_int("min_pages", ballasts[node].min_pages);
		put_int("low_pages", ballasts[node].low_pages);
		put_int("high_pages", ballasts[node].high_pages);
		put_int("free_pages", free_pages_of(node));
		put_int("ballast_pages", ballasts[node].locked_pages);
		put_int("shortfall_pages", ballasts[node].shortfall_pages);
		end_object();
	}
	end_array();
	begin_array("cgroups");
	for (int g = 0; g < program->nr_cgroups; g++) {
		begin_object(NULL);
		put_text("name", program->cgroups[g].name);
		put_int("overhead_pages", program->cgroups[g].overhead_pages[0]);
		end_object();
	}
	end_array();
	put_text("config", read_text(PROGRAM_AT));
	end_line();
}

/* A process of its own, as a write to memory.high reclaims before it returns. */
static void start_events(const struct program *program)
{
	struct sched_param ordinary = { 0 };

	if (program->nr_events == 0 || fork() != 0)
		return;
	sched_setscheduler(0, SCHED_OTHER, &ordinary);
	for (int i = 0; i < program->nr_events; i++) {
		const struct event *event = &program->events[i];

		sleep_until_ns(atomic_load(shared.start_ns) + event->at_us * 1000);
		write_pages(program, event->cgroup, event->file, event->pages);
	}
	exit(0);
}

static void begin_story(const struct program *program)
{
	write_int(FREE_PATH_RESET, program->free_path_reset);
	begin_samples(program);
	write_int(RESET_RULE, program->reset_rule);
	give_up_nodes(program);
	write_text(LAB, "0");
	atomic_store(shared.start_ns, now_ns());
	let_processes_go();
	start_events(program);
}

/* Samples come before the workloads on their CPU, and take no memory. */
static void come_first(const struct program *program)
{
	struct sched_param first = { .sched_priority = 1 };

	pin_to_node(program->nr_nodes - 1);
	write_int("/proc/self/oom_score_adj", -1000);
	if (mlockall(MCL_CURRENT) != 0 || sched_setscheduler(0, SCHED_FIFO, &first) != 0)
		fail("cannot lock and prefer the sampling process");
}

static void tell_story(const struct program *program)
{
	int64_t start_ns = atomic_load(shared.start_ns);

	for (int64_t at_us = 0;; at_us += program->sample_us) {
		sleep_until_ns(start_ns + at_us * 1000);
		sample(program, at_us >= program->duration_us);
		mind_processes(program);
		if (at_us >= program->duration_us)
			break;
	}
	log_latencies(program);
	begin_line("end");
	put_seconds("t_s", now_ns() - start_ns);
	end_line();
}

int main(int argc, char **argv)
{
	struct ballast ballasts[MAX_NODES] = { 0 };
	struct program *program;

	if (argc == 3 && strcmp(argv[1], "--check") == 0)
		return check(argv[2]);
	if (getpid() != 1)
		fail("usage: %s --check PROGRAM (without it, it is the init of a virtual machine)", argv[0]);
	mount_all();
	open_log();
	at_failure = log_failure;
	program = read_program(PROGRAM_AT);
	set_sysctls(program);
	calibrate_spin();
	share(program);
	make_cgroups(program);
	start_processes(program);
	load_ballast(program, ballasts);
	fill(program);
	trim_ballast(program, ballasts);
	measure_overheads(program);
	set_limits(program);
	come_first(program);
	log_boot(program, ballasts);
	begin_story(program);
	tell_story(program);
	power_off();
	return 0;
}
