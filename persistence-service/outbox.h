/*
 * outbox - the table outbox: records for Kafka, written in the transaction
 * whose change they announce.
 *
 * The saver that owns a conversation publishes the rows of this conversation.
 * The outbox publisher publishes the rows of no conversation.
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
	OUTBOX_STALE_MAX = 500,
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
 * Selects and locks the oldest rows of no conversation that no other
 * transaction has locked, at most OUTBOX_TAKEN_MAX, by id. outbox_next() gives
 * them one by one, then ST_NOT_FOUND.
 */
MUST_CHECK enum status outbox_take(struct sql *sql);
/* Spans live until the next call. */
MUST_CHECK enum status outbox_next(struct sql *sql, struct outbox_row *ret_row);
/* Deletes the rows; a row that is gone does no harm. */
MUST_CHECK enum status outbox_remove(struct sql *sql, const uint64_t *ids,
                                     unsigned count);

/* The highest id; 0: the table is empty. */
MUST_CHECK enum status outbox_newest(struct sql *sql, uint64_t *ret_id);
/*
 * Selects conversations above `after` that have a row up to `last_id`,
 * ascending, at most OUTBOX_STALE_MAX. outbox_next_conversation() gives them
 * one by one, then ST_NOT_FOUND.
 */
MUST_CHECK enum status outbox_list_stale(struct sql *sql, uint64_t after,
                                         uint64_t last_id);
MUST_CHECK enum status outbox_next_conversation(struct sql *sql,
                                                uint64_t *ret_conversation);

#endif
