/* Readers: random or looping accesses to files, in a closed loop or paced; and one-touch streams. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "files.h"
#include "random.h"

enum { IDLE_NS = 2 * 1000 * 1000, THREAD_STREAM = 1 };

static pthread_mutex_t switching = PTHREAD_MUTEX_INITIALIZER;

/* Is any file in use now? */
static bool switch_files(struct work *work, int64_t now)
{
	bool any = false;

	pthread_mutex_lock(&switching);
	for (int i = 0; i < work->workload->nr_files; i++) {
		switch_file(&work->files[i], now);
		any |= work->files[i].on;
	}
	pthread_mutex_unlock(&switching);
	return any;
}

static struct open_file *choose_file(struct work *work, uint64_t *draws)
{
	double total = 0, at;
	int i = 0;

	if (work->workload->nr_files == 1)
		return &work->files[0];
	for (int j = 0; j < work->workload->nr_files; j++)
		total += work->workload->files[j].share;
	for (at = uniform(draws) * total; i < work->workload->nr_files - 1; i++) {
		at -= work->workload->files[i].share;
		if (at < 0)
			break;
	}
	return &work->files[i];
}

/* Accesses to a file that is not in use do not happen. */
static void touch_pages(struct work *work, int64_t pages, uint64_t *draws)
{
	for (int64_t i = 0; i < pages; i++) {
		struct open_file *open = choose_file(work, draws);
		uint64_t pages_of_file = (uint64_t)open->file->pages;

		if (!open->on)
			continue;
		if (open->file->loop)
			touch_page(open, (int64_t)(atomic_fetch_add(&open->next_page, 1) % pages_of_file));
		else
			touch_page(open, (int64_t)below(draws, pages_of_file));
	}
}

/* One operation; `due_ns` is when it arrived. */
static void operate(struct work *work, int64_t due_ns, double *owed_pages, uint64_t *draws)
{
	int64_t begun_ns = now_ns(), done_ns;

	*owed_pages += work->workload->pages_per_op;
	touch_pages(work, (int64_t)*owed_pages, draws);
	*owed_pages -= (double)(int64_t)*owed_pages;
	spin_us(work->workload->op_cpu_us);
	done_ns = now_ns();
	count_ops(work->tally, 1, done_ns - due_ns, done_ns - begun_ns);
}

static void run_closed(struct work *work, int64_t stop_ns, uint64_t *draws)
{
	double owed_pages = 0;

	for (int64_t now = now_ns(); now < stop_ns; now = now_ns()) {
		if (!switch_files(work, now)) {
			sleep_until_ns(now + IDLE_NS);
			continue;
		}
		operate(work, now, &owed_pages, draws);
		if (work->workload->think_us > 0)
			sleep_until_ns(now_ns() + work->workload->think_us * 1000);
	}
}

/* The next operation of an open loop; false if it would come after the end. Those that waited too long are lost. */
static bool next_arrival(struct work *work, double ops_per_s, double max_backlog_ops, int64_t start_ns,
			 int64_t stop_ns, int64_t *due_ns)
{
	for (;;) {
		double number = (double)atomic_fetch_add(&work->next, 1) + work->phase_ops;
		double waited_ops;

		*due_ns = start_ns + (int64_t)(number / ops_per_s * 1e9);
		if (*due_ns >= stop_ns)
			return false;
		waited_ops = (double)(now_ns() - *due_ns) / 1e9 * ops_per_s;
		if (waited_ops <= max_backlog_ops)
			break;
		atomic_fetch_add(&work->tally->lost_ops, 1);
	}
	if (*due_ns > now_ns())
		sleep_until_ns(*due_ns);
	return true;
}

static void run_paced(struct work *work, int64_t start_ns, int64_t stop_ns, uint64_t *draws)
{
	const struct workload *reader = work->workload;
	double owed_pages = 0;
	int64_t due_ns;

	while (next_arrival(work, reader->ops_per_s, reader->max_backlog_ops, start_ns, stop_ns, &due_ns))
		if (switch_files(work, now_ns()))
			operate(work, due_ns, &owed_pages, draws);
}

void run_reader(struct work *work, int64_t thread)
{
	uint64_t draws = stream_of((uint64_t)work->program->seed, (uint64_t)work->index,
				   (uint64_t)(THREAD_STREAM + thread));
	int64_t start_ns = work->start_ns + work->workload->start_us * 1000;
	int64_t stop_ns = work->start_ns + work->workload->stop_us * 1000;

	sleep_until_ns(start_ns);
	if (work->workload->ops_per_s > 0)
		run_paced(work, start_ns, stop_ns, &draws);
	else
		run_closed(work, stop_ns, &draws);
}

static void read_window(struct open_file *open, uint64_t window, int64_t pages)
{
	char bytes[32 * PAGE_BYTES];
	off_t at = (open->initial_pages + (int64_t)window * pages) * PAGE_BYTES;

	if (pread(open->fd, bytes, (size_t)(pages * PAGE_BYTES), at) < 0)
		fail("%s: %s", open->file->path, strerror(errno));
}

/* Goes by windows of readahead, counts pages; a stream falls behind by a second of its pace at most. */
void run_stream(struct work *work, int64_t thread)
{
	struct open_file *open = &work->files[0];
	int64_t pages = open->file->readahead_pages;
	double windows_per_s = work->workload->pages_per_s / (double)pages;
	int64_t start_ns = work->start_ns + work->workload->start_us * 1000;
	int64_t stop_ns = work->start_ns + work->workload->stop_us * 1000;
	int64_t due_ns;
	static _Atomic uint64_t next_window;

	(void)thread;
	sleep_until_ns(start_ns);
	while (next_arrival(work, windows_per_s, windows_per_s, start_ns, stop_ns, &due_ns)) {
		int64_t begun_ns = now_ns(), done_ns;

		read_window(open, atomic_fetch_add(&next_window, 1), pages);
		done_ns = now_ns();
		count_ops(work->tally, (uint64_t)pages, done_ns - due_ns, done_ns - begun_ns);
	}
}
