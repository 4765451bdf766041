#define _GNU_SOURCE
#include "processes.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "log.h"
#include "shared.h"
#include "work.h"

static void start_process(const struct program *program, struct process *process, bool restarted)
{
	struct sched_param ordinary = { 0 };
	pid_t pid = fork();

	if (pid < 0)
		fail("fork failed");
	if (pid == 0) {
		sched_setscheduler(0, SCHED_OTHER, &ordinary);
		run_process(program, process, restarted);
	}
	process->pid = pid;
}

/* One after the other: the readahead with which they open their files is that of the whole device. */
void start_processes(const struct program *program)
{
	for (int p = 0; p < shared.nr_processes; p++) {
		start_process(program, &shared.processes[p], false);
		wait_for_turn(&shared.processes[p], READY);
	}
}

void fill_processes(void)
{
	for (int p = 0; p < shared.nr_processes; p++) {
		give_turn(&shared.processes[p], FILL);
		wait_for_turn(&shared.processes[p], FILLED);
	}
}

void let_processes_go(void)
{
	for (int p = 0; p < shared.nr_processes; p++)
		give_turn(&shared.processes[p], GO);
}

static struct process *process_of(pid_t pid)
{
	for (int p = 0; p < shared.nr_processes; p++)
		if (shared.processes[p].pid == pid)
			return &shared.processes[p];
	return NULL;
}

static void log_kill(const struct program *program, const struct process *process)
{
	begin_line("kill");
	put_seconds("t_s", now_ns() - atomic_load(shared.start_ns));
	put_text("name", program->workloads[process->workload].name);
	put_int("member", process->member);
	end_line();
}

/* What the OOM killer took comes back after its restart time; readers and streams at once. */
void mind_processes(const struct program *program)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		struct process *process = process_of(pid);

		if (process == NULL)
			continue;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail("%s: ended by itself, status %#x", program->workloads[process->workload].name, status);
		log_kill(program, process);
		process->restart_at_ns = now_ns() + program->workloads[process->workload].restart_us * 1000 + 1;
	}
	for (int p = 0; p < shared.nr_processes; p++) {
		struct process *process = &shared.processes[p];

		if (process->restart_at_ns == 0 || process->restart_at_ns > now_ns())
			continue;
		process->restart_at_ns = 0;
		start_process(program, process, true);
	}
}
