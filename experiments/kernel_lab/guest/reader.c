/* Readers: random or looping accesses to files, in a closed loop or paced. */
#include <pthread.h>

#include "clock.h"
#include "files.h"
#include "pace.h"
#include "random.h"
#include "spin.h"

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

static void run_paced(struct work *work, uint64_t *draws)
{
	struct pace pace = pace_of(work, work->workload->ops_per_s, work->workload->max_backlog_ops);
	double owed_pages = 0;
	int64_t due_ns;

	while (next_arrival(work, &pace, &due_ns))
		if (switch_files(work, now_ns()))
			operate(work, due_ns, &owed_pages, draws);
}

void run_reader(struct work *work, int64_t thread)
{
	uint64_t draws = stream_of((uint64_t)work->program->seed, (uint64_t)work->index,
				   (uint64_t)(THREAD_STREAM + thread));

	sleep_until_ns(work->start_ns + work->workload->start_us * 1000);
	if (work->workload->ops_per_s > 0)
		run_paced(work, &draws);
	else
		run_closed(work, work->start_ns + work->workload->stop_us * 1000, &draws);
}
