/* The guest's machine: files of /proc and /sys, CPUs, memory policies, cgroups. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "program.h"

enum { PATH_BYTES = 256, TEXT_BYTES = 1 << 16 };

void mount_all(void);
void write_text(const char *path, const char *text);
void write_int(const char *path, int64_t value);

/* False if the kernel could do only part of what was asked (EAGAIN). */
bool try_write_int(const char *path, int64_t value);

/* The whole file in a static buffer, until the next call; "" if it cannot be read. */
const char *read_text(const char *path);

/* Values of lines `name value`, in the order of names; 0 where a name is missing. */
void read_values(const char *path, const char *const *names, int nr_names, int64_t *values);

/* After the word in the text: the number, or `otherwise`. */
int64_t number_after(const char *text, const char *word, int64_t otherwise);

void pin_to_node(int64_t node);
void set_policy(enum policy policy, int64_t nodes);
static inline void bind_to_node(int64_t node)
{
	set_policy(BIND, INT64_C(1) << node);
}

#endif
