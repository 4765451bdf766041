/* What is read from the kernel and from the workloads while the scenario runs, since t = 0. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "program.h"

/* Notes the counters at t = 0. */
void begin_samples(const struct program *program);

/* One line of the log. The last one tells of workloads with many members too what each process is asked for. */
void sample(const struct program *program, bool last);

/* One line for each workload: its latency histogram. */
void log_latencies(const struct program *program);

#endif
