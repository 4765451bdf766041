/* What a node holds, and what the lab's kernel counted on it: /proc/reclaim_lab. */
#ifndef NODES_H
#define NODES_H

#include <stdint.h>

/* The unevictable list, where the ballast is, is none of them. */
enum { FREE, INACTIVE_FILE, ACTIVE_FILE, INACTIVE_ANON, ACTIVE_ANON, NODE_SIZES };

void read_node_sizes(int node, int64_t *pages);

/* Notes the counters at t = 0. */
void begin_nodes(int nr_nodes);

/* The arrays "node" and "reason" of a sample. */
void put_nodes(void);

#endif
