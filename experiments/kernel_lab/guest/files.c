#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "machine.h"
#include "random.h"

enum { NEVER = 0, BLOCK_PAGES = 32, FIRST_FILE_STREAM = 1000 };

#define READ_AHEAD "/sys/block/vda/queue/read_ahead_kb"

static char block[BLOCK_PAGES * PAGE_BYTES];

/* A file keeps the device's readahead of the moment it is opened; MADV_RANDOM would make reclaim blind to
 * young bits. */
static int open_with_readahead(const char *path, int64_t readahead_pages)
{
	int fd;

	write_int(READ_AHEAD, readahead_pages * PAGE_BYTES / 1024);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

static void map_file(struct open_file *open)
{
	int protection = open->file->access == EXEC ? PROT_READ | PROT_EXEC : PROT_READ;
	void *map = mmap(NULL, (size_t)(open->file->pages * PAGE_BYTES), protection, MAP_SHARED, open->fd, 0);

	if (map == MAP_FAILED)
		fail("%s: mmap: %s", open->file->path, strerror(errno));
	open->map = map;
}

void open_files(struct work *work)
{
	char path[PATH_BYTES];

	work->files = calloc((size_t)work->workload->nr_files, sizeof(*work->files));
	for (int i = 0; i < work->workload->nr_files; i++) {
		struct open_file *open = &work->files[i];

		open->file = &work->workload->files[i];
		snprintf(path, sizeof(path), "/data/%s.%lld", open->file->path, (long long)work->member);
		open->fd = open_with_readahead(path, open->file->readahead_pages);
		if (open->file->access != READ)
			map_file(open);
		open->draws = stream_of((uint64_t)work->program->seed, (uint64_t)work->index,
					(uint64_t)(FIRST_FILE_STREAM + i));
	}
}

static void read_pages(int fd, int64_t first, int64_t pages)
{
	for (int64_t page = first; page < first + pages; page += BLOCK_PAGES) {
		int64_t left = first + pages - page;
		int64_t now = left < BLOCK_PAGES ? left : BLOCK_PAGES;

		if (pread(fd, block, (size_t)(now * PAGE_BYTES), page * PAGE_BYTES) != now * PAGE_BYTES)
			fail("reading before t = 0: %s", strerror(errno));
	}
}

static void touch_map(const struct open_file *open, int64_t first, int64_t pages)
{
	for (int64_t page = first; page < first + pages; page++)
		(void)open->map[page * PAGE_BYTES];
}

/* Inactive: read once, or mapped and young. Active: read twice, which activates. */
static void fill_list(const struct open_file *open, int fd, int64_t first, int64_t pages, bool active)
{
	if (pages == 0) /* to posix_fadvise() that is the whole file */
		return;
	for (int lap = 0; lap < (active ? 2 : 1); lap++)
		if (active || open->map == NULL)
			read_pages(fd, first, pages);
	if (open->map != NULL) {
		posix_fadvise(fd, first * PAGE_BYTES, pages * PAGE_BYTES, POSIX_FADV_WILLNEED);
		touch_map(open, first, pages);
	}
}

void fill_files(struct work *work)
{
	char path[PATH_BYTES];

	for (int i = 0; i < work->workload->nr_files; i++) {
		struct open_file *open = &work->files[i];
		const struct file *file = open->file;
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", open->fd);
		fd = open_with_readahead(path, BLOCK_PAGES);
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		for (int node = 0; node < work->program->nr_nodes; node++) {
			bind_to_node(node);
			fill_list(open, fd, open->initial_pages, file->inactive_pages[node], false);
			open->initial_pages += file->inactive_pages[node];
			fill_list(open, fd, open->initial_pages, file->active_pages[node], true);
			open->initial_pages += file->active_pages[node];
		}
		close(fd);
	}
}

void touch_page(struct open_file *open, int64_t page)
{
	char bytes[PAGE_BYTES];

	if (open->map != NULL)
		(void)open->map[page * PAGE_BYTES];
	else if (pread(open->fd, bytes, sizeof(bytes), page * PAGE_BYTES) != PAGE_BYTES)
		fail("%s: page %lld: %s", open->file->path, (long long)page, strerror(errno));
}

static void begin_switching(struct open_file *open, int64_t now)
{
	double on = (double)open->file->on_us, off = (double)open->file->off_us;

	open->on = off == 0 || uniform(&open->draws) * (on + off) < on;
	open->switch_ns = now;
	if (off > 0)
		open->switch_ns += (int64_t)(exponential(&open->draws, open->on ? on : off) * 1000);
}

void switch_file(struct open_file *open, int64_t now)
{
	if (open->switch_ns == NEVER)
		begin_switching(open, now);
	while (open->file->off_us > 0 && open->switch_ns <= now) {
		open->on = !open->on;
		open->switch_ns += (int64_t)(1000 * exponential(&open->draws, (double)(open->on ? open->file->on_us :
											    open->file->off_us)));
	}
}
