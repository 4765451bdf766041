/* The log: JSON objects, one a line, each begun with "@" so that the kernel's own lines are told apart. */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

void open_log(void);

void begin_line(const char *kind);
void end_line(void);

/* With a key of its own inside an object, NULL inside an array. */
void begin_object(const char *key);
void end_object(void);
void begin_array(const char *key);
void end_array(void);
void put_int(const char *key, int64_t value);
void put_seconds(const char *key, int64_t ns);
void put_text(const char *key, const char *value);

/* Ends the run: an error line, then the machine is off. */
void log_failure(const char *what);

void power_off(void);

#endif
