/* One process of a workload: how it is filled before t = 0, and what its threads do from then on. */
#ifndef WORK_H
#define WORK_H

#include <stdatomic.h>

#include "program.h"
#include "shared.h"

struct gate;
struct open_file;
struct ring;

struct work {
	const struct program *program;
	const struct workload *workload;
	struct tally *tally;
	int64_t member, index; /* index: of the process, for its random streams */
	int64_t start_ns;      /* t = 0 */

	struct ring *rings;      /* anon: one a thread */
	struct open_file *files; /* reader and stream */
	_Atomic uint64_t next;   /* paced: the next operation's number */
	double phase_ops;        /* paced: so far into its period t = 0 is */
};

/* Does not return: fills when it is its turn, runs until it is killed. */
_Noreturn void run_process(const struct program *program, struct process *process, bool restarted);

/* Room for its memory, none of it touched. */
void make_rings(struct work *work);
void fill_anon(struct work *work);
void run_anon(struct work *work, int64_t thread);

void open_files(struct work *work);
void fill_files(struct work *work);
void run_reader(struct work *work, int64_t thread);
void run_stream(struct work *work, int64_t thread);

#endif
