/* The end of a run that cannot go on: one line on the log, then the machine is switched off. */
#ifndef FAIL_H
#define FAIL_H

/* What ends the run; on an ordinary host, only the process. */
extern void (*at_failure)(const char *what);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
