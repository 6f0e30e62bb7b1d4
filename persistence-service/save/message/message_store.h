/*
 * message_store - reads and writes the table messages, for the transaction.
 *
 * Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_STORE_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/batch/batch_dedup.h"
#include "persistence-service/save/message/new_message.h"

struct message_store;

struct message_store *message_store_create(struct sql *sql);
void message_store_destroy(struct message_store **store);

/*
 * Inserts the messages, whose `saved` is complete but for the id, and sets the
 * ids. ST_CONFLICT when a (sender, uuid) is in use, or a seq is taken.
 */
MUST_CHECK enum status message_store_insert(struct message_store *store,
                                            const struct new_message *messages,
                                            unsigned count);
/*
 * Entries that are stored already become duplicates with their first result.
 * Entries whose uuid names something else are refused. `dedup` has them all.
 */
MUST_CHECK enum status
message_store_find_duplicates(struct message_store *store, struct batch *batch,
                              struct batch_entry *const *entries,
                              unsigned count, const struct batch_dedup *dedup);

#endif
