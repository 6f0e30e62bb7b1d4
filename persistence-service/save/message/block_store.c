#include "persistence-service/save/message/block_store.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "persistence-service/save/batch.h"

enum { VALUES_EACH = 4 };

struct block_store {
	struct sql *sql;
	struct talk *unknown[BATCH_RECORDS_MAX];
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
};

static struct sql_bulk find_blocks = {
	.head = "SELECT user, blocked FROM blocks WHERE (user, blocked) IN (",
	.row = "(?,?),(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = VALUES_EACH,
};

struct block_store *block_store_create(struct sql *sql)
{
	struct block_store *store = mem_new(sizeof(*store));

	store->sql = sql;
	return store;
}

void block_store_destroy(struct block_store **store)
{
	mem_free(store);
}

/* Nobody blocks oneself. */
static unsigned collect_unknown(struct block_store *store, struct talks *talks)
{
	unsigned count = 0;

	for (unsigned i = 0; i < talks_count(talks); i++) {
		struct talk *talk = talks_at(talks, i);

		if (!talk_is_pair(talk) || talk->blocks_known)
			continue;
		talk->blocks_known = true;
		talk->blocked = 0;
		if (talk->user[0] == talk->user[1])
			continue;
		store->values[count * VALUES_EACH + 0] =
			sql_number(talk->user[0]);
		store->values[count * VALUES_EACH + 1] =
			sql_number(talk->user[1]);
		store->values[count * VALUES_EACH + 2] =
			sql_number(talk->user[1]);
		store->values[count * VALUES_EACH + 3] =
			sql_number(talk->user[0]);
		store->unknown[count++] = talk;
	}
	return count;
}

static void mark(struct block_store *store, unsigned count, uint64_t user,
                 uint64_t blocked)
{
	for (unsigned i = 0; i < count; i++) {
		struct talk *talk = store->unknown[i];

		if (talk->user[0] == user && talk->user[1] == blocked)
			talk->blocked |= LOW_BLOCKS_HIGH;
		if (talk->user[1] == user && talk->user[0] == blocked)
			talk->blocked |= HIGH_BLOCKS_LOW;
	}
}

enum status block_store_load(struct block_store *store, struct talks *talks)
{
	unsigned count = collect_unknown(store, talks);
	enum status status = ST_OK;
	struct sql_value row[2];

	if (count)
		status = sql_bulk_run(store->sql, &find_blocks, store->values,
		                      count);
	while (count && status == ST_OK) {
		status = sql_fetch(store->sql, row, 2);
		if (status == ST_OK)
			mark(store, count, row[0].number, row[1].number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

bool talk_blocks(const struct talk *talk, uint64_t user)
{
	if (!talk_is_pair(talk))
		return false;
	return talk->blocked & (talks_side(talk, user) == 0 ? HIGH_BLOCKS_LOW
	                                                    : LOW_BLOCKS_HIGH);
}
