#include "persistence-service/save/conversation/roster.h"

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "common/wire/event.h"
#include "persistence-service/save/batch.h"

#include <assert.h>
#include <string.h>
#include <uthash.h>

enum { REMEMBERED_MAX = 20000, LEARNED_MAX = 4096, KEYS_MAX = 1024 * 1024 };

struct entry {
	struct roster roster;
	char *keys;    /* the text of the targets' keys, one behind the other */
	unsigned room; /* users that `users` has room for */
	bool missing;  /* to be read */
	UT_hash_handle hh; /* in the order of their last use */
};

struct rosters {
	struct sql *sql;
	uint32_t partitions;
	struct entry *entries;
	struct entry *missing[BATCH_RECORDS_MAX];
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

static struct sql_bulk list_notices = {
	.head = "SELECT id, kind, conversation, target, room, body FROM outbox"
		" WHERE conversation IN (",
	.row = "?",
	.between = ",",
	.tail = ") ORDER BY id",
	.row_values = 1,
};

struct rosters *rosters_create(struct sql *sql, uint32_t partitions)
{
	struct rosters *rosters = mem_new(sizeof(*rosters));

	rosters->sql = sql;
	rosters->partitions = partitions;
	rosters->keys = BUF(KEYS_MAX);
	return rosters;
}

static void drop(struct rosters *rosters, struct entry *entry)
{
	HASH_DEL(rosters->entries, entry);
	mem_free(&entry->roster.users);
	mem_free(&entry->roster.targets);
	mem_free(&entry->keys);
	mem_free(&entry);
}

void rosters_forget_all(struct rosters *rosters)
{
	while (rosters->entries)
		drop(rosters, rosters->entries);
	rosters->missing_count = 0;
}

void rosters_doubt_all(struct rosters *rosters)
{
	struct entry *entry, *next;

	HASH_ITER (hh, rosters->entries, entry, next)
		entry->roster.as_of = UINT64_MAX;
}

void rosters_destroy(struct rosters **rosters)
{
	if (!*rosters)
		return;
	rosters_forget_all(*rosters);
	buf_free(&(*rosters)->keys);
	mem_free(rosters);
}

void rosters_begin(struct rosters *rosters)
{
	while (HASH_COUNT(rosters->entries) > REMEMBERED_MAX)
		drop(rosters, rosters->entries);
	rosters->missing_count = 0;
}

static struct entry *find(struct rosters *rosters, uint64_t conversation)
{
	struct entry *entry;

	HASH_FIND(hh, rosters->entries, &conversation, sizeof(conversation),
	          entry);
	return entry;
}

/* Moves it behind all others. */
static struct entry *use(struct rosters *rosters, uint64_t conversation)
{
	struct entry *entry = find(rosters, conversation);

	if (entry) {
		HASH_DEL(rosters->entries, entry);
	} else {
		entry = mem_new(sizeof(*entry));
		entry->roster.conversation = conversation;
		entry->roster.as_of = UINT64_MAX;
	}
	HASH_ADD(hh, rosters->entries, roster.conversation,
	         sizeof(conversation), entry);
	return entry;
}

void rosters_want(struct rosters *rosters, uint64_t conversation,
                  uint64_t last_seq, bool large)
{
	struct entry *entry = use(rosters, conversation);
	struct roster *roster = &entry->roster;

	if (entry->missing ||
	    (roster->as_of == last_seq && roster->large == large))
		return;
	assert(rosters->missing_count < BATCH_RECORDS_MAX);
	roster->as_of = last_seq;
	roster->large = large;
	roster->user_count = 0;
	roster->newest = 0;
	entry->missing = true;
	rosters->missing[rosters->missing_count++] = entry;
}

/* --- the keys ------------------------------------------------------------ */
static void add_target(struct roster *roster, int32_t partition, size_t len)
{
	roster->targets[roster->target_count++] =
		(struct roster_target){partition, {.len = len}};
}

static void write_room(struct rosters *rosters, struct roster *roster)
{
	for (uint32_t i = 0; i < rosters->partitions; i++) {
		struct buf key CLEANUP(buf_free) = BUF(64);

		event_key_room(&key, roster->conversation);
		buf_append(&rosters->keys, buf_span(&key));
		add_target(roster, (int32_t)i, key.len);
	}
}

static void write_list(struct rosters *rosters, struct roster *roster)
{
	for (uint32_t i = 0; i < rosters->partitions; i++) {
		struct buf key CLEANUP(buf_free) = BUF(KEYS_MAX);

		roster_key(roster, i, rosters->partitions, UINT64_MAX, &key);
		buf_append(&rosters->keys, buf_span(&key));
		if (key.len)
			add_target(roster, (int32_t)i, key.len);
	}
}

/* Until all are written only the lengths are known. */
static void write_targets(struct rosters *rosters, struct entry *entry)
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
		write_room(rosters, roster);
	else
		write_list(rosters, roster);
	assert(!buf_overflowed(&rosters->keys));
	entry->keys = mem_text(rosters->keys.data, rosters->keys.len);
	at = entry->keys;
	for (unsigned i = 0; i < roster->target_count; i++) {
		roster->targets[i].key.data = at;
		at += roster->targets[i].key.len;
	}
}

/* --- reading ------------------------------------------------------------- */
static void add_user(struct entry *entry, uint64_t user, uint64_t from)
{
	struct roster *roster = &entry->roster;

	if (roster->user_count == entry->room) {
		entry->room = entry->room ? 2 * entry->room : 8;
		roster->users = mem_resize(
			roster->users, entry->room * sizeof(*roster->users));
	}
	roster->users[roster->user_count++] = (struct roster_user){user, from};
	if (from > roster->newest)
		roster->newest = from;
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

/* What could not be read is not true for any last_seq. */
static void settle(struct rosters *rosters, enum status status)
{
	for (unsigned i = 0; i < rosters->missing_count; i++) {
		struct entry *entry = rosters->missing[i];

		entry->missing = false;
		if (status == ST_OK)
			write_targets(rosters, entry);
		else
			entry->roster.as_of = UINT64_MAX;
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

static enum status load_notices(struct rosters *rosters, struct batch *batch)
{
	unsigned count = rosters->missing_count;
	struct outbox_row row;
	enum status status;

	for (unsigned i = 0; i < count; i++)
		rosters->values[i] =
			sql_number(rosters->missing[i]->roster.conversation);
	status = sql_bulk_run(rosters->sql, &list_notices, rosters->values,
	                      count);
	while (status == ST_OK) {
		status = outbox_next(rosters->sql, &row);
		if (status == ST_OK)
			batch_add_pending_event(batch, &row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status rosters_load(struct rosters *rosters, struct batch *batch)
{
	enum status status;

	if (rosters->missing_count == 0)
		return ST_OK;
	status = load_users(rosters);
	if (status == ST_OK)
		status = load_notices(rosters, batch);
	settle(rosters, status);
	return status;
}

const struct roster *rosters_get(struct rosters *rosters, uint64_t conversation)
{
	const struct entry *entry = find(rosters, conversation);

	assert(entry && !entry->missing);
	return &entry->roster;
}

const struct roster *rosters_find(struct rosters *rosters,
                                  uint64_t conversation)
{
	const struct entry *entry = find(rosters, conversation);

	return entry && entry->roster.as_of != UINT64_MAX ? &entry->roster
	                                                  : NULL;
}

void rosters_go_on(struct rosters *rosters, uint64_t conversation,
                   uint64_t last_seq)
{
	struct entry *entry = find(rosters, conversation);

	if (entry && entry->roster.as_of != UINT64_MAX)
		entry->roster.as_of = last_seq;
}

/* Where the user is in the list, or belongs. */
static unsigned place_of(const struct roster *roster, uint64_t user)
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

bool roster_has(const struct roster *roster, uint64_t user)
{
	unsigned place = place_of(roster, user);

	return place < roster->user_count && roster->users[place].user == user;
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

void rosters_learn(struct rosters *rosters, uint64_t conversation,
                   uint64_t user)
{
	struct entry *entry = find(rosters, conversation);
	struct roster *roster = &entry->roster;
	unsigned place;

	if (roster_has(roster, user))
		return;
	if (roster->user_count == LEARNED_MAX)
		roster->user_count = 0;
	place = place_of(roster, user);
	add_user(entry, user, 0); /* makes room */
	memmove(&roster->users[place + 1], &roster->users[place],
	        (roster->user_count - 1 - place) * sizeof(*roster->users));
	roster->users[place] = (struct roster_user){user, 0};
}
