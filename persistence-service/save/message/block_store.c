#include "persistence-service/save/message/block_store.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"
#include "persistence-service/save/batch/batch.h"

enum { VALUES_EACH = 4 };

struct block_store {
	struct sql *sql;
	struct cached_conversation *unknown[BATCH_RECORDS_MAX];
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

/* No user can block itself. */
static unsigned collect_unknown(struct block_store *store,
                                struct conversation_cache *cache)
{
	unsigned count = 0;

	for (unsigned i = 0; i < conversation_cache_count(cache); i++) {
		struct cached_conversation *conversation =
			conversation_cache_at(cache, i);

		if (!cached_conversation_is_pair(conversation) ||
		    !(conversation->blocked & BLOCKS_UNKNOWN))
			continue;
		conversation->blocked = 0;
		if (conversation->user[0] == conversation->user[1])
			continue;
		store->values[count * VALUES_EACH + 0] =
			sql_number(conversation->user[0]);
		store->values[count * VALUES_EACH + 1] =
			sql_number(conversation->user[1]);
		store->values[count * VALUES_EACH + 2] =
			sql_number(conversation->user[1]);
		store->values[count * VALUES_EACH + 3] =
			sql_number(conversation->user[0]);
		store->unknown[count++] = conversation;
	}
	return count;
}

static void set_blocked(struct block_store *store, unsigned count,
                        uint64_t user, uint64_t blocked)
{
	for (unsigned i = 0; i < count; i++) {
		struct cached_conversation *conversation = store->unknown[i];

		if (conversation->user[0] == user &&
		    conversation->user[1] == blocked)
			conversation->blocked |= LOW_BLOCKS_HIGH;
		if (conversation->user[1] == user &&
		    conversation->user[0] == blocked)
			conversation->blocked |= HIGH_BLOCKS_LOW;
	}
}

enum status block_store_load(struct block_store *store,
                             struct conversation_cache *cache)
{
	unsigned count = collect_unknown(store, cache);
	enum status status = ST_OK;
	struct sql_value row[2];

	if (count)
		status = sql_bulk_run(store->sql, &find_blocks, store->values,
		                      count);
	while (count && status == ST_OK) {
		status = sql_fetch(store->sql, row, 2);
		if (status == ST_OK)
			set_blocked(store, count, row[0].number, row[1].number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

bool block_store_is_blocked(const struct cached_conversation *conversation,
                            uint64_t user)
{
	return conversation->blocked &
	       (cached_conversation_side(conversation, user) == 0
	                ? HIGH_BLOCKS_LOW
	                : LOW_BLOCKS_HIGH);
}

bool block_store_blocks(const struct cached_conversation *conversation,
                        uint64_t user)
{
	return conversation->blocked &
	       (cached_conversation_side(conversation, user) == 0
	                ? LOW_BLOCKS_HIGH
	                : HIGH_BLOCKS_LOW);
}
