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

/* The open entries of the attempt that `fits` accepts, in their order. */
static inline unsigned
attempt_collect(const struct attempt *attempt,
                bool (*fits)(enum save_kind kind),
                struct batch_entry *ret_entries[BATCH_RECORDS_MAX])
{
	unsigned count = 0;

	for (unsigned i = attempt->from; i < attempt->to; i++) {
		struct batch_entry *entry = &attempt->batch->entries[i];

		if (entry->outcome == OUTCOME_OPEN && fits(entry->record.kind))
			ret_entries[count++] = entry;
	}
	return count;
}

static inline void batch_entry_refuse(struct batch_entry *entry,
                                      enum frame_code code, const char *why)
{
	entry->outcome = OUTCOME_REFUSED;
	entry->code = code;
	entry->why = why;
}

#endif
