#include "program.h"

#include <string.h>

#include "fail.h"
#include "statement.h"

enum { VERSION = 1 };

static const char *const POLICIES[] = { "local", "bind", "preferred", "interleave", NULL };
static const char *const ACCESSES[] = { "read", "mmap", "exec", NULL };
static const char *const PATTERNS[] = { "random", "loop", NULL };
static const char *const LIMIT_KEYS[LIMITS] = { "min_pages", "low_pages", "high_pages", "max_pages" };

static int find_cgroup(const struct program *program, const char *name)
{
	for (int g = 0; g < program->nr_cgroups; g++)
		if (strcmp(program->cgroups[g].name, name) == 0)
			return g;
	fail("program: found cgroup %s, wanted one of an earlier line", name);
}

static int take_node(struct statement *line, const char *key)
{
	int64_t node = take_int(line, key);

	if (node < 0 || node >= MAX_NODES)
		fail("program: found %s=%lld, wanted 0..%d", key, (long long)node, MAX_NODES - 1);
	return (int)node;
}

static struct workload *last_workload(struct program *program)
{
	if (program->nr_workloads == 0)
		fail("program: found a part of a workload, wanted the workload first");
	return &program->workloads[program->nr_workloads - 1];
}

static struct file *last_file(struct program *program)
{
	struct workload *workload = last_workload(program);

	if (workload->nr_files == 0)
		fail("program: found resident, wanted its file first");
	return &workload->files[workload->nr_files - 1];
}

static void parse_run(struct program *program, struct statement *line)
{
	if (take_int(line, "version") != VERSION)
		fail("program: found another version, wanted %d", VERSION);
	program->duration_us = take_int(line, "duration_us");
	program->sample_us = take_int(line, "sample_us");
	program->seed = take_int(line, "seed");
	program->reset_rule = take_int(line, "reset_rule");
	program->free_path_reset = take_int(line, "free_path_reset");
}

static void parse_sysctl(struct program *program, struct statement *line)
{
	struct sysctl *sysctl = append((void **)&program->sysctls, &program->nr_sysctls, sizeof(*sysctl));

	take_name(line, "name", sysctl->name);
	sysctl->value = take_int(line, "value");
}

static void parse_node(struct program *program, struct statement *line)
{
	int node = take_node(line, "id");

	program->kernel_pages[node] = take_int(line, "kernel_pages");
	program->nr_nodes = node + 1;
}

static void parse_cgroup(struct program *program, struct statement *line)
{
	int parent = has(line, "parent") ? find_cgroup(program, take(line, "parent")) : ROOT;
	struct cgroup *cgroup = append((void **)&program->cgroups, &program->nr_cgroups, sizeof(*cgroup));

	take_name(line, "name", cgroup->name);
	cgroup->parent = parent;
	cgroup->count = take_int(line, "count");
	for (int i = 0; i < LIMITS; i++)
		cgroup->limit_pages[i] = has(line, LIMIT_KEYS[i]) ? take_int(line, LIMIT_KEYS[i]) : NO_LIMIT;
}

static struct workload *parse_task(struct program *program, struct statement *line, enum kind kind)
{
	struct workload *workload = append((void **)&program->workloads, &program->nr_workloads,
					   sizeof(*workload));
	const char *cgroup;

	workload->kind = kind;
	take_name(line, "name", workload->name);
	cgroup = take(line, "cgroup");
	workload->cgroup = strcmp(cgroup, "-") == 0 ? ROOT : find_cgroup(program, cgroup);
	workload->cpu_node = take_node(line, "cpu_node");
	workload->policy = take_choice(line, "policy", POLICIES);
	workload->nodes = take_int(line, "nodes");
	workload->threads = take_int(line, "threads");
	return workload;
}

static void parse_period(struct workload *workload, struct statement *line)
{
	workload->start_us = take_int(line, "start_us");
	workload->stop_us = take_int(line, "stop_us");
}

static void parse_anon(struct program *program, struct statement *line)
{
	struct workload *anon = parse_task(program, line, ANON);

	anon->churn_pages_per_s = take_number(line, "churn_pages_per_s");
	anon->burst_pages = take_int(line, "burst_pages");
	anon->burst_every_us = take_int(line, "burst_every_us");
	anon->burst_hold_us = take_int(line, "burst_hold_us");
	anon->oom_score_adj = take_int(line, "oom_score_adj");
	anon->restart_us = take_int(line, "restart_us");
}

static void parse_initial(struct program *program, struct statement *line)
{
	struct workload *anon = last_workload(program);
	int node = take_node(line, "node");

	anon->initial_pages[node] = take_int(line, "pages");
}

static void parse_point(struct program *program, struct statement *line)
{
	struct workload *anon = last_workload(program);
	struct point *point = append((void **)&anon->points, &anon->nr_points, sizeof(*point));

	point->at_us = take_int(line, "at_us");
	point->pages = take_int(line, "pages");
}

static void parse_reader(struct program *program, struct statement *line)
{
	struct workload *reader = parse_task(program, line, READER);

	parse_period(reader, line);
	reader->think_us = take_int(line, "think_us");
	reader->op_cpu_us = take_number(line, "op_cpu_us");
	reader->pages_per_op = take_number(line, "pages_per_op");
	reader->ops_per_s = take_number(line, "ops_per_s");
	reader->max_backlog_ops = take_number(line, "max_backlog_ops");
}

static void parse_stream(struct program *program, struct statement *line)
{
	struct workload *stream = parse_task(program, line, STREAM);

	parse_period(stream, line);
	stream->pages_per_s = take_number(line, "pages_per_s");
}

static void parse_file(struct program *program, struct statement *line)
{
	struct workload *workload = last_workload(program);
	struct file *file = append((void **)&workload->files, &workload->nr_files, sizeof(*file));

	take_name(line, "path", file->path);
	file->pages = take_int(line, "pages");
	file->share = take_number(line, "share");
	file->access = take_choice(line, "access", ACCESSES);
	file->loop = take_choice(line, "pattern", PATTERNS);
	file->readahead_pages = take_int(line, "readahead_pages");
	file->on_us = take_int(line, "on_us");
	file->off_us = take_int(line, "off_us");
}

static void parse_resident(struct program *program, struct statement *line)
{
	struct file *file = last_file(program);
	int node = take_node(line, "node");

	file->inactive_pages[node] = take_int(line, "inactive_pages");
	file->active_pages[node] = take_int(line, "active_pages");
}

static void parse_event(struct program *program, struct statement *line)
{
	struct event *event = append((void **)&program->events, &program->nr_events, sizeof(*event));

	event->at_us = take_int(line, "at_us");
	take_name(line, "file", event->file);
	event->cgroup = find_cgroup(program, take(line, "cgroup"));
	event->pages = take_int(line, "pages");
}

static void parse_hopeless(struct program *program, struct statement *line)
{
	program->hopeless[take_node(line, "node")] = true;
}

static const struct {
	const char *word;
	void (*parse)(struct program *, struct statement *);
} PARSERS[] = {
	{ "run", parse_run },           { "sysctl", parse_sysctl }, { "node", parse_node },
	{ "cgroup", parse_cgroup },     { "anon", parse_anon },     { "initial", parse_initial },
	{ "point", parse_point },       { "reader", parse_reader }, { "stream", parse_stream },
	{ "file", parse_file },         { "event", parse_event },   { "resident", parse_resident },
	{ "hopeless", parse_hopeless },
};

static void parse_statement(struct program *program, struct statement *line)
{
	for (size_t i = 0; i < sizeof(PARSERS) / sizeof(*PARSERS); i++) {
		if (strcmp(PARSERS[i].word, line->word) == 0) {
			PARSERS[i].parse(program, line);
			refuse_unused(line);
			return;
		}
	}
	fail("program: found the word %s, wanted one of the grammar's", line->word);
}

struct program *parse_program(FILE *text)
{
	static struct program program;
	static struct statement line;

	while (read_statement(text, &line))
		parse_statement(&program, &line);
	if (program.duration_us == 0 || program.nr_nodes == 0)
		fail("program: found no run or no node line, wanted both");
	return &program;
}

int64_t members_of(const struct program *program, const struct workload *workload)
{
	return workload->cgroup == ROOT ? 1 : program->cgroups[workload->cgroup].count;
}
