#include "persistence-service/save/change/changes.h"

#include "common/base/mem.h"
#include "persistence-service/conversation.h"
#include "persistence-service/save/change/change_store.h"
#include "persistence-service/save/owner/refusals.h"

struct changes {
	struct change_store *store;
	struct rosters *rosters;
	unsigned reactions_max;
	struct batch_entry *entries[BATCH_RECORDS_MAX];
	unsigned count;
};

/* Why a change is refused; why NULL: it is not. */
struct refusal {
	enum frame_code code;
	const char *why;
};

struct changes *changes_create(struct sql *sql, struct rosters *rosters,
                               unsigned reactions_max)
{
	struct changes *changes = mem_new(sizeof(*changes));

	changes->store = change_store_create(sql);
	changes->rosters = rosters;
	changes->reactions_max = reactions_max;
	return changes;
}

void changes_destroy(struct changes **changes)
{
	if (!*changes)
		return;
	change_store_destroy(&(*changes)->store);
	mem_free(changes);
}

static bool is_change(enum save_kind kind)
{
	return kind == SAVE_EDIT || kind == SAVE_DELETE || kind == SAVE_REACT;
}

static enum client_frame_kind frame_kind(enum save_kind kind)
{
	return kind == SAVE_EDIT     ? CLIENT_EDIT
	       : kind == SAVE_DELETE ? CLIENT_DELETE
	                             : CLIENT_REACT;
}

/* --- checks -------------------------------------------------------------- */
/* The record names the pair by both of its users, or no pair at all. */
static bool names_conversation(const struct save_record *record,
                               const struct message_ref *ref)
{
	bool rising = record->sender <= record->user_to;

	if (!ref->direct)
		return record->user_to == 0;
	return ref->low == (rising ? record->sender : record->user_to) &&
	       ref->high == (rising ? record->user_to : record->sender);
}

static bool is_visible(const struct save_record *record,
                       const struct message_ref *ref)
{
	return ref->exists && ref->kind == ENTRY_MESSAGE &&
	       record->seq > ref->from_seq && !ref->deleted;
}

static bool has_right(const struct save_record *record,
                      const struct message_ref *ref)
{
	if (record->kind == SAVE_REACT || record->sender == ref->author)
		return true;
	return record->kind == SAVE_DELETE && !ref->direct &&
	       ref->role >= ROLE_ADMIN;
}

/* A blocked user may still take back what they wrote. */
static struct refusal check(const struct save_record *record,
                            const struct message_ref *ref)
{
	bool writes = record->kind != SAVE_DELETE;

	if (ref->direct && !record->user_to)
		return (struct refusal){
			FRAME_UNAVAILABLE,
			"the gateway named a pair by its conversation"};
	if (!names_conversation(record, ref))
		return (struct refusal){FRAME_UNKNOWN_CONVERSATION,
		                        "there is no such conversation"};
	if (writes && ref->direct && ref->is_blocked)
		return (struct refusal){FRAME_UNKNOWN_USER,
		                        "there is no such user"};
	if (writes && ref->direct && ref->blocks)
		return (struct refusal){FRAME_NOT_ALLOWED,
		                        "you block this user"};
	if (!is_visible(record, ref))
		return (struct refusal){FRAME_UNKNOWN_MESSAGE,
		                        "there is no such message"};
	if (!has_right(record, ref))
		return (struct refusal){FRAME_NOT_ALLOWED,
		                        "you may not change this message"};
	return (struct refusal){0};
}

static enum status check_reaction_limit(struct changes *changes,
                                        const struct save_record *record,
                                        struct refusal *ret_refusal)
{
	bool fits;
	enum status status = change_store_reaction_fits(
		changes->store, record, changes->reactions_max, &fits);

	if (status == ST_OK && !fits)
		*ret_refusal = (struct refusal){
			FRAME_TOO_MANY,
			"the message has the highest number of different "
			"reactions"};
	return status;
}

/* --- one change ---------------------------------------------------------- */
/* The entry stays open when its uuid names nothing yet. */
static enum status answer_known(struct changes *changes, struct batch *batch,
                                struct batch_entry *entry)
{
	const struct save_record *record = &entry->record;
	struct known_change known;
	enum status status =
		change_store_find(changes->store, record, batch->texts, &known);

	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	if (!known.is_change || known.change.kind != frame_kind(record->kind) ||
	    known.change.conversation != record->conversation ||
	    known.change.seq != record->seq) {
		batch_entry_refuse(entry, FRAME_BAD_UUID,
		                   "the uuid names something else");
		return ST_OK;
	}
	entry->outcome = OUTCOME_DUPLICATE;
	entry->change = known.change;
	return ST_OK;
}

/* A refused change that was saved before is a duplicate, not a refusal. */
static enum status refuse(struct changes *changes,
                          const struct attempt *attempt,
                          struct batch_entry *entry,
                          const struct refusal *refusal)
{
	enum status status = ST_OK;

	if (!attempt->after_conflict)
		status = answer_known(changes, attempt->batch, entry);
	if (status == ST_OK && entry->outcome == OUTCOME_OPEN)
		batch_entry_refuse(entry, refusal->code, refusal->why);
	return status;
}

static enum status apply(struct changes *changes, struct batch_entry *entry,
                         const struct message_ref *ref, uint64_t now_ms)
{
	const struct save_record *record = &entry->record;

	entry->change = (struct saved_change){
		.kind = frame_kind(record->kind),
		.remove = record->remove,
		.uuid = record->uuid,
		.conversation = record->conversation,
		.seq = record->seq,
		.revision = ref->revision + 1,
		.user = record->sender,
		.message = record->message,
		.reaction = record->reaction,
		.created_at_ms = now_ms,
	};
	entry->outcome = OUTCOME_SAVED;
	rosters_request(changes->rosters, record->conversation,
	                ref->direct ? 0 : ref->last_seq, ref->large);
	return change_store_write(changes->store, &entry->change);
}

static enum status check_and_apply(struct changes *changes,
                                   const struct attempt *attempt,
                                   struct batch_entry *entry)
{
	const struct save_record *record = &entry->record;
	struct refusal refusal = {FRAME_UNKNOWN_CONVERSATION,
	                          "there is no such conversation"};
	struct message_ref ref;
	enum status status = change_store_lock(changes->store, record, &ref);

	if (status == ST_OK) {
		refusal = check(record, &ref);
		if (!refusal.why && record->kind == SAVE_REACT &&
		    !record->remove)
			status =
				check_reaction_limit(changes, record, &refusal);
	}
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	return refusal.why ? refuse(changes, attempt, entry, &refusal)
	                   : apply(changes, entry, &ref, attempt->now_ms);
}

static enum status save(struct changes *changes, const struct attempt *attempt,
                        struct batch_entry *entry)
{
	struct refusal told = {.why = "it was refused before"};
	enum status status = ST_OK;

	if (attempt->after_conflict)
		status = answer_known(changes, attempt->batch, entry);
	if (status != ST_OK || entry->outcome != OUTCOME_OPEN)
		return status;
	if (refusals_find(attempt->refusals, entry, &told.code))
		return refuse(changes, attempt, entry, &told);
	return check_and_apply(changes, attempt, entry);
}

enum status changes_save(struct changes *changes, const struct attempt *attempt)
{
	enum status status = ST_OK;

	changes->count = attempt_collect(attempt, is_change, changes->entries);
	for (unsigned i = 0; i < changes->count && status == ST_OK; i++)
		status = save(changes, attempt, changes->entries[i]);
	if (status == ST_OK)
		status = rosters_load(changes->rosters, attempt->batch);
	for (unsigned i = 0; i < changes->count && status == ST_OK; i++) {
		struct batch_entry *entry = changes->entries[i];

		if (entry->outcome == OUTCOME_SAVED)
			entry->roster = rosters_get(changes->rosters,
			                            entry->change.conversation);
	}
	return status;
}
