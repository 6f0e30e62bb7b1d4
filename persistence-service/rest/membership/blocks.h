/*
 * blocks - the block list of a user: other users whose messages are refused.
 *
 * A change sends a record of message_save through the outbox, to the consumer
 * of the pair's messages. Once the record is in the log, the change applies to
 * every message after it.
 *
 * Errors     ST_TOO_LARGE    BLOCKS_MAX users are blocked already
 *            ST_UNAVAILABLE  the database is away; nothing was done
 *            ST_UNCERTAIN    stored, but not in the log yet; or perhaps stored.
 *                            The request may be repeated
 *
 * A deleted user blocks the other user of each of its pairs: so messages to it
 * are refused like those to a user that does not exist.
 *
 * Threads    that of the SQL session.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_BLOCKS_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_BLOCKS_H

#include "common/base/buf.h"
#include "persistence-service/outbox_publisher.h"
#include "persistence-service/rest/sql_session.h"

struct block {
	uint64_t user;
	uint64_t blocked;
	/* Sends the record; may be NULL. */
	struct outbox_publisher *outbox_publisher;
};

/* Both return when the record is in the log, and both are idempotent. */
MUST_CHECK enum status blocks_put(struct sql_session *session,
                                  const struct block *block, unsigned max);
MUST_CHECK enum status blocks_remove(struct sql_session *session,
                                     const struct block *block);
/*
 * Blocks the others of up to BLOCKS_PAIRS_MAX pairs of `user`, a deleted one,
 * however many it has blocked. The records follow. *ret_count: so many; 0: all
 * are blocked. Idempotent.
 */
enum { BLOCKS_PAIRS_MAX = 100 };
MUST_CHECK enum status blocks_put_pairs(struct sql_session *session,
                                        uint64_t user, unsigned *ret_count);
/* {"blocks":[…],"next":…}, ascending by user. */
MUST_CHECK enum status blocks_list(struct sql_session *session, uint64_t user,
                                   uint64_t after, unsigned limit,
                                   struct buf *ret_json);

#endif
