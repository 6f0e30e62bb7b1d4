#include "websocket-service/deliver/typing.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/frame.h"
#include "websocket-service/about.h"
#include "websocket-service/deliver/ephemeral.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/receive/save_records.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

enum { KEY_MAX = TYPING_USERS_MAX * 21, FRAME_TYPING_MAX = 256 };

struct roster;

/* A conversation in which somebody types. */
struct talk {
	uint64_t conversation;
	struct roster *rosters;
	UT_hash_handle hh;
};

struct recipient {
	uint64_t user;
	uint32_t partition;
};

struct roster {
	struct about about;
	struct talk *talk;
	uint64_t until_ms;            /* the recipients hold; 0: not known */
	uint64_t asked_ms;            /* 0: not */
	uint64_t told_ms;             /* the last one taken; 0: none yet */
	struct recipient *recipients; /* by partition */
	uint32_t count;
	struct roster *prev, *next;           /* the longest unused first */
	struct roster *talk_prev, *talk_next; /* of the same talk */
	UT_hash_handle hh;
};

struct typing {
	struct typing_options options;
	struct roster *by_about;
	struct roster *by_use;
	struct talk *talks;
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

static struct talk *find_talk(const struct typing *typing, uint64_t id)
{
	struct talk *talk;

	HASH_FIND(hh, typing->talks, &id, sizeof(id), talk);
	return talk;
}

static struct roster *find(const struct typing *typing,
                           const struct about *about)
{
	struct roster *roster;

	HASH_FIND(hh, typing->by_about, about, sizeof(*about), roster);
	return roster;
}

static void enter_talk(struct typing *typing, struct roster *roster)
{
	uint64_t id = roster->about.conversation;
	struct talk *talk = find_talk(typing, id);

	if (!talk) {
		talk = mem_new(sizeof(*talk));
		talk->conversation = id;
		HASH_ADD(hh, typing->talks, conversation, sizeof(id), talk);
	}
	roster->talk = talk;
	DL_APPEND2(talk->rosters, roster, talk_prev, talk_next);
}

static void leave_talk(struct typing *typing, struct roster *roster)
{
	struct talk *talk = roster->talk;

	DL_DELETE2(talk->rosters, roster, talk_prev, talk_next);
	if (talk->rosters)
		return;
	HASH_DEL(typing->talks, talk);
	mem_free(&talk);
}

static void drop(struct typing *typing, struct roster *roster)
{
	leave_talk(typing, roster);
	DL_DELETE(typing->by_use, roster);
	HASH_DEL(typing->by_about, roster);
	mem_free(&roster->recipients);
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
	return HASH_COUNT(typing->by_about);
}

static struct roster *make(struct typing *typing, const struct about *about)
{
	struct roster *roster;

	if (typing_rosters(typing) >= typing->options.rosters_max)
		drop(typing, typing->by_use);
	roster = mem_new(sizeof(*roster));
	roster->about = *about;
	HASH_ADD(hh, typing->by_about, about, sizeof(roster->about), roster);
	DL_APPEND(typing->by_use, roster);
	enter_talk(typing, roster);
	return roster;
}

static struct roster *use(struct typing *typing, const struct about *about)
{
	struct roster *roster = find(typing, about);

	if (!roster)
		return make(typing, about);
	DL_DELETE(typing->by_use, roster);
	DL_APPEND(typing->by_use, roster);
	return roster;
}

/* When the last one was taken stays: the rate holds. */
static void forget(struct roster *roster)
{
	mem_free(&roster->recipients);
	roster->count = 0;
	roster->until_ms = 0;
}

void typing_forget(struct typing *typing, uint64_t conversation)
{
	struct talk *talk = find_talk(typing, conversation);
	struct roster *roster;

	if (!talk)
		return;
	DL_FOREACH2(talk->rosters, roster, talk_next)
	forget(roster);
}

/* Rare enough for a look at all. */
void typing_forget_user(struct typing *typing, uint64_t user)
{
	struct roster *roster;

	DL_FOREACH (typing->by_use, roster)
		if (roster->about.user == user)
			forget(roster);
}

/* --- telling ------------------------------------------------------------- */

/* One record for each partition that holds a recipient. */
static void tell(struct typing *typing, const struct roster *roster)
{
	buf_clear(&typing->frame);
	frame_typing(&typing->frame, roster->about.conversation,
	             roster->about.user);
	for (uint32_t i = 0; i < roster->count;) {
		uint32_t partition = roster->recipients[i].partition;

		buf_clear(&typing->key);
		while (i < roster->count &&
		       roster->recipients[i].partition == partition)
			event_key_add(&typing->key,
			              roster->recipients[i++].user);
		ephemeral_say(typing->options.ephemeral, partition,
		              buf_span(&typing->key), buf_span(&typing->frame));
	}
	metric_count(&measure_typing, 1);
}

/* Not taken by Kafka: the next one, in 2 s, asks again. */
static void ask(struct typing *typing, struct roster *roster, uint64_t now_ms)
{
	struct save_record record = {
		.kind = SAVE_ROSTER,
		.sender = roster->about.user,
		.conversation = roster->about.conversation,
	};

	if (records_produce(typing->options.records, &record, SPAN_NONE,
	                    record_tag(RECORD_OF_NOBODY, 0)) != ST_OK)
		return;
	roster->asked_ms = now_ms;
	metric_count(&measure_rosters_asked, 1);
}

void typing_take(struct typing *typing, uint64_t user, uint64_t conversation)
{
	struct about about = about_make(user, conversation);
	struct roster *roster = use(typing, &about);
	uint64_t now_ms = clock_mono_ms();

	if (roster->told_ms && now_ms < roster->told_ms + TYPING_EACH_MS)
		return;
	roster->told_ms = now_ms;
	if (roster->until_ms > now_ms)
		tell(typing, roster);
	else
		ask(typing, roster, now_ms);
}

/* --- answers ------------------------------------------------------------- */

static int by_partition(const void *a, const void *b)
{
	const struct recipient *one = a;
	const struct recipient *other = b;

	return (one->partition > other->partition) -
	       (one->partition < other->partition);
}

static void read_users(const struct typing *typing, struct roster *roster,
                       struct span users)
{
	uint32_t capacity = 0;
	uint64_t user;

	forget(roster);
	while (roster->count < TYPING_USERS_MAX &&
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

void typing_answered(struct typing *typing, uint64_t user,
                     const struct event_roster *answer)
{
	struct about about = about_make(user, answer->conversation);
	struct roster *roster = find(typing, &about);
	uint64_t now_ms = clock_mono_ms();
	bool in_time;

	if (!roster || !roster->asked_ms)
		return; /* another gateway has asked */
	in_time = now_ms < roster->asked_ms + TYPING_ANSWER_MS;
	roster->asked_ms = 0;
	read_users(typing, roster, answer->users);
	roster->until_ms =
		now_ms + (roster->count ? TYPING_KEPT_MS : TYPING_NOBODY_MS);
	if (in_time)
		tell(typing, roster);
}
