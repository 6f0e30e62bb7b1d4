/*
 * receipt_store - how far members have got and read a conversation.
 *
 * Both numbers only rise, never past last_seq. All receipts of a batch are
 * written with one statement; of many from one user in one conversation one
 * event comes.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_RECEIPT_STORE_H
#define PARLEY_PERSISTENCE_SAVE_RECEIPT_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/save/conversation/roster.h"

struct receipt_store;

struct receipt_store *receipt_store_create(struct sql *sql,
                                           struct rosters *rosters);
void receipt_store_destroy(struct receipt_store **store);

/*
 * The receipts among the entries from `from` to before `to`, after messages
 * were written. Gives each its outcome, which only holds once all is committed.
 */
MUST_CHECK enum status receipt_store_write(struct receipt_store *store,
                                           struct batch *batch, unsigned from,
                                           unsigned to);

#endif
