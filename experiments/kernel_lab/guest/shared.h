/* Memory that all processes of the guest see: turns of the filling, and what the workloads counted. */
#ifndef SHARED_H
#define SHARED_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "program.h"

enum { LATENCY_BINS = 64 }; /* two an octave, the first from one microsecond */

/* All members of a workload together. */
struct tally {
	_Atomic uint64_t ops, lost_ops, busy_ns;
	_Atomic uint64_t latency[LATENCY_BINS];
};

enum turn { BORN, READY, FILL, FILLED, GO };

/* One member of one workload. */
struct process {
	_Atomic uint32_t turn;
	int workload, member;
	pid_t pid;
	int64_t restart_at_ns; /* of one the OOM killer took; 0: it runs */
};

struct shared {
	_Atomic int64_t *start_ns; /* t = 0 */
	int nr_processes;
	struct tally *tallies;     /* one a workload */
	struct process *processes; /* in the order of the workloads */
};

extern struct shared shared;

void share(const struct program *program);
void wait_for_turn(struct process *process, enum turn wanted);
void give_turn(struct process *process, enum turn turn);

/* Counts operations done together, and how long that took: from when they were due, and of the thread's time. */
void count_ops(struct tally *tally, uint64_t ops, int64_t latency_ns, int64_t busy_ns);

#endif
