// SPDX-License-Identifier: GPL-2.0
/* The switches, and what happened on each node since the counters were zeroed: /proc/reclaim_lab. */
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "reclaim_lab.h"

#define CREATE_TRACE_POINTS
#include <trace/events/reclaim_lab.h>

#define NEVER (-1)

enum clear_hopeless_reason { CLEAR_OTHER, CLEAR_KSWAPD, CLEAR_DIRECT, CLEAR_PCP };
enum reclaimer { BY_KSWAPD, BY_DIRECT, BY_MEMCG, RECLAIMERS };

struct lab_tally {
	atomic64_t passes, progress, resets, revivals, denied;
};

struct lab_node {
	atomic64_t runs, fruitless, wakes, wakes_skipped, free_path_resets, free_path_revivals;
	atomic64_t scanned[RECLAIMERS], stolen[RECLAIMERS];
	struct lab_tally by[LAB_REASONS];
	/* Under lab_lock, in ns of ktime_get() */
	s64 hopeless_ns, hopeless_since_ns, first_fruitless_ns, first_hopeless_ns;
};

static const char * const reason_names[LAB_REASONS] = {
	"kswapd", "global_direct", "memcg_high", "memcg_max", "proactive",
};
static const char * const reclaimer_names[RECLAIMERS] = { "kswapd", "direct", "memcg" };

static struct lab_node lab_nodes[MAX_NUMNODES];
static DEFINE_SPINLOCK(lab_lock);

/* always | balanced << 8 | coin << 16, bit r of each for reason r */
static unsigned int reset_rule __read_mostly = (1 << LAB_REASONS) - 1;
static bool free_path_reset __read_mostly;

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "vmscan."
module_param(reset_rule, uint, 0644);
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "page_alloc."
module_param(free_path_reset, bool, 0644);

static struct lab_node *lab_node(pg_data_t *pgdat)
{
	return &lab_nodes[pgdat->node_id];
}

static enum reclaimer reclaimer(bool cgroup_reclaim)
{
	if (cgroup_reclaim)
		return BY_MEMCG;
	return current_is_kswapd() ? BY_KSWAPD : BY_DIRECT;
}

enum lab_answer reclaim_lab_ask(enum lab_reason reason)
{
	unsigned int rule = READ_ONCE(reset_rule) >> reason;

	if (rule & 1 || (rule >> 16 & 1 && get_random_u32() & 1))
		return LAB_CLEAR;
	return rule >> 8 & 1 ? LAB_CLEAR_IF_BALANCED : LAB_DENY;
}

/* The node's first moment at or above the threshold, or below it again. */
static void note_hopeless(struct lab_node *node, bool hopeless)
{
	s64 now = ktime_get_ns();

	if (hopeless && node->hopeless_since_ns == NEVER) {
		node->hopeless_since_ns = now;
		if (node->first_hopeless_ns == NEVER)
			node->first_hopeless_ns = now;
	} else if (!hopeless && node->hopeless_since_ns != NEVER) {
		node->hopeless_ns += now - node->hopeless_since_ns;
		node->hopeless_since_ns = NEVER;
	}
}

/* Returns the failures found. */
static int clear_failures(pg_data_t *pgdat, enum clear_hopeless_reason reason)
{
	unsigned long flags;
	int failures;

	if (!READ_ONCE(pgdat->kswapd_failures))
		return 0;
	spin_lock_irqsave(&lab_lock, flags);
	failures = xchg(&pgdat->kswapd_failures, 0);
	note_hopeless(lab_node(pgdat), false);
	spin_unlock_irqrestore(&lab_lock, flags);
	if (failures)
		trace_mm_vmscan_kswapd_clear_hopeless(pgdat->node_id, reason);
	return failures;
}

void reclaim_lab_count_pass(pg_data_t *pgdat, enum lab_reason reason)
{
	atomic64_inc(&lab_node(pgdat)->by[reason].passes);
}

void reclaim_lab_count_progress(pg_data_t *pgdat, enum lab_reason reason, bool clear)
{
	struct lab_tally *by = &lab_node(pgdat)->by[reason];
	int failures;

	atomic64_inc(&by->progress);
	if (!clear) {
		if (READ_ONCE(pgdat->kswapd_failures))
			atomic64_inc(&by->denied);
		return;
	}
	failures = clear_failures(pgdat, reason == LAB_KSWAPD ? CLEAR_KSWAPD : CLEAR_DIRECT);
	if (failures)
		atomic64_inc(&by->resets);
	if (failures >= MAX_RECLAIM_RETRIES)
		atomic64_inc(&by->revivals);
}

void reclaim_lab_count_scan(pg_data_t *pgdat, bool cgroup_reclaim, unsigned long nr_scanned)
{
	atomic64_add(nr_scanned, &lab_node(pgdat)->scanned[reclaimer(cgroup_reclaim)]);
}

void reclaim_lab_count_steal(pg_data_t *pgdat, bool cgroup_reclaim, unsigned long nr_reclaimed)
{
	atomic64_add(nr_reclaimed, &lab_node(pgdat)->stolen[reclaimer(cgroup_reclaim)]);
}

void reclaim_lab_run(pg_data_t *pgdat)
{
	atomic64_inc(&lab_node(pgdat)->runs);
}

/* A run of balance_pgdat() that freed nothing: one failure more. */
void reclaim_lab_fruitless(pg_data_t *pgdat)
{
	struct lab_node *node = lab_node(pgdat);
	unsigned long flags;
	int failures;

	atomic64_inc(&node->fruitless);
	spin_lock_irqsave(&lab_lock, flags);
	failures = ++pgdat->kswapd_failures;
	if (node->first_fruitless_ns == NEVER)
		node->first_fruitless_ns = ktime_get_ns();
	if (failures >= MAX_RECLAIM_RETRIES)
		note_hopeless(node, true);
	spin_unlock_irqrestore(&lab_lock, flags);
	trace_mm_vmscan_kswapd_reclaim_fail(pgdat->node_id, failures);
}

void reclaim_lab_wake(pg_data_t *pgdat)
{
	atomic64_inc(&lab_node(pgdat)->wakes);
}

void reclaim_lab_wake_skipped(pg_data_t *pgdat)
{
	atomic64_inc(&lab_node(pgdat)->wakes_skipped);
}

/* Freed pages have just brought a zone above high: 6.18 revives a hopeless node that has a next one. */
void reclaim_lab_free_path(pg_data_t *pgdat)
{
	struct lab_node *node = lab_node(pgdat);
	int failures;

	if (!READ_ONCE(free_path_reset) ||
	    READ_ONCE(pgdat->kswapd_failures) < MAX_RECLAIM_RETRIES ||
	    next_memory_node(pgdat->node_id) >= MAX_NUMNODES)
		return;
	failures = clear_failures(pgdat, CLEAR_PCP);
	if (failures)
		atomic64_inc(&node->free_path_resets);
	if (failures >= MAX_RECLAIM_RETRIES)
		atomic64_inc(&node->free_path_revivals);
}

static void zero_node(pg_data_t *pgdat)
{
	struct lab_node *node = lab_node(pgdat);
	bool hopeless = READ_ONCE(pgdat->kswapd_failures) >= MAX_RECLAIM_RETRIES;

	memset(node, 0, sizeof(*node));
	node->hopeless_since_ns = NEVER;
	node->first_fruitless_ns = NEVER;
	node->first_hopeless_ns = NEVER;
	note_hopeless(node, hopeless);
}

static void zero_counters(void)
{
	int nid;

	spin_lock_irq(&lab_lock);
	for_each_node_state(nid, N_MEMORY)
		zero_node(NODE_DATA(nid));
	spin_unlock_irq(&lab_lock);
}

static void make_hopeless(int nid)
{
	spin_lock_irq(&lab_lock);
	NODE_DATA(nid)->kswapd_failures = MAX_RECLAIM_RETRIES;
	note_hopeless(&lab_nodes[nid], true);
	spin_unlock_irq(&lab_lock);
}

static void show_node(struct seq_file *file, pg_data_t *pgdat)
{
	struct lab_node *node = lab_node(pgdat);
	s64 hopeless_ns, first_fruitless_ns, first_hopeless_ns;
	int by;

	spin_lock_irq(&lab_lock);
	hopeless_ns = node->hopeless_ns;
	if (node->hopeless_since_ns != NEVER)
		hopeless_ns += ktime_get_ns() - node->hopeless_since_ns;
	first_fruitless_ns = node->first_fruitless_ns;
	first_hopeless_ns = node->first_hopeless_ns;
	spin_unlock_irq(&lab_lock);

	seq_printf(file, "node %d kswapd_failures %d runs %lld fruitless %lld wakes %lld wakes_skipped %lld",
		   pgdat->node_id, pgdat->kswapd_failures, atomic64_read(&node->runs),
		   atomic64_read(&node->fruitless), atomic64_read(&node->wakes),
		   atomic64_read(&node->wakes_skipped));
	seq_printf(file, " hopeless_ns %lld first_fruitless_ns %lld first_hopeless_ns %lld",
		   hopeless_ns, first_fruitless_ns, first_hopeless_ns);
	seq_printf(file, " free_path_resets %lld free_path_revivals %lld",
		   atomic64_read(&node->free_path_resets), atomic64_read(&node->free_path_revivals));
	for (by = 0; by < RECLAIMERS; by++)
		seq_printf(file, " pgscan_%s %lld pgsteal_%s %lld",
			   reclaimer_names[by], atomic64_read(&node->scanned[by]),
			   reclaimer_names[by], atomic64_read(&node->stolen[by]));
	seq_putc(file, '\n');
}

static void show_reason(struct seq_file *file, int nid, enum lab_reason reason)
{
	struct lab_tally *by = &lab_nodes[nid].by[reason];

	seq_printf(file, "reason %d %s passes %lld progress %lld resets %lld revivals %lld denied %lld\n",
		   nid, reason_names[reason], atomic64_read(&by->passes), atomic64_read(&by->progress),
		   atomic64_read(&by->resets), atomic64_read(&by->revivals), atomic64_read(&by->denied));
}

static int lab_show(struct seq_file *file, void *unused)
{
	int nid, reason;

	for_each_node_state(nid, N_MEMORY) {
		show_node(file, NODE_DATA(nid));
		for (reason = 0; reason < LAB_REASONS; reason++)
			show_reason(file, nid, reason);
	}
	return 0;
}

static int lab_open(struct inode *inode, struct file *file)
{
	return single_open(file, lab_show, NULL);
}

/* "0" zeroes the counters, "hopeless NID" has kswapd give the node up. */
static ssize_t lab_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char line[32];
	int nid;

	if (count >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, text, count))
		return -EFAULT;
	line[count] = '\0';
	if (sysfs_streq(line, "0"))
		zero_counters();
	else if (sscanf(line, "hopeless %d", &nid) == 1 && nid >= 0 && nid < MAX_NUMNODES &&
		 node_state(nid, N_MEMORY))
		make_hopeless(nid);
	else
		return -EINVAL;
	return count;
}

static const struct proc_ops lab_ops = {
	.proc_open = lab_open,
	.proc_read = seq_read,
	.proc_write = lab_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init reclaim_lab_init(void)
{
	zero_counters();
	if (!proc_create("reclaim_lab", 0644, NULL, &lab_ops))
		return -ENOMEM;
	return 0;
}
late_initcall(reclaim_lab_init);
