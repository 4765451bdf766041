/* Anonymous memory: a schedule, bursts on top of it, and churn, in a ring of pages freed oldest first. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "fail.h"
#include "machine.h"
#include "random.h"
#include "work.h"

enum {
	TICK_NS = 10 * 1000 * 1000,
	OP_PAGES = 256,    /* an operation is a MiB touched */
	CHARGE_PAGES = 64, /* churn goes by what a cgroup charges at once */
	MAX_OWED_S = 1,    /* churn that could not be done is forgotten after so long */
};

/* One thread's share. Pages [tail, head) are resident, counted from the beginning of time. */
struct ring {
	char *memory;
	int64_t capacity_pages, tail, head;
	int64_t op_pages, op_ns; /* of the operation under way */
	double owed_pages;       /* churn not done yet */
};

static int64_t part_of(int64_t pages, int64_t thread, int64_t threads)
{
	return pages * (thread + 1) / threads - pages * thread / threads;
}

static int64_t largest(const struct workload *anon)
{
	int64_t most = 0, initial = 0;

	for (int i = 0; i < anon->nr_points; i++)
		most = anon->points[i].pages > most ? anon->points[i].pages : most;
	for (int node = 0; node < MAX_NODES; node++)
		initial += anon->initial_pages[node];
	return (initial > most ? initial : most) + anon->burst_pages;
}

void make_rings(struct work *work)
{
	int64_t threads = work->workload->threads;

	work->rings = calloc((size_t)threads, sizeof(*work->rings));
	for (int64_t i = 0; i < threads; i++) {
		struct ring *ring = &work->rings[i];

		ring->capacity_pages = part_of(largest(work->workload), i, threads) + 2 * CHARGE_PAGES;
		ring->memory = mmap(NULL, (size_t)(ring->capacity_pages * PAGE_BYTES), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (ring->memory == MAP_FAILED)
			fail("%s: no room for its memory", work->workload->name);
	}
}

static void touch(struct ring *ring, int64_t pages)
{
	for (int64_t i = 0; i < pages; i++, ring->head++)
		ring->memory[ring->head % ring->capacity_pages * PAGE_BYTES] = 1;
}

static void free_run(struct ring *ring, int64_t first, int64_t pages)
{
	if (madvise(ring->memory + first * PAGE_BYTES, (size_t)(pages * PAGE_BYTES), MADV_DONTNEED) != 0)
		fail("madvise: %s", strerror(errno));
}

/* The oldest pages, in one or two runs of the ring. */
static void give_back(struct ring *ring, int64_t pages)
{
	int64_t first = ring->tail % ring->capacity_pages;
	int64_t run = pages < ring->capacity_pages - first ? pages : ring->capacity_pages - first;

	free_run(ring, first, run);
	if (pages > run)
		free_run(ring, 0, pages - run);
	ring->tail += pages;
}

/* Nodes take turns in proportion, so that what is given back later leaves each in proportion too. */
void fill_anon(struct work *work)
{
	const struct workload *anon = work->workload;
	int64_t done[MAX_NODES] = { 0 }, left = 0;

	for (int node = 0; node < MAX_NODES; node++)
		left += anon->initial_pages[node];
	for (int64_t thread = 0; left > 0; thread = (thread + 1) % anon->threads) {
		int behind = 0;
		int64_t pages;

		for (int node = 1; node < MAX_NODES; node++)
			if (done[node] * anon->initial_pages[behind] < done[behind] * anon->initial_pages[node] ||
			    anon->initial_pages[behind] == 0)
				behind = node;
		pages = anon->initial_pages[behind] - done[behind];
		pages = pages < CHARGE_PAGES ? pages : CHARGE_PAGES;
		bind_to_node(behind);
		touch(&work->rings[thread], pages);
		done[behind] += pages;
		left -= pages;
	}
}

static int64_t scheduled_pages(const struct workload *anon, int64_t now_us)
{
	const struct point *point = anon->points, *last = point + anon->nr_points - 1;

	while (point < last && point[1].at_us <= now_us)
		point++;
	if (point == last)
		return point->pages;
	return point->pages + (int64_t)((double)(point[1].pages - point->pages) * (double)(now_us - point->at_us) /
					(double)(point[1].at_us - point->at_us));
}

static int64_t wanted_pages(const struct work *work, int64_t now_us)
{
	const struct workload *anon = work->workload;
	int64_t pages = scheduled_pages(anon, now_us);
	int64_t phase_us = (int64_t)(work->phase_ops * (double)anon->burst_every_us);

	if (anon->burst_pages > 0 && (now_us + phase_us) % anon->burst_every_us < anon->burst_hold_us)
		pages += anon->burst_pages;
	return pages;
}

/* Touches pages; every OP_PAGES of them are an operation. */
static void work_on(struct work *work, struct ring *ring, int64_t pages)
{
	while (pages > 0) {
		int64_t piece = OP_PAGES - ring->op_pages < pages ? OP_PAGES - ring->op_pages : pages;
		int64_t before_ns = now_ns();

		touch(ring, piece);
		ring->op_ns += now_ns() - before_ns;
		ring->op_pages += piece;
		pages -= piece;
		if (ring->op_pages == OP_PAGES) {
			count_ops(work->tally, 1, ring->op_ns, ring->op_ns);
			ring->op_pages = ring->op_ns = 0;
		}
	}
}

/* Touched before as much is given back, as threads out of step do. */
static void churn(struct work *work, struct ring *ring, double elapsed_s)
{
	double rate = work->workload->churn_pages_per_s / (double)work->workload->threads;

	ring->owed_pages += rate * elapsed_s;
	if (ring->owed_pages > rate * MAX_OWED_S + CHARGE_PAGES)
		ring->owed_pages = rate * MAX_OWED_S + CHARGE_PAGES;
	for (; ring->owed_pages >= CHARGE_PAGES; ring->owed_pages -= CHARGE_PAGES) {
		if (ring->head - ring->tail < CHARGE_PAGES)
			return;
		work_on(work, ring, CHARGE_PAGES);
		give_back(ring, CHARGE_PAGES);
	}
}

void run_anon(struct work *work, int64_t thread)
{
	struct ring *ring = &work->rings[thread];
	int64_t last_ns = now_ns();

	for (int64_t tick_ns = last_ns;; tick_ns += TICK_NS) {
		int64_t now, wanted, have = ring->head - ring->tail;

		sleep_until_ns(tick_ns);
		now = now_ns();
		wanted = part_of(wanted_pages(work, (now - work->start_ns) / 1000), thread, work->workload->threads);
		if (wanted > have)
			work_on(work, ring, wanted - have);
		else if (wanted < have)
			give_back(ring, have - wanted);
		churn(work, ring, (double)(now - last_ns) / 1e9);
		last_ns = now;
		if (now_ns() > tick_ns + TICK_NS)
			tick_ns = now_ns() - TICK_NS;
	}
}
