#include "stalls.h"

#include <linux/genetlink.h>
#include <linux/taskstats.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"

enum { MESSAGE_BYTES = 2048 };

struct message {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	char attributes[MESSAGE_BYTES];
};

static int channel = -1;
static uint16_t family;

static struct nlattr *next(struct nlattr *attribute)
{
	return (struct nlattr *)((char *)attribute + NLA_ALIGN(attribute->nla_len));
}

static void *payload(struct nlattr *attribute)
{
	return (char *)attribute + NLA_HDRLEN;
}

/* The attribute of a type among those in [first, end), or NULL. */
static struct nlattr *find(struct nlattr *first, const char *end, uint16_t type)
{
	for (struct nlattr *at = first; (char *)at + NLA_HDRLEN <= end && at->nla_len >= NLA_HDRLEN; at = next(at))
		if (at->nla_type == type)
			return at;
	return NULL;
}

/* Sends a command with one attribute and reads the answer; NULL if it is an error. */
static struct nlattr *ask(struct message *message, uint16_t to, uint8_t command, uint16_t type, const void *value,
			  size_t bytes)
{
	struct nlattr *attribute = (struct nlattr *)message->attributes;
	ssize_t got;

	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(NLA_HDRLEN + bytes));
	message->header.nlmsg_type = to;
	message->header.nlmsg_flags = NLM_F_REQUEST;
	message->generic.cmd = command;
	message->generic.version = 1;
	attribute->nla_type = type;
	attribute->nla_len = (uint16_t)(NLA_HDRLEN + bytes);
	memcpy(payload(attribute), value, bytes);
	if (send(channel, message, message->header.nlmsg_len, 0) < 0)
		return NULL;
	got = recv(channel, message, sizeof(*message), 0);
	if (got < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) || message->header.nlmsg_type == NLMSG_ERROR)
		return NULL;
	return attribute;
}

static const char *end_of(const struct message *message)
{
	return (const char *)message + message->header.nlmsg_len;
}

void open_stalls(void)
{
	struct message message;
	struct nlattr *answer;

	channel = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	answer = ask(&message, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME,
		     sizeof(TASKSTATS_GENL_NAME));
	if (answer != NULL)
		answer = find(answer, end_of(&message), CTRL_ATTR_FAMILY_ID);
	if (answer == NULL)
		fail("the kernel has no taskstats");
	family = *(uint16_t *)payload(answer);
}

void add_stalls(pid_t pid, struct stalls *stalls)
{
	struct message message;
	struct taskstats stats;
	uint32_t process = (uint32_t)pid;
	struct nlattr *answer = ask(&message, family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_TGID, &process,
				    sizeof(process));

	if (answer != NULL)
		answer = find(answer, end_of(&message), TASKSTATS_TYPE_AGGR_TGID);
	if (answer != NULL)
		answer = find(payload(answer), (char *)next(answer), TASKSTATS_TYPE_STATS);
	if (answer == NULL)
		return;
	memcpy(&stats, payload(answer), sizeof(stats));
	stalls->direct_ns += (int64_t)stats.freepages_delay_total;
	stalls->thrashing_ns += (int64_t)stats.thrashing_delay_total;
	stalls->run_delay_ns += (int64_t)stats.cpu_delay_total;
}
