/*
 * attempt - one try to save some entries of a batch in one transaction.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_BATCH_ATTEMPT_H
#define PARLEY_PERSISTENCE_SAVE_BATCH_ATTEMPT_H

#include "persistence-service/save/batch/batch.h"

struct refusals;

struct attempt {
	struct batch *batch;
	const struct refusals *refusals; /* of records that were read before */
	unsigned from, to;   /* the entries [from, to), all open or dead */
	bool after_conflict; /* an earlier try met a uuid that is in use, or
	                        rows of another process */
	uint64_t now_ms;     /* unix */
};

/*
 * Before a try, and after one that failed: drops what the try has left in its
 * entries. Those that were dead before stay dead.
 */
void attempt_open(const struct attempt *attempt);
/* The open entries of the attempt that `fits` accepts, in their order. */
unsigned attempt_collect(const struct attempt *attempt,
                         bool (*fits)(enum save_kind kind),
                         struct batch_entry *ret_entries[BATCH_RECORDS_MAX]);

void batch_entry_refuse(struct batch_entry *entry, enum frame_code code,
                        const char *why);

#endif
