#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kswapd.h"
#include "log.h"
#include "machine.h"
#include "shared.h"

enum { COUNTERS = 2 };

static const char *const COUNTER_NAMES[COUNTERS] = { "workingset_refault_file", "workingset_activate_file" };
static int64_t begun[MAX_NODES][COUNTERS];

static void read_node(int node, const char *const *names, int nr_names, int64_t *values)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/vmstat", node);
	read_values(path, names, nr_names, values);
}

void begin_nodes(int nr_nodes)
{
	for (int node = 0; node < nr_nodes; node++)
		read_node(node, COUNTER_NAMES, COUNTERS, begun[node]);
}

static void put_counters(int node)
{
	int64_t values[COUNTERS];

	read_node(node, COUNTER_NAMES, COUNTERS, values);
	for (int i = 0; i < COUNTERS; i++)
		put_int(COUNTER_NAMES[i], values[i] - begun[node][i]);
}

void read_node_sizes(int node, int64_t *pages)
{
	static const char *const NAMES[NODE_SIZES] = { "nr_free_pages", "nr_inactive_file", "nr_active_file",
						       "nr_inactive_anon", "nr_active_anon" };

	read_node(node, NAMES, NODE_SIZES, pages);
}

/* The rest of a line of /proc/reclaim_lab as keys; moments become nanoseconds since t = 0. */
static void put_lab_line(char *rest)
{
	int64_t start_ns = atomic_load(shared.start_ns);

	for (char *name; (name = strsep(&rest, " ")) != NULL && rest != NULL;) {
		int64_t value = strtoll(strsep(&rest, " "), NULL, 10);

		if (strncmp(name, "first_", strlen("first_")) == 0 && value >= 0)
			value = value > start_ns ? value - start_ns : 0;
		put_int(name, value);
		if (rest == NULL)
			break;
	}
}

static void put_node(int node, char *rest)
{
	int64_t pages[NODE_SIZES];

	read_node_sizes(node, pages);
	begin_object(NULL);
	put_int("nid", node);
	put_int("free_pages", pages[FREE]);
	put_int("inactive_file_pages", pages[INACTIVE_FILE]);
	put_int("active_file_pages", pages[ACTIVE_FILE]);
	put_int("anon_pages", pages[INACTIVE_ANON] + pages[ACTIVE_ANON]);
	put_counters(node);
	put_kswapd(node);
	put_lab_line(rest);
	end_object();
}

static void put_reason(int node, char *rest)
{
	begin_object(NULL);
	put_int("nid", node);
	put_text("reason", strsep(&rest, " "));
	put_lab_line(rest);
	end_object();
}

/* Lines of /proc/reclaim_lab that begin with the word: WORD NID ... */
static void put_lab(const char *word, void (*put)(int node, char *rest))
{
	static char text[TEXT_BYTES];
	char *lines = text;

	strcpy(text, read_text("/proc/reclaim_lab"));
	begin_array(word);
	for (char *line; (line = strsep(&lines, "\n")) != NULL;) {
		char *rest = line;
		const char *found = strsep(&rest, " ");

		if (rest == NULL || strcmp(found, word) != 0)
			continue;
		int node = atoi(strsep(&rest, " "));

		put(node, rest);
	}
	end_array();
}

void put_nodes(void)
{
	put_lab("node", put_node);
	put_lab("reason", put_reason);
}
