/* Files of readers and streams: opened with their own readahead, brought to their lists before t = 0. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "work.h"

struct open_file {
	const struct file *file;
	int fd;
	const volatile char *map; /* of mmap and exec */
	int64_t initial_pages;    /* resident at the start */
	bool on;
	int64_t switch_ns; /* when it goes on or off; never if 0 */
	uint64_t draws;
	_Atomic uint64_t next_page; /* of a loop or a stream */
};

/* One access to one page. */
void touch_page(struct open_file *file, int64_t page);

/* Brings on/off up to date. Exponential periods, which nothing the workload does can change. */
void switch_file(struct open_file *file, int64_t now);

#endif
