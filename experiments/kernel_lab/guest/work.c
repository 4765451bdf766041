#define _GNU_SOURCE
#include "work.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cgroups.h"
#include "clock.h"
#include "fail.h"
#include "machine.h"
#include "random.h"

enum { STACK_BYTES = 256 * 1024 };

struct thread {
	struct work *work;
	int64_t number;
};

static void (*const RUNS[])(struct work *, int64_t) = { run_anon, run_reader, run_stream };

static void fill(struct work *work)
{
	if (work->workload->kind == ANON)
		fill_anon(work);
	else
		fill_files(work);
	set_policy(work->workload->policy, work->workload->nodes);
}

static void *run_thread(void *argument)
{
	struct thread *thread = argument;

	prctl(PR_SET_TIMERSLACK, 1UL);
	RUNS[thread->work->workload->kind](thread->work, thread->number);
	return NULL;
}

static void start_threads(struct work *work, struct thread *threads)
{
	pthread_attr_t attributes;
	pthread_t handle;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (int64_t i = 1; i < work->workload->threads; i++) {
		threads[i] = (struct thread){ work, i };
		if (pthread_create(&handle, &attributes, run_thread, &threads[i]) != 0)
			fail("%s: cannot start thread %lld", work->workload->name, (long long)i);
	}
}

static void become_member(const struct work *work)
{
	const struct workload *workload = work->workload;

	join_cgroup(work->program, workload->cgroup, work->member);
	pin_to_node(workload->cpu_node);
	write_int("/proc/self/oom_score_adj", workload->kind == ANON ? workload->oom_score_adj : 0);
}

_Noreturn void run_process(const struct program *program, struct process *process, bool restarted)
{
	static struct work work;
	static struct thread threads[64];
	uint64_t phases;

	work.program = program;
	work.workload = &program->workloads[process->workload];
	work.tally = &shared.tallies[process->workload];
	work.member = process->member;
	work.index = process - shared.processes;
	phases = stream_of((uint64_t)program->seed, (uint64_t)work.index, 0);
	work.phase_ops = uniform(&phases);
	become_member(&work);
	if (work.workload->kind == ANON)
		make_rings(&work);
	else
		open_files(&work);
	if (!restarted) {
		give_turn(process, READY);
		wait_for_turn(process, FILL);
		fill(&work);
		give_turn(process, FILLED);
		wait_for_turn(process, GO);
	}
	work.start_ns = atomic_load(shared.start_ns);
	start_threads(&work, threads);
	threads[0] = (struct thread){ &work, 0 };
	run_thread(&threads[0]);
	for (;;)
		pause();
}
