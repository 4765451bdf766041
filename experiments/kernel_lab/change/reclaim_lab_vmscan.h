/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the lab that reads struct scan_control, private to mm/vmscan.c. */
#include "reclaim_lab.h"

static bool pgdat_balanced(pg_data_t *pgdat, int order, int highest_zoneidx);
static bool pgdat_watermark_boosted(pg_data_t *pgdat, int highest_zoneidx);

static enum lab_reason reclaim_lab_reason(const struct scan_control *sc)
{
	if (current_is_kswapd())
		return LAB_KSWAPD;
	if (sc->proactive)
		return LAB_PROACTIVE;
	if (!sc->target_mem_cgroup)
		return LAB_GLOBAL_DIRECT;
	return sc->lab_memcg_high ? LAB_MEMCG_HIGH : LAB_MEMCG_MAX;
}

/* A pass freed something on the node: the rule in force decides about its kswapd_failures. */
static void reclaim_lab_progress(pg_data_t *pgdat, const struct scan_control *sc)
{
	enum lab_reason reason = reclaim_lab_reason(sc);
	enum lab_answer answer = reclaim_lab_ask(reason);
	bool clear = answer == LAB_CLEAR;

	if (answer == LAB_CLEAR_IF_BALANCED)
		clear = pgdat_balanced(pgdat, sc->order, sc->reclaim_idx);
	reclaim_lab_count_progress(pgdat, reason, clear);
}

/* A sleeping kswapd is called: lost only where nothing but hopelessness stood against the wake. */
static void reclaim_lab_called(pg_data_t *pgdat, int order, int highest_zoneidx)
{
	if (pgdat->kswapd_failures < MAX_RECLAIM_RETRIES)
		return;
	if (pgdat_balanced(pgdat, order, highest_zoneidx) &&
	    !pgdat_watermark_boosted(pgdat, highest_zoneidx))
		return;
	reclaim_lab_wake_skipped(pgdat);
}
