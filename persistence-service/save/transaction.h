/*
 * writer - a batch into the database, in one transaction: messages, receipts,
 * changes of messages, and answers to what gateways ask.
 *
 * seq is allotted without gaps, only to messages that were not known; a
 * duplicate is answered with its first result. A record that the database can
 * never take is singled out and does not hold up the others.
 *
 * Where a conversation's last_seq is remembered from its last commit no row is
 * read or locked before the messages are inserted: had another process written
 * to it meanwhile, (conversation, seq) is taken, and the batch is done again
 * with the row locked.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TRANSACTION_H
#define PARLEY_PERSISTENCE_SAVE_TRANSACTION_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"

struct writer;

struct writer_options {
	uint32_t partitions; /* of message_events */
	unsigned reactions_max;
};

/* The connection stays the caller's; nobody else has transactions on it. */
struct writer *writer_create(struct sql *sql,
                             const struct writer_options *options);
void writer_destroy(struct writer **writer);
/* What is remembered: others may have written what was ours. */
void writer_forget(struct writer *writer);

/*
 * ST_OK: no entry is open any more. Else nothing is lost and the same batch
 * can be given again: ST_UNAVAILABLE and ST_UNCERTAIN pass by, ST_BROKEN is a
 * database that is not as it should be.
 */
MUST_CHECK enum status writer_save(struct writer *writer, struct batch *batch);

#endif
