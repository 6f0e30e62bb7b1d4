#include "persistence-service/save/owner/refusals.h"

#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

#include <string.h>

enum {
	VALUES_EACH = 7,
	LOADED_COLUMNS = 5,
	KEPT_MS = 60 * 60 * 1000,
	SAME_SEND_MS = 10 * 60 * 1000, /* a clock may be wrong by more */
};

struct key {
	uint64_t sender;
	struct uuid uuid;
};

struct refusal {
	int32_t partition;
	int64_t offset;
	uint64_t refused_at_ms;
	enum frame_code code;
};

struct refusals {
	struct sql *sql;
	struct span topic;
	struct lru *remembered; /* by key */
	bool any;               /* is remembered */
	const struct batch_entry *fresh[BATCH_RECORDS_MAX];
	unsigned fresh_count;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
};

static struct sql_bulk insert_rows = {
	.head = "INSERT INTO refusals (topic, kafka_partition, kafka_offset,"
		" sender, uuid, code, refused_at_ms) VALUES ",
	.row = "(?,?,?,?,?,?,?)",
	.between = ",",
	/* The offsets of a topic that was made anew begin at 0. */
	.tail = " ON DUPLICATE KEY UPDATE sender = VALUES(sender),"
		" uuid = VALUES(uuid), code = VALUES(code),"
		" refused_at_ms = VALUES(refused_at_ms)",
	.row_values = VALUES_EACH,
};
static const char load_rows[] =
	"SELECT kafka_offset, sender, uuid, code, refused_at_ms FROM"
	" (SELECT kafka_offset, sender, uuid, code, refused_at_ms FROM refusals"
	" WHERE topic = ? AND kafka_partition = ?"
	" ORDER BY kafka_offset DESC LIMIT ?) newest ORDER BY kafka_offset";
/* The first row that a deletion leaves to the next one. */
static const char find_end[] =
	"SELECT kafka_offset FROM refusals WHERE topic = ? AND"
	" kafka_partition = ? AND kafka_offset < ?"
	" ORDER BY kafka_offset LIMIT 1 OFFSET ?";
static const char delete_rows[] =
	"DELETE FROM refusals WHERE topic = ? AND kafka_partition = ?"
	" AND kafka_offset < ? AND refused_at_ms < ?";

struct refusals *refusals_create(struct sql *sql, const char *topic)
{
	struct refusals *r = mem_new(sizeof(*r));

	r->sql = sql;
	r->topic = span_of(topic);
	r->remembered =
		lru_create(REFUSALS_REMEMBERED_MAX, sizeof(struct refusal));
	return r;
}

void refusals_destroy(struct refusals **refusals)
{
	if (!*refusals)
		return;
	lru_destroy(&(*refusals)->remembered);
	mem_free(refusals);
}

void refusals_evict_all(struct refusals *r)
{
	lru_destroy(&r->remembered);
	r->remembered =
		lru_create(REFUSALS_REMEMBERED_MAX, sizeof(struct refusal));
	r->any = false;
}

/* --- memory -------------------------------------------------------------- */
static struct key key_of(uint64_t sender, const struct uuid *uuid)
{
	return (struct key){.sender = sender, .uuid = *uuid};
}

static void remember(struct refusals *r, struct key key,
                     const struct refusal *refusal)
{
	lru_put(r->remembered, span_make((const char *)&key, sizeof(key)),
	        refusal, UINT64_MAX);
	r->any = true;
}

/* A copy of the send that was refused, which was sent before the refusal. */
static bool same_send(const struct save_record *record,
                      const struct refusal *refusal)
{
	return record->sent_at_ms <= refusal->refused_at_ms &&
	       refusal->refused_at_ms - record->sent_at_ms <= SAME_SEND_MS;
}

static bool find(const struct refusals *r, const struct batch_entry *entry,
                 struct refusal *ret_refusal)
{
	const struct save_record *record = &entry->record;
	struct key key = key_of(record->sender, &record->uuid);

	if (!r->any ||
	    !lru_get(r->remembered, span_make((const char *)&key, sizeof(key)),
	             0, ret_refusal))
		return false;
	return (ret_refusal->partition == entry->partition &&
	        ret_refusal->offset == entry->offset) ||
	       same_send(record, ret_refusal);
}

bool refusals_find(const struct refusals *r, const struct batch_entry *entry,
                   enum frame_code *ret_code)
{
	struct refusal refusal;

	if (!save_kind_has(entry->record.kind, SAVE_HAS_UUID) ||
	    !find(r, entry, &refusal))
		return false;
	*ret_code = refusal.code;
	return true;
}

/* --- reading ------------------------------------------------------------- */
static enum frame_code read_code(struct span text)
{
	static const enum frame_code codes[] = {
#define FRAME_CODE_VALUE(name, word, retryable) FRAME_##name,
		FRAME_CODES(FRAME_CODE_VALUE)
#undef FRAME_CODE_VALUE
	};

	for (unsigned i = 0; i < ARRAY_LEN(codes); i++)
		if (span_equal(text, span_of(frame_code_text(codes[i]))))
			return codes[i];
	return FRAME_NOT_STORABLE; /* of another version; final, too */
}

static void read_row(struct refusals *r, unsigned partition,
                     const struct sql_value *row)
{
	struct refusal refusal = {
		.partition = (int32_t)partition,
		.offset = (int64_t)row[0].number,
		.refused_at_ms = row[4].number,
		.code = read_code(row[3].bytes),
	};
	struct uuid uuid;

	if (row[2].bytes.len != sizeof(uuid.byte))
		return;
	memcpy(uuid.byte, row[2].bytes.data, sizeof(uuid.byte));
	remember(r, key_of(row[1].number, &uuid), &refusal);
}

enum status refusals_load(struct refusals *r, unsigned partition)
{
	struct sql_value values[] = {sql_bytes(r->topic), sql_number(partition),
	                             sql_number(REFUSALS_LOADED_MAX)};
	struct sql_value row[LOADED_COLUMNS];
	enum status status =
		sql_run(r->sql, load_rows, values, ARRAY_LEN(values));

	while (status == ST_OK) {
		status = sql_fetch(r->sql, row, LOADED_COLUMNS);
		if (status != ST_OK)
			break;
		read_row(r, partition, row);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* --- writing ------------------------------------------------------------- */
/* The code that the sender is told, if it is final. */
static bool is_final(const struct batch_entry *entry, enum frame_code *ret_code)
{
	if (entry->outcome == OUTCOME_DEAD)
		*ret_code = FRAME_NOT_STORABLE;
	else
		*ret_code = entry->code;
	return entry->partition >= 0 && entry->identified &&
	       save_kind_has(entry->record.kind, SAVE_HAS_UUID) &&
	       (entry->outcome == OUTCOME_DEAD ||
	        (entry->outcome == OUTCOME_REFUSED &&
	         !frame_code_retryable(*ret_code)));
}

static void fill_row(struct refusals *r, const struct batch_entry *entry,
                     enum frame_code code, uint64_t now_ms)
{
	struct sql_value *row = &r->values[r->fresh_count * VALUES_EACH];

	row[0] = sql_bytes(r->topic);
	row[1] = sql_number((uint64_t)entry->partition);
	row[2] = sql_number((uint64_t)entry->offset);
	row[3] = sql_number(entry->record.sender);
	row[4] = sql_bytes(uuid_span(&entry->record.uuid));
	row[5] = sql_bytes(span_of(frame_code_text(code)));
	row[6] = sql_number(now_ms);
	r->fresh[r->fresh_count++] = entry;
}

enum status refusals_write(struct refusals *r, const struct attempt *attempt)
{
	r->fresh_count = 0;
	for (unsigned i = attempt->from; i < attempt->to; i++) {
		const struct batch_entry *entry = &attempt->batch->entries[i];
		struct refusal known;
		enum frame_code code;

		if (is_final(entry, &code) && !find(r, entry, &known))
			fill_row(r, entry, code, attempt->now_ms);
	}
	if (r->fresh_count == 0)
		return ST_OK;
	return sql_bulk_run(r->sql, &insert_rows, r->values, r->fresh_count);
}

void refusals_committed(struct refusals *r, const struct attempt *attempt)
{
	for (unsigned i = 0; i < r->fresh_count; i++) {
		const struct batch_entry *entry = r->fresh[i];
		struct refusal refusal = {
			.partition = entry->partition,
			.offset = entry->offset,
			.refused_at_ms = attempt->now_ms,
		};

		(void)is_final(entry, &refusal.code);
		remember(r, key_of(entry->record.sender, &entry->record.uuid),
		         &refusal);
	}
	r->fresh_count = 0;
}

bool refusals_may_prune(const struct refusals *r)
{
	return r->any;
}

/* Reads, and locks, REFUSALS_PRUNED_MAX rows at most, also where all are young.
 */
enum status refusals_prune(struct refusals *r, unsigned partition,
                           int64_t committed, bool *ret_more)
{
	struct sql_value values[] = {sql_bytes(r->topic), sql_number(partition),
	                             sql_number((uint64_t)committed),
	                             sql_number(REFUSALS_PRUNED_MAX)};
	struct sql_value end;
	bool cut;
	enum status status =
		sql_run(r->sql, find_end, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(r->sql, &end, 1);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	cut = status == ST_OK;
	if (cut)
		values[2] = end;
	values[3] = sql_number(clock_unix_ms() - KEPT_MS);
	status = sql_run(r->sql, delete_rows, values, ARRAY_LEN(values));
	if (status == ST_OK)
		*ret_more = cut && sql_affected(r->sql) > 0;
	return status;
}
