/* One line of the program: a word, then key=value pairs, each of which is taken once. */
#ifndef STATEMENT_H
#define STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { LINE_BYTES = 1024, MAX_PAIRS = 32 };

struct statement {
	char text[LINE_BYTES];
	const char *word;
	const char *keys[MAX_PAIRS], *values[MAX_PAIRS];
	bool taken[MAX_PAIRS];
	int nr_pairs;
};

bool read_statement(FILE *text, struct statement *line);
bool has(const struct statement *line, const char *key);
const char *take(struct statement *line, const char *key);
void take_name(struct statement *line, const char *key, char *name);
int64_t take_int(struct statement *line, const char *key);
double take_number(struct statement *line, const char *key);
int take_choice(struct statement *line, const char *key, const char *const *choices);
void refuse_unused(const struct statement *line);

/* A zeroed element at the end of an array that grows. */
void *append(void **array, int *count, size_t size);

#endif
