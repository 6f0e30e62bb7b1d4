/*
 * refusals - keeps a told refusal final: a record that was refused for good is
 * refused again with the same code, whatever has changed meanwhile.
 *
 * The row of a refusal is written in the transaction that refuses, and read by
 * the next owner of the partition. Two records of one send may be in the log:
 * a record that was sent before the (sender, uuid) was refused is refused, too.
 * A client that sends again later is judged anew.
 *
 * Errors     those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_OWNER_REFUSALS_H
#define PARLEY_PERSISTENCE_SAVE_OWNER_REFUSALS_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"

#include <stdbool.h>

struct refusals;

enum {
	REFUSALS_REMEMBERED_MAX = 200000, /* in memory */
	/*
	 * Rows of a partition that its next owner loads. More than the records
	 * that it can read again: those of the batches in flight.
	 */
	REFUSALS_LOADED_MAX = 10000,
	REFUSALS_PRUNED_MAX = 1000, /* rows that one call deletes */
};

/* `topic` has the records. */
struct refusals *refusals_create(struct sql *sql, const char *topic);
void refusals_destroy(struct refusals **refusals);
void refusals_evict_all(struct refusals *refusals);

/* In a transaction: reads the newest rows of a partition. */
MUST_CHECK enum status refusals_load(struct refusals *refusals,
                                     unsigned partition);
/* True when the record was refused before; reads memory only. */
bool refusals_find(const struct refusals *refusals,
                   const struct batch_entry *entry, enum frame_code *ret_code);
/* In the transaction: writes the new final refusals of the attempt. */
MUST_CHECK enum status refusals_write(struct refusals *refusals,
                                      const struct attempt *attempt);
/* After its commit. */
void refusals_committed(struct refusals *refusals,
                        const struct attempt *attempt);

/* True when there are rows that refusals_prune() may delete some day. */
bool refusals_may_prune(const struct refusals *refusals);
/*
 * In a transaction: deletes old rows below the committed offset. *ret_more:
 * further rows may be old.
 */
MUST_CHECK enum status refusals_prune(struct refusals *refusals,
                                      unsigned partition, int64_t committed,
                                      bool *ret_more);

#endif
