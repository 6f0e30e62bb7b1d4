#include "websocket-service/deliver/typing.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "websocket-service/deliver/ephemeral_producer.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/member_key.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

enum { KEY_MAX = TYPING_RECIPIENTS_MAX * 21, FRAME_TYPING_MAX = 256 };

struct roster;

/* The rosters of a conversation, or of a user, that are or will be answered. */
struct group {
	uint64_t id;
	struct roster *rosters;
	UT_hash_handle hh;
};

struct recipient {
	uint64_t user;
	uint32_t partition;
};

struct roster {
	struct member_key member;
	struct group *conversation; /* NULL: not asked, or evicted */
	struct group *user;         /* the same */
	uint64_t until_ms;          /* valid until then; 0: not known */
	uint64_t query_number;      /* 0: no query is under way */
	uint64_t queried_ms;
	uint64_t started_ms;          /* the latest not ignored; 0: none */
	struct recipient *recipients; /* by partition */
	uint32_t count;
	struct roster *prev, *next; /* the least recently used first */
	/* Of the same conversation, and of the same user. */
	struct roster *conversation_prev, *conversation_next;
	struct roster *user_prev, *user_next;
	UT_hash_handle hh;
};

struct typing {
	struct typing_options options;
	struct roster *by_member;
	struct roster *by_use;
	struct group *conversations;
	struct group *users;
	uint64_t query_number; /* of the latest query */
	struct buf key;
	struct buf frame;
};

struct typing *typing_create(const struct typing_options *options)
{
	struct typing *typing = mem_new(sizeof(*typing));

	typing->options = *options;
	typing->key = BUF(KEY_MAX);
	typing->frame = BUF(FRAME_TYPING_MAX);
	return typing;
}

/* --- rosters ------------------------------------------------------------- */

static struct group *find_group(struct group *groups, uint64_t id)
{
	struct group *group;

	HASH_FIND(hh, groups, &id, sizeof(id), group);
	return group;
}

static struct group *get_or_make_group(struct group **groups, uint64_t id)
{
	struct group *group = find_group(*groups, id);

	if (group)
		return group;
	group = mem_new(sizeof(*group));
	group->id = id;
	HASH_ADD(hh, *groups, id, sizeof(group->id), group);
	return group;
}

static void drop_empty_group(struct group **groups, struct group *group)
{
	if (group->rosters)
		return;
	HASH_DEL(*groups, group);
	mem_free(&group);
}

static struct roster *find(const struct typing *typing,
                           const struct member_key *member)
{
	struct roster *roster;

	HASH_FIND(hh, typing->by_member, member, sizeof(*member), roster);
	return roster;
}

static void link_groups(struct typing *typing, struct roster *roster)
{
	roster->conversation = get_or_make_group(&typing->conversations,
	                                         roster->member.conversation);
	roster->user = get_or_make_group(&typing->users, roster->member.user);
	DL_APPEND2(roster->conversation->rosters, roster, conversation_prev,
	           conversation_next);
	DL_APPEND2(roster->user->rosters, roster, user_prev, user_next);
}

/* Keeps started_ms: the rate limit still applies. */
static void evict(struct typing *typing, struct roster *roster)
{
	if (roster->conversation) {
		DL_DELETE2(roster->conversation->rosters, roster,
		           conversation_prev, conversation_next);
		DL_DELETE2(roster->user->rosters, roster, user_prev, user_next);
		drop_empty_group(&typing->conversations, roster->conversation);
		drop_empty_group(&typing->users, roster->user);
	}
	roster->conversation = NULL;
	roster->user = NULL;
	mem_free(&roster->recipients);
	roster->count = 0;
	roster->until_ms = 0;
	roster->query_number = 0; /* the answer may be older than the change */
}

static void drop(struct typing *typing, struct roster *roster)
{
	evict(typing, roster);
	DL_DELETE(typing->by_use, roster);
	HASH_DEL(typing->by_member, roster);
	mem_free(&roster);
}

void typing_destroy(struct typing **typing)
{
	struct typing *t = *typing;

	if (!t)
		return;
	while (t->by_use)
		drop(t, t->by_use);
	buf_free(&t->key);
	buf_free(&t->frame);
	mem_free(typing);
}

uint32_t typing_rosters(const struct typing *typing)
{
	return HASH_COUNT(typing->by_member);
}

static struct roster *make(struct typing *typing,
                           const struct member_key *member)
{
	struct roster *roster;

	if (typing_rosters(typing) >= typing->options.rosters_max)
		drop(typing, typing->by_use);
	roster = mem_new(sizeof(*roster));
	roster->member = *member;
	HASH_ADD(hh, typing->by_member, member, sizeof(roster->member), roster);
	DL_APPEND(typing->by_use, roster);
	return roster;
}

static struct roster *get_or_make(struct typing *typing,
                                  const struct member_key *member)
{
	struct roster *roster = find(typing, member);

	if (!roster)
		return make(typing, member);
	DL_DELETE(typing->by_use, roster);
	DL_APPEND(typing->by_use, roster);
	return roster;
}

void typing_evict(struct typing *typing, uint64_t id)
{
	struct group *group = find_group(typing->conversations, id);
	struct roster *roster = group ? group->rosters : NULL;

	while (roster) {
		struct roster *next = roster->conversation_next;

		evict(typing, roster); /* the last one frees the group */
		roster = next;
	}
}

void typing_evict_user(struct typing *typing, uint64_t id)
{
	struct group *group = find_group(typing->users, id);
	struct roster *roster = group ? group->rosters : NULL;

	while (roster) {
		struct roster *next = roster->user_next;

		evict(typing, roster);
		roster = next;
	}
}

/* --- notifications ------------------------------------------------------- */

/* One record for each partition that has recipients. */
static void publish(struct typing *typing, const struct roster *roster)
{
	buf_clear(&typing->frame);
	frame_typing(&typing->frame, roster->member.conversation,
	             roster->member.user);
	for (uint32_t i = 0; i < roster->count;) {
		uint32_t partition = roster->recipients[i].partition;

		buf_clear(&typing->key);
		while (i < roster->count &&
		       roster->recipients[i].partition == partition)
			event_key_add(&typing->key,
			              roster->recipients[i++].user);
		ephemeral_producer_send(typing->options.producer, partition,
		                        buf_span(&typing->key),
		                        buf_span(&typing->frame));
	}
	metric_count(&gateway_metrics.typing, 1);
}

/* When Kafka does not accept the query, the next notification asks again. */
static void query_roster(struct typing *typing, struct roster *roster,
                         uint64_t user_to, uint64_t now_ms)
{
	struct typing_query query = {
		.number = ++typing->query_number,
		.user = roster->member.user,
		.conversation = roster->member.conversation,
		.user_to = user_to,
	};

	if (!typing->options.query(typing->options.context, &query))
		return;
	evict(typing, roster);
	link_groups(typing, roster);
	roster->query_number = query.number;
	roster->queried_ms = now_ms;
	metric_count(&gateway_metrics.roster_queries, 1);
}

void typing_started(struct typing *typing, uint64_t user, uint64_t conversation,
                    uint64_t user_to)
{
	struct member_key member = member_key_make(user, conversation);
	struct roster *roster = get_or_make(typing, &member);
	uint64_t now_ms = clock_mono_ms();

	if (roster->started_ms &&
	    now_ms < roster->started_ms + TYPING_INTERVAL_MS)
		return;
	roster->started_ms = now_ms;
	if (roster->until_ms > now_ms)
		publish(typing, roster);
	else
		query_roster(typing, roster, user_to, now_ms);
}

/* --- answers ------------------------------------------------------------- */

static int by_partition(const void *a, const void *b)
{
	const struct recipient *one = a;
	const struct recipient *other = b;

	return (one->partition > other->partition) -
	       (one->partition < other->partition);
}

static void read_users(struct typing *typing, struct roster *roster,
                       struct span users)
{
	uint32_t capacity = 0;
	uint64_t user;

	evict(typing, roster);
	link_groups(typing, roster);
	while (roster->count < TYPING_RECIPIENTS_MAX &&
	       event_key_next(&users, &user)) {
		if (roster->count == capacity) {
			capacity = capacity ? capacity * 2 : 4;
			roster->recipients = mem_resize(
				roster->recipients,
				capacity * sizeof(*roster->recipients));
		}
		roster->recipients[roster->count++] = (struct recipient){
			user,
			event_partition(user, typing->options.partitions)};
	}
	if (roster->count > 1)
		qsort(roster->recipients, roster->count,
		      sizeof(*roster->recipients), by_partition);
}

void typing_answered(struct typing *typing, uint64_t number, uint64_t user,
                     const struct event_roster *answer)
{
	struct member_key member = member_key_make(user, answer->conversation);
	struct roster *roster = find(typing, &member);
	uint64_t now_ms = clock_mono_ms();
	bool in_time;

	if (!roster || !number || roster->query_number != number)
		return;
	in_time = now_ms < roster->queried_ms + TYPING_ANSWER_WAIT_MS;
	read_users(typing, roster, answer->users);
	roster->until_ms =
		now_ms + (roster->count ? TYPING_ROSTER_TTL_MS
	                                : TYPING_EMPTY_ROSTER_TTL_MS);
	if (in_time)
		publish(typing, roster);
}
