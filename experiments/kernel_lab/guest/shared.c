#include "shared.h"

#include <limits.h>
#include <linux/futex.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail.h"

struct shared shared;

static void *map_shared(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED || mlock(memory, bytes) != 0)
		fail("no memory to share");
	return memory;
}

void share(const struct program *program)
{
	int p = 0;

	for (int w = 0; w < program->nr_workloads; w++)
		shared.nr_processes += (int)members_of(program, &program->workloads[w]);
	shared.start_ns = map_shared(sizeof(*shared.start_ns));
	shared.tallies = map_shared(sizeof(struct tally) * (size_t)(program->nr_workloads + 1));
	shared.processes = map_shared(sizeof(struct process) * (size_t)(shared.nr_processes + 1));
	for (int w = 0; w < program->nr_workloads; w++)
		for (int m = 0; m < members_of(program, &program->workloads[w]); m++)
			shared.processes[p++] = (struct process){ .workload = w, .member = m };
}

void wait_for_turn(struct process *process, enum turn wanted)
{
	uint32_t found;

	while ((found = atomic_load(&process->turn)) < wanted)
		syscall(SYS_futex, &process->turn, FUTEX_WAIT, found, NULL, NULL, 0);
}

void give_turn(struct process *process, enum turn turn)
{
	atomic_store(&process->turn, turn);
	syscall(SYS_futex, &process->turn, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int latency_bin(int64_t latency_ns)
{
	double us = (double)latency_ns / 1000;
	int bin = us > 1 ? (int)(2 * log2(us)) : 0;

	return bin < LATENCY_BINS ? bin : LATENCY_BINS - 1;
}

void count_ops(struct tally *tally, uint64_t ops, int64_t latency_ns, int64_t busy_ns)
{
	atomic_fetch_add(&tally->ops, ops);
	atomic_fetch_add(&tally->busy_ns, (uint64_t)busy_ns);
	atomic_fetch_add(&tally->latency[latency_bin(latency_ns)], 1);
}
