/* An open loop: operations that arrive by the clock, and wait. */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "work.h"

struct pace {
	double ops_per_s, max_backlog_ops;
	int64_t start_ns, stop_ns;
};

struct pace pace_of(const struct work *work, double ops_per_s, double max_backlog_ops);

/* Waits for the next operation of any thread, due at due_ns; false if it would come after the end. Those that have
 * waited too long are lost. */
bool next_arrival(struct work *work, const struct pace *pace, int64_t *due_ns);

#endif
