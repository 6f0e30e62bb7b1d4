#include "persistence-service/save/conversation/roster.h"

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/wire/event.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/pending_events.h"

#include <assert.h>
#include <string.h>
#include <uthash.h>

enum { CACHED_MAX = 20000, KNOWN_MEMBERS_MAX = 4096, KEYS_MAX = 1024 * 1024 };

struct cached_roster {
	struct roster roster;
	char *keys;        /* the targets' keys, one after the other */
	unsigned room;     /* capacity of `users` */
	bool missing;      /* rosters_load() has to read it */
	UT_hash_handle hh; /* in the order of last use */
};

struct rosters {
	struct sql *sql;
	uint32_t partitions;
	struct pending_events *events;
	struct cached_roster *entries;
	struct cached_roster *missing[BATCH_RECORDS_MAX];
	unsigned missing_count;
	struct buf keys;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 1)];
};

static struct sql_bulk list_users = {
	.head = "SELECT conversation, user, from_seq FROM members"
		" WHERE conversation IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY conversation, user",
	.row_values = 1,
};

struct rosters *rosters_create(struct sql *sql, uint32_t partitions,
                               struct pending_events *events)
{
	struct rosters *rosters = mem_new(sizeof(*rosters));

	rosters->sql = sql;
	rosters->partitions = partitions;
	rosters->events = events;
	rosters->keys = BUF(KEYS_MAX);
	return rosters;
}

static void evict(struct rosters *rosters, struct cached_roster *entry)
{
	HASH_DEL(rosters->entries, entry);
	mem_free(&entry->roster.users);
	mem_free(&entry->roster.targets);
	mem_free(&entry->keys);
	mem_free(&entry);
}

/* A request of a transaction that failed before it was loaded. */
static void drop_requests(struct rosters *rosters)
{
	for (unsigned i = 0; i < rosters->missing_count; i++) {
		rosters->missing[i]->missing = false;
		rosters->missing[i]->roster.valid_at_seq = UINT64_MAX;
	}
	rosters->missing_count = 0;
}

void rosters_evict_all(struct rosters *rosters)
{
	drop_requests(rosters);
	while (rosters->entries)
		evict(rosters, rosters->entries);
}

void rosters_invalidate_all(struct rosters *rosters)
{
	struct cached_roster *entry, *next;

	drop_requests(rosters);
	HASH_ITER (hh, rosters->entries, entry, next)
		entry->roster.valid_at_seq = UINT64_MAX;
}

void rosters_destroy(struct rosters **rosters)
{
	if (!*rosters)
		return;
	rosters_evict_all(*rosters);
	buf_free(&(*rosters)->keys);
	mem_free(rosters);
}

void rosters_begin(struct rosters *rosters)
{
	drop_requests(rosters);
	while (HASH_COUNT(rosters->entries) > CACHED_MAX)
		evict(rosters, rosters->entries);
}

static struct cached_roster *find(struct rosters *rosters,
                                  uint64_t conversation)
{
	struct cached_roster *entry;

	HASH_FIND(hh, rosters->entries, &conversation, sizeof(conversation),
	          entry);
	return entry;
}

/* Finds or adds it, as the most recently used. */
static struct cached_roster *touch(struct rosters *rosters,
                                   uint64_t conversation)
{
	struct cached_roster *entry = find(rosters, conversation);

	if (entry) {
		HASH_DEL(rosters->entries, entry);
	} else {
		entry = mem_new(sizeof(*entry));
		entry->roster.conversation = conversation;
		entry->roster.valid_at_seq = UINT64_MAX;
	}
	HASH_ADD(hh, rosters->entries, roster.conversation,
	         sizeof(conversation), entry);
	return entry;
}

void rosters_request(struct rosters *rosters, uint64_t conversation,
                     uint64_t last_seq, bool large)
{
	struct cached_roster *entry = touch(rosters, conversation);
	struct roster *roster = &entry->roster;

	if (entry->missing ||
	    (roster->valid_at_seq == last_seq && roster->large == large))
		return;
	assert(rosters->missing_count < BATCH_RECORDS_MAX);
	roster->valid_at_seq = last_seq;
	roster->large = large;
	roster->user_count = 0;
	roster->newest_from = 0;
	entry->missing = true;
	rosters->missing[rosters->missing_count++] = entry;
}

/* --- the keys ------------------------------------------------------------ */
static void add_target(struct roster *roster, int32_t partition, size_t len)
{
	roster->targets[roster->target_count++] =
		(struct roster_target){partition, {.len = len}};
}

static void write_room_keys(struct rosters *rosters, struct roster *roster)
{
	for (uint32_t i = 0; i < rosters->partitions; i++) {
		struct buf key CLEANUP(buf_free) = BUF(64);

		event_key_room(&key, roster->conversation);
		buf_append(&rosters->keys, buf_span(&key));
		add_target(roster, (int32_t)i, key.len);
	}
}

static void write_user_keys(struct rosters *rosters, struct roster *roster)
{
	for (uint32_t i = 0; i < rosters->partitions; i++) {
		struct buf key CLEANUP(buf_free) = BUF(KEYS_MAX);

		roster_key(roster, i, rosters->partitions, UINT64_MAX, &key);
		buf_append(&rosters->keys, buf_span(&key));
		if (key.len)
			add_target(roster, (int32_t)i, key.len);
	}
}

/* First only the lengths are stored, because the buffer moves. */
static void write_targets(struct rosters *rosters, struct cached_roster *entry)
{
	struct roster *roster = &entry->roster;
	const char *at;

	buf_clear(&rosters->keys);
	mem_free(&roster->targets);
	mem_free(&entry->keys);
	roster->targets =
		mem_new(rosters->partitions * sizeof(*roster->targets));
	roster->target_count = 0;
	if (roster->large)
		write_room_keys(rosters, roster);
	else
		write_user_keys(rosters, roster);
	assert(!buf_overflowed(&rosters->keys));
	entry->keys = mem_text(rosters->keys.data, rosters->keys.len);
	at = entry->keys;
	for (unsigned i = 0; i < roster->target_count; i++) {
		roster->targets[i].key.data = at;
		at += roster->targets[i].key.len;
	}
}

/* --- reading ------------------------------------------------------------- */
static void add_user(struct cached_roster *entry, uint64_t user, uint64_t from)
{
	struct roster *roster = &entry->roster;

	if (roster->user_count == entry->room) {
		entry->room = entry->room ? 2 * entry->room : 8;
		roster->users = mem_resize(
			roster->users, entry->room * sizeof(*roster->users));
	}
	roster->users[roster->user_count++] = (struct roster_user){user, from};
	if (from > roster->newest_from)
		roster->newest_from = from;
}

static enum status read_users(struct rosters *rosters, unsigned count)
{
	struct sql_value row[3];
	enum status status =
		sql_bulk_run(rosters->sql, &list_users, rosters->values, count);

	while (status == ST_OK) {
		status = sql_fetch(rosters->sql, row, 3);
		if (status == ST_OK)
			add_user(find(rosters, row[0].number), row[1].number,
			         row[2].number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* A roster that could not be read stays invalid. */
static void finish_load(struct rosters *rosters, enum status status)
{
	for (unsigned i = 0; i < rosters->missing_count; i++) {
		struct cached_roster *entry = rosters->missing[i];

		entry->missing = false;
		if (status == ST_OK)
			write_targets(rosters, entry);
		else
			entry->roster.valid_at_seq = UINT64_MAX;
	}
	rosters->missing_count = 0;
}

static enum status load_users(struct rosters *rosters)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rosters->missing_count; i++) {
		const struct roster *roster = &rosters->missing[i]->roster;

		if (!roster->large)
			rosters->values[count++] =
				sql_number(roster->conversation);
	}
	return count ? read_users(rosters, count) : ST_OK;
}

static enum status load_pending_events(struct rosters *rosters,
                                       struct batch *batch)
{
	uint64_t conversations[BATCH_RECORDS_MAX];

	for (unsigned i = 0; i < rosters->missing_count; i++)
		conversations[i] = rosters->missing[i]->roster.conversation;
	return pending_events_load(rosters->events, conversations,
	                           rosters->missing_count, batch);
}

enum status rosters_load(struct rosters *rosters, struct batch *batch)
{
	enum status status;

	if (rosters->missing_count == 0)
		return ST_OK;
	status = load_users(rosters);
	if (status == ST_OK)
		status = load_pending_events(rosters, batch);
	finish_load(rosters, status);
	return status;
}

const struct roster *rosters_get(struct rosters *rosters, uint64_t conversation)
{
	const struct cached_roster *entry = find(rosters, conversation);

	assert(entry && !entry->missing);
	return &entry->roster;
}

bool roster_valid(const struct roster *roster)
{
	return roster->valid_at_seq != UINT64_MAX;
}

const struct roster *rosters_find(struct rosters *rosters,
                                  uint64_t conversation)
{
	const struct cached_roster *entry = find(rosters, conversation);

	return entry && roster_valid(&entry->roster) ? &entry->roster : NULL;
}

void rosters_advance(struct rosters *rosters, uint64_t conversation,
                     uint64_t last_seq)
{
	struct cached_roster *entry = find(rosters, conversation);

	if (entry && entry->roster.valid_at_seq != UINT64_MAX)
		entry->roster.valid_at_seq = last_seq;
}

/* The position of the user in the list, or where to insert it. */
static unsigned position_of(const struct roster *roster, uint64_t user)
{
	unsigned low = 0, high = roster->user_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (roster->users[middle].user < user)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool roster_contains(const struct roster *roster, uint64_t user)
{
	unsigned position = position_of(roster, user);

	return position < roster->user_count &&
	       roster->users[position].user == user;
}

void roster_key(const struct roster *roster, uint32_t partition,
                uint32_t partitions, uint64_t seq, struct buf *ret_key)
{
	for (unsigned i = 0; i < roster->user_count; i++) {
		const struct roster_user *user = &roster->users[i];

		if (user->from < seq &&
		    event_partition(user->user, partitions) == partition)
			event_key_add(ret_key, user->user);
	}
}

void rosters_add_member(struct rosters *rosters, uint64_t conversation,
                        uint64_t user)
{
	struct cached_roster *entry = find(rosters, conversation);
	struct roster *roster = &entry->roster;
	unsigned position;

	if (roster_contains(roster, user))
		return;
	if (roster->user_count == KNOWN_MEMBERS_MAX)
		roster->user_count = 0;
	position = position_of(roster, user);
	add_user(entry, user, 0); /* makes room */
	memmove(&roster->users[position + 1], &roster->users[position],
	        (roster->user_count - 1 - position) * sizeof(*roster->users));
	roster->users[position] = (struct roster_user){user, 0};
}
