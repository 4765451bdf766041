#include "statement.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "program.h"

static void split(struct statement *line)
{
	char *rest = NULL;

	line->nr_pairs = 0;
	memset(line->taken, 0, sizeof(line->taken));
	line->word = strtok_r(line->text, " \n", &rest);
	for (char *pair; (pair = strtok_r(NULL, " \n", &rest)) != NULL; line->nr_pairs++) {
		char *equals = strchr(pair, '=');

		if (equals == NULL || line->nr_pairs == MAX_PAIRS)
			fail("program: found %s, wanted at most %d key=value pairs", pair, MAX_PAIRS);
		*equals = '\0';
		line->keys[line->nr_pairs] = pair;
		line->values[line->nr_pairs] = equals + 1;
	}
}

bool read_statement(FILE *text, struct statement *line)
{
	while (fgets(line->text, sizeof(line->text), text) != NULL) {
		if (strchr(line->text, '\n') == NULL)
			fail("program: found a line of more than %d bytes", LINE_BYTES - 2);
		split(line);
		if (line->word != NULL)
			return true;
	}
	return false;
}

static int index_of(const struct statement *line, const char *key)
{
	for (int i = 0; i < line->nr_pairs; i++)
		if (!line->taken[i] && strcmp(line->keys[i], key) == 0)
			return i;
	return -1;
}

bool has(const struct statement *line, const char *key)
{
	return index_of(line, key) >= 0;
}

const char *take(struct statement *line, const char *key)
{
	int i = index_of(line, key);

	if (i < 0)
		fail("program: %s: found no %s", line->word, key);
	line->taken[i] = true;
	return line->values[i];
}

void take_name(struct statement *line, const char *key, char *name)
{
	const char *value = take(line, key);

	if (strlen(value) >= NAME_BYTES)
		fail("program: %s: found a %s of %zu bytes, wanted fewer than %d", line->word, key,
		     strlen(value), NAME_BYTES);
	strcpy(name, value);
}

int64_t take_int(struct statement *line, const char *key)
{
	const char *value = take(line, key);
	char *end;
	int64_t number = strtoll(value, &end, 10);

	if (*value == '\0' || *end != '\0')
		fail("program: %s: found %s=%s, wanted a whole number", line->word, key, value);
	return number;
}

double take_number(struct statement *line, const char *key)
{
	const char *value = take(line, key);
	char *end;
	double number = strtod(value, &end);

	if (*value == '\0' || *end != '\0')
		fail("program: %s: found %s=%s, wanted a number", line->word, key, value);
	return number;
}

int take_choice(struct statement *line, const char *key, const char *const *choices)
{
	const char *value = take(line, key);

	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], value) == 0)
			return i;
	fail("program: %s: found %s=%s, wanted one of the grammar's", line->word, key, value);
}

void refuse_unused(const struct statement *line)
{
	for (int i = 0; i < line->nr_pairs; i++)
		if (!line->taken[i])
			fail("program: %s: found %s, which is not known", line->word, line->keys[i]);
}

void *append(void **array, int *count, size_t size)
{
	char *grown = realloc(*array, (size_t)(*count + 1) * size);

	if (grown == NULL)
		fail("out of memory");
	memset(grown + (size_t)*count * size, 0, size);
	*array = grown;
	return grown + (size_t)(*count)++ * size;
}
