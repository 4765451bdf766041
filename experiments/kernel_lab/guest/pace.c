#include "pace.h"

#include "clock.h"

struct pace pace_of(const struct work *work, double ops_per_s, double max_backlog_ops)
{
	return (struct pace){
		.ops_per_s = ops_per_s,
		.max_backlog_ops = max_backlog_ops,
		.start_ns = work->start_ns + work->workload->start_us * 1000,
		.stop_ns = work->start_ns + work->workload->stop_us * 1000,
	};
}

bool next_arrival(struct work *work, const struct pace *pace, int64_t *due_ns)
{
	for (;;) {
		double number = (double)atomic_fetch_add(&work->next, 1) + work->phase_ops;
		double waited_ops;

		*due_ns = pace->start_ns + (int64_t)(number / pace->ops_per_s * 1e9);
		if (*due_ns >= pace->stop_ns)
			return false;
		waited_ops = (double)(now_ns() - *due_ns) / 1e9 * pace->ops_per_s;
		if (waited_ops <= pace->max_backlog_ops)
			break;
		atomic_fetch_add(&work->tally->lost_ops, 1);
	}
	if (*due_ns > now_ns())
		sleep_until_ns(*due_ns);
	return true;
}
