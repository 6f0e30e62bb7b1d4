/*
 * transaction - writes a batch into the database in one transaction: messages,
 * receipts and changes of messages. query_worker answers queries.
 *
 * One transaction takes as many records as fit. It saves the messages, then the
 * receipts, then the changes, and then reads changed block lists and membership
 * changes; the module of each kind sets the outcomes of its own entries. After
 * a conflict the same records are tried again, and what is stored already is
 * looked for first.
 *
 * Only new messages get a seq, and seq has no gaps. A duplicate is answered
 * with its first result. A record that the database can never store is found by
 * halving and does not hold up the others.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TRANSACTION_H
#define PARLEY_PERSISTENCE_SAVE_TRANSACTION_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"

struct transaction;

struct transaction_options {
	const char *topic;   /* of the records; lives as long as it is used */
	uint32_t partitions; /* of message_events */
	unsigned reactions_max;
};

/*
 * Borrows the connection; no other code may have a transaction open on it while
 * transaction_save() runs.
 */
struct transaction *
transaction_create(struct sql *sql, const struct transaction_options *options);
void transaction_destroy(struct transaction **transaction);
/*
 * Our partitions were assigned anew, and another process may have saved their
 * records meanwhile: empties the caches, and claims the partitions again.
 */
void transaction_evict_caches(struct transaction *transaction);
/*
 * Deletes the refusals that no record needs any more: those of `partition`
 * below its committed offset. Call it now and then while
 * transaction_may_prune().
 */
bool transaction_may_prune(const struct transaction *transaction);
MUST_CHECK enum status transaction_prune(struct transaction *transaction,
                                         unsigned partition, int64_t committed,
                                         bool *ret_more);

/*
 * ST_OK: no entry is open any more. After any other status the same batch can
 * be saved again and nothing is lost. ST_UNAVAILABLE and ST_UNCERTAIN are
 * temporary. ST_BUSY: there are many pending events; send all of them, and save
 * the batch again. ST_DENIED: another process has saved records of our
 * partitions; nothing was written, drop the batch. ST_BROKEN means an
 * unexpected row or schema.
 */
MUST_CHECK enum status transaction_save(struct transaction *transaction,
                                        struct batch *batch);

#endif
