/* SPDX-License-Identifier: GPL-2.0 */
/* What the lab asks of mm/: who may clear kswapd_failures, and counters by node and reclaimer. */
#ifndef _MM_RECLAIM_LAB_H
#define _MM_RECLAIM_LAB_H

#include <linux/mmzone.h>

/* The bits of a rule's masks, in this order. */
enum lab_reason {
	LAB_KSWAPD,
	LAB_GLOBAL_DIRECT,
	LAB_MEMCG_HIGH,
	LAB_MEMCG_MAX,
	LAB_PROACTIVE,
	LAB_REASONS
};

enum lab_answer { LAB_DENY, LAB_CLEAR, LAB_CLEAR_IF_BALANCED };

enum lab_answer reclaim_lab_ask(enum lab_reason reason);
void reclaim_lab_count_pass(pg_data_t *pgdat, enum lab_reason reason);
void reclaim_lab_count_progress(pg_data_t *pgdat, enum lab_reason reason, bool clear);
void reclaim_lab_count_scan(pg_data_t *pgdat, bool cgroup_reclaim, unsigned long nr_scanned);
void reclaim_lab_count_steal(pg_data_t *pgdat, bool cgroup_reclaim, unsigned long nr_reclaimed);

void reclaim_lab_run(pg_data_t *pgdat);
void reclaim_lab_fruitless(pg_data_t *pgdat);
void reclaim_lab_wake(pg_data_t *pgdat);
void reclaim_lab_wake_skipped(pg_data_t *pgdat);
void reclaim_lab_free_path(pg_data_t *pgdat);

#endif
