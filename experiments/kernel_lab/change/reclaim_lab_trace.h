/* SPDX-License-Identifier: GPL-2.0 */
/* The two events of 7.0, under its names and with its fields. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmscan
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE reclaim_lab

#if !defined(_TRACE_RECLAIM_LAB_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_RECLAIM_LAB_H

#include <linux/tracepoint.h>

TRACE_EVENT(mm_vmscan_kswapd_reclaim_fail,
	TP_PROTO(int nid, int failures),
	TP_ARGS(nid, failures),
	TP_STRUCT__entry(
		__field(int, nid)
		__field(int, failures)
	),
	TP_fast_assign(
		__entry->nid = nid;
		__entry->failures = failures;
	),
	TP_printk("nid=%d failures=%d", __entry->nid, __entry->failures)
);

TRACE_EVENT(mm_vmscan_kswapd_clear_hopeless,
	TP_PROTO(int nid, int reason),
	TP_ARGS(nid, reason),
	TP_STRUCT__entry(
		__field(int, nid)
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->nid = nid;
		__entry->reason = reason;
	),
	TP_printk("nid=%d reason=%s", __entry->nid,
		  __print_symbolic(__entry->reason,
				   { 0, "OTHER" }, { 1, "KSWAPD" }, { 2, "DIRECT" }, { 3, "PCP" }))
);

#endif

#include <trace/define_trace.h>
