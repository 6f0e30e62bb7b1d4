/*
 * receipt_store - writes how far members have received and read a conversation:
 * delivered_seq and read_seq.
 *
 * Both only rise and never exceed last_seq. One statement writes all receipts
 * of a batch. Receipts of one user in one conversation are merged into one,
 * which causes one event.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_RECEIPT_STORE_H
#define PARLEY_PERSISTENCE_SAVE_RECEIPT_STORE_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/roster.h"

struct receipt_store;

struct receipt_store *receipt_store_create(struct sql *sql,
                                           struct rosters *rosters);
void receipt_store_destroy(struct receipt_store **store);

/*
 * Writes the receipts among the entries [from, to), after the messages were
 * written. Sets the outcome of each; the outcomes hold once the transaction is
 * committed.
 */
MUST_CHECK enum status receipt_store_write(struct receipt_store *store,
                                           struct batch *batch, unsigned from,
                                           unsigned to);

#endif
