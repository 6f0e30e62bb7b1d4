/*
 * outbox - the table outbox: records for Kafka, written in the transaction
 * whose change they announce. The outbox publisher sends them.
 */
#ifndef PARLEY_PERSISTENCE_OUTBOX_H
#define PARLEY_PERSISTENCE_OUTBOX_H

#include "common/io/sql/sql.h"

enum outbox_kind {
	OUTBOX_EVENT = 1, /* of message_events; target: users or a room */
	OUTBOX_SAVE = 2,  /* of message_save; target: its key */
};

enum {
	OUTBOX_TEXT_MAX = 65535, /* of target and of room */
	OUTBOX_TAKEN_MAX = 100,
};

/* A locked row. */
struct outbox_taken {
	uint64_t id;
	uint64_t conversation;
};

struct outbox_row {
	uint64_t id; /* not read by outbox_put() */
	enum outbox_kind kind;
	uint64_t conversation; /* 0: the event belongs to none */
	struct span target;
	struct span room; /* the header's value, or empty */
	struct span body;
};

MUST_CHECK enum status outbox_put(struct sql *sql,
                                  const struct outbox_row *row);
/*
 * Locks the oldest rows that no other transaction has locked, at most
 * OUTBOX_TAKEN_MAX, by id. ST_OK also when there are none.
 */
MUST_CHECK enum status outbox_take(struct sql *sql,
                                   struct outbox_taken *ret_rows,
                                   unsigned *ret_count);
/*
 * Selects all rows up to `last_id`, locked or not, by id. outbox_next() gives
 * them one by one, then ST_NOT_FOUND.
 */
MUST_CHECK enum status outbox_read(struct sql *sql, uint64_t last_id);
/* Spans live until the next call. */
MUST_CHECK enum status outbox_next(struct sql *sql, struct outbox_row *ret_row);
/* Deletes the rows. */
MUST_CHECK enum status
outbox_remove(struct sql *sql, const struct outbox_taken *rows, unsigned count);

#endif
