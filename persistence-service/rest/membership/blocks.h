/*
 * blocks - whom a user does not want to hear from.
 *
 * A change is told to the consumer of the pair's messages by a record of
 * message_save, which goes through the outbox: once the record is in the log,
 * every message behind it is judged by the change.
 *
 * Errors     ST_TOO_LARGE    BLOCKS_MAX are blocked already
 *            ST_UNAVAILABLE  the database is away, nothing was done
 *            ST_UNCERTAIN    stored, but not in the log yet; or perhaps stored.
 *                            To ask again is safe
 * Threads    that of the reader.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_BLOCKS_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_BLOCKS_H

#include "common/base/buf.h"
#include "persistence-service/announcer.h"
#include "persistence-service/rest/sql_session.h"

struct block {
	uint64_t user;
	uint64_t blocked;
	struct announcer *announcer; /* sends the record; may be NULL */
};

/* Both return when the record is in the log. Twice is as good as once. */
MUST_CHECK enum status blocks_put(struct reader *reader,
                                  const struct block *block, unsigned max);
MUST_CHECK enum status blocks_remove(struct reader *reader,
                                     const struct block *block);
/* {"blocks":[…],"next":…}, ascending by user. */
MUST_CHECK enum status blocks_list(struct reader *reader, uint64_t user,
                                   uint64_t after, unsigned limit,
                                   struct buf *ret_json);

#endif
