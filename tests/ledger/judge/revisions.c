#include "tests/ledger/judge/revisions.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/conversation_log.h"
#include "tests/ledger/judge/faults.h"

enum { FIRST_REVISIONS = 64 };

static uint32_t *slot_of(struct conversation_log *log, uint64_t revision)
{
	uint32_t capacity = log->revision_capacity ? log->revision_capacity
	                                           : FIRST_REVISIONS;

	while (capacity <= revision)
		capacity *= 2;
	if (capacity > log->revision_capacity) {
		log->by_revision = mem_resize(
			log->by_revision, capacity * sizeof(*log->by_revision));
		memset(&log->by_revision[log->revision_capacity], 0,
		       (capacity - log->revision_capacity) *
		               sizeof(*log->by_revision));
		log->revision_capacity = capacity;
	}
	if (revision > log->revision)
		log->revision = revision;
	return &log->by_revision[revision];
}

void revisions_set(struct ledger *ledger, uint32_t number,
                   uint64_t conversation, uint64_t seq, uint64_t revision)
{
	struct edit *edit = &ledger->edits[number];
	const struct entry *target = &ledger->entries[edit->target];
	struct conversation_log *log =
		conversation_log_find(ledger, target->conversation);
	uint32_t *slot;

	if (conversation != target->conversation || seq != target->seq) {
		faults_add(ledger, FAULT_split,
		           "edit %u of seq %u of conversation %llu is one of "
		           "seq %llu of %llu",
		           number, target->seq,
		           (unsigned long long)target->conversation,
		           (unsigned long long)seq,
		           (unsigned long long)conversation);
		return;
	}
	if (revision == 0 || revision > 2ull * ledger->edit_count) {
		faults_add(ledger, FAULT_revisions, "edit %u has revision %llu",
		           number, (unsigned long long)revision);
		return;
	}
	if (edit->revision && edit->revision != revision)
		faults_add(ledger, FAULT_revisions,
		           "edit %u has the revisions %llu and %llu", number,
		           (unsigned long long)edit->revision,
		           (unsigned long long)revision);
	slot = slot_of(log, revision);
	if (*slot && *slot != number + 1)
		faults_add(ledger, FAULT_revisions,
		           "revision %llu of conversation %llu is edit %u and "
		           "%u",
		           (unsigned long long)revision,
		           (unsigned long long)conversation, *slot - 1, number);
	if (!edit->revision)
		ledger->totals.edits_saved++;
	*slot = number + 1;
	edit->revision = revision;
}

void revisions_judge(struct ledger *ledger, const struct conversation_log *log,
                     uint32_t unseen, uint32_t maybe_unseen)
{
	uint64_t last = log->listed_revision, known = 0, missing;

	for (uint64_t i = 1; i <= log->revision; i++)
		known += log->by_revision[i] != 0;
	if (last < log->revision) {
		faults_add(ledger, FAULT_edit_lost,
		           "conversation %llu ends with revision %llu, and "
		           "%llu was observed",
		           (unsigned long long)log->id,
		           (unsigned long long)last,
		           (unsigned long long)log->revision);
		return;
	}
	missing = last - known;
	if (missing < unseen)
		faults_add(ledger, FAULT_edit_lost,
		           "conversation %llu: %llu edits were accepted and "
		           "have no revision",
		           (unsigned long long)log->id,
		           (unsigned long long)(unseen - missing));
	if (missing > (uint64_t)unseen + maybe_unseen)
		faults_add(
			ledger, FAULT_revisions,
			"conversation %llu: %llu of %llu revisions are no "
			"edit",
			(unsigned long long)log->id,
			(unsigned long long)(missing - unseen - maybe_unseen),
			(unsigned long long)last);
}
