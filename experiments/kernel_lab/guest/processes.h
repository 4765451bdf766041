/* The workloads' processes: started, filled in their order, let go, and brought back after an OOM kill. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include "program.h"

void start_processes(const struct program *program);
void fill_processes(void);
void let_processes_go(void);

/* Logs kills and restarts what it is time for; a process that ends in any other way ends the run. */
void mind_processes(const struct program *program);

#endif
