/* Streams: sequential reads of pages that are never touched again. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "files.h"
#include "pace.h"

enum { MAX_WINDOW_PAGES = 32 };

static void read_window(struct open_file *open, uint64_t page, int64_t pages)
{
	char bytes[MAX_WINDOW_PAGES * PAGE_BYTES];
	off_t at = (open->initial_pages + (int64_t)page) * PAGE_BYTES;

	if (pread(open->fd, bytes, (size_t)(pages * PAGE_BYTES), at) < 0)
		fail("%s: %s", open->file->path, strerror(errno));
}

/* Goes by windows of readahead, counts pages; a stream falls behind by a second of its pace at most. */
void run_stream(struct work *work, int64_t thread)
{
	struct open_file *open = &work->files[0];
	int64_t pages = open->file->readahead_pages;
	double windows_per_s = work->workload->pages_per_s / (double)pages;
	struct pace pace = pace_of(work, windows_per_s, windows_per_s);
	int64_t due_ns;

	(void)thread;
	while (next_arrival(work, &pace, &due_ns)) {
		int64_t begun_ns = now_ns(), done_ns;

		read_window(open, atomic_fetch_add(&open->next_page, (uint64_t)pages), pages);
		done_ns = now_ns();
		count_ops(work->tally, (uint64_t)pages, done_ns - due_ns, done_ns - begun_ns);
	}
}
