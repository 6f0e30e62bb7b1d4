#include "persistence-service/save/batch/attempt.h"

/* The query worker answers queries. */
void attempt_open(const struct attempt *attempt)
{
	for (unsigned i = attempt->from; i < attempt->to; i++) {
		struct batch_entry *entry = &attempt->batch->entries[i];

		if (entry->outcome != OUTCOME_DEAD)
			entry->outcome = save_kind_is_query(entry->record.kind)
			                         ? OUTCOME_DONE
			                         : OUTCOME_OPEN;
		entry->roster = NULL;
		entry->sender_only = false;
	}
}

unsigned attempt_collect(const struct attempt *attempt,
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

void batch_entry_refuse(struct batch_entry *entry, enum frame_code code,
                        const char *why)
{
	entry->outcome = OUTCOME_REFUSED;
	entry->code = code;
	entry->why = why;
}
