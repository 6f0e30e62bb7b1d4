#include "persistence-service/save/message/reply_check.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

#include <stdlib.h>

enum { VALUES_EACH = 3 };

struct visible_message {
	uint64_t conversation;
	uint64_t seq;
	uint64_t user;
};

struct reply_check {
	struct sql *sql;
	struct visible_message visible[BATCH_RECORDS_MAX]; /* sorted */
	unsigned count;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
};

static struct sql_bulk find_visible = {
	.head = "SELECT x.conversation, x.seq, m.user FROM messages x"
		" JOIN members m ON m.conversation = x.conversation"
		" WHERE x.kind = 1 AND x.seq > m.from_seq"
		" AND (x.conversation, x.seq, m.user) IN (",
	.row = "(?,?,?)",
	.between = ",",
	.tail = ")",
	.row_values = VALUES_EACH,
};

struct reply_check *reply_check_create(struct sql *sql)
{
	struct reply_check *check = mem_new(sizeof(*check));

	check->sql = sql;
	return check;
}

void reply_check_destroy(struct reply_check **check)
{
	mem_free(check);
}

static int compare(const void *a, const void *b)
{
	const struct visible_message *x = a, *y = b;

	if (x->conversation != y->conversation)
		return x->conversation < y->conversation ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return (x->user > y->user) - (x->user < y->user);
}

static enum status read_visible(struct reply_check *check, unsigned asked)
{
	struct sql_value row[VALUES_EACH];
	enum status status =
		sql_bulk_run(check->sql, &find_visible, check->values, asked);

	while (status == ST_OK) {
		status = sql_fetch(check->sql, row, VALUES_EACH);
		if (status == ST_OK)
			check->visible[check->count++] =
				(struct visible_message){row[0].number,
			                                 row[1].number,
			                                 row[2].number};
	}
	qsort(check->visible, check->count, sizeof(*check->visible), compare);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status reply_check_load(struct reply_check *check,
                             const struct new_message *messages, unsigned count)
{
	unsigned asked = 0;

	check->count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct save_record *record = &messages[i].entry->record;
		struct sql_value *row = &check->values[asked * VALUES_EACH];

		if (!record->reply_to)
			continue;
		row[0] = sql_number(messages[i].conversation->id);
		row[1] = sql_number(record->reply_to);
		row[2] = sql_number(record->sender);
		asked++;
	}
	return asked ? read_visible(check, asked) : ST_OK;
}

bool reply_check_passed(const struct reply_check *check,
                        const struct new_message *message)
{
	const struct save_record *record = &message->entry->record;
	struct visible_message wanted = {message->conversation->id,
	                                 record->reply_to, record->sender};

	return !wanted.seq || bsearch(&wanted, check->visible, check->count,
	                              sizeof(wanted), compare);
}
