/*
 * message_store - the table messages, for the writer.
 *
 * Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_STORE_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/save/message/batch_dedup.h"

struct message_store;

struct message_store *message_store_create(struct sql *sql);
void message_store_destroy(struct message_store **store);

/*
 * Inserts entries whose `saved` lacks nothing but the id, and fills that.
 * ST_CONFLICT when one of them is known already.
 */
MUST_CHECK enum status message_store_insert(struct message_store *store,
                                            struct batch_entry *const *entries,
                                            unsigned count);
/*
 * In a transaction of its own: those of the entries that are stored become
 * duplicates, with their first result. `sends` has all of them.
 */
MUST_CHECK enum status
message_store_known(struct message_store *store, struct batch *batch,
                    struct batch_entry *const *entries, unsigned count,
                    const struct first_send *sends, unsigned *ret_known);

#endif
