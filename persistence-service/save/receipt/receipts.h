/*
 * receipts - saves how far members have received and read a conversation:
 * delivered_seq and read_seq.
 *
 * Both only rise and never exceed last_seq. One statement writes all receipts
 * of a batch. Receipts of one user in one conversation are merged into one,
 * which causes one event.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_RECEIPTS_H
#define PARLEY_PERSISTENCE_SAVE_RECEIPTS_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/conversation/roster.h"

struct receipts;

struct receipts *receipts_create(struct sql *sql, struct rosters *rosters);
void receipts_destroy(struct receipts **receipts);

/*
 * After the messages of the attempt were written. A user who blocks the sender
 * of a receipt does not hear of it.
 */
MUST_CHECK enum status receipts_save(struct receipts *receipts,
                                     const struct attempt *attempt);

#endif
