#include "persistence-service/save/transaction.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/save/change/changes.h"
#include "persistence-service/save/conversation/pending_events.h"
#include "persistence-service/save/conversation/recipients.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/message/block_changes.h"
#include "persistence-service/save/message/messages.h"
#include "persistence-service/save/owner/partition_owners.h"
#include "persistence-service/save/owner/refusals.h"
#include "persistence-service/save/receipt/receipts.h"

enum {
	TRIES = 4, /* another process may interfere, but not for ever */
	INVALID_MAX = 2,
	LOST_MAX = 2,
	LOST_ALONE_MAX = 20,
	ENTRY_BYTES = 512, /* of a statement, for one entry, without texts */
	STATEMENT_BYTES = 256, /* of the smallest statement with one text */
};

struct transaction {
	struct sql *sql;
	uint64_t connects; /* the connection that filled the caches */
	struct refusals *refusals;
	struct partition_owners *owners;
	struct pending_events *pending;
	struct rosters *rosters;
	struct messages *messages;
	struct receipts *receipts;
	struct changes *changes;
	struct block_changes *blocks;
	struct recipients *recipients;
};

struct transaction *
transaction_create(struct sql *sql, const struct transaction_options *options)
{
	struct transaction *t = mem_new(sizeof(*t));

	t->sql = sql;
	sql_chain_transactions(sql);
	t->refusals = refusals_create(sql, options->topic);
	t->owners = partition_owners_create(sql, options->topic, t->refusals);
	t->pending = pending_events_create(sql);
	t->rosters = rosters_create(sql, options->partitions, t->pending);
	t->messages = messages_create(sql, t->rosters);
	t->receipts = receipts_create(sql, t->rosters);
	t->changes = changes_create(sql, t->rosters, options->reactions_max);
	t->blocks = block_changes_create(sql);
	t->recipients = recipients_create(sql, t->rosters);
	return t;
}

void transaction_destroy(struct transaction **transaction)
{
	struct transaction *t = *transaction;

	if (!t)
		return;
	partition_owners_destroy(&t->owners);
	refusals_destroy(&t->refusals);
	rosters_destroy(&t->rosters);
	pending_events_destroy(&t->pending);
	messages_destroy(&t->messages);
	receipts_destroy(&t->receipts);
	changes_destroy(&t->changes);
	block_changes_destroy(&t->blocks);
	recipients_destroy(&t->recipients);
	mem_free(transaction);
}

/* After a reconnect the server may have lost commits. */
static void evict_conversations(struct transaction *t)
{
	messages_evict_all(t->messages);
	rosters_evict_all(t->rosters);
	pending_events_evict_all(t->pending);
}

void transaction_evict_caches(struct transaction *t)
{
	evict_conversations(t);
	partition_owners_forget(t->owners);
}

bool transaction_may_prune(const struct transaction *t)
{
	return refusals_may_prune(t->refusals);
}

enum status transaction_prune(struct transaction *t, unsigned partition,
                              int64_t committed, bool *ret_more)
{
	enum status status = sql_begin(t->sql);

	if (status == ST_OK)
		status = refusals_prune(t->refusals, partition, committed,
		                        ret_more);
	if (status == ST_OK)
		status = sql_commit(t->sql);
	if (status != ST_OK)
		sql_rollback(t->sql);
	return status;
}

/* --- one attempt --------------------------------------------------------- */
/* The queries of gateways are done already. */
static bool has_work(const struct attempt *attempt)
{
	for (unsigned i = attempt->from; i < attempt->to; i++)
		if (attempt->batch->entries[i].outcome != OUTCOME_DONE)
			return true;
	return false;
}

static enum status write_entries(struct transaction *t,
                                 const struct attempt *attempt)
{
	enum status status = partition_owners_check(t->owners, attempt);

	if (status == ST_OK)
		status = messages_save(t->messages, attempt);
	if (status == ST_OK)
		status = receipts_save(t->receipts, attempt);
	if (status == ST_OK)
		status = changes_save(t->changes, attempt);
	if (status == ST_OK)
		status = block_changes_read(t->blocks, attempt);
	if (status == ST_OK)
		status = pending_events_load_announced(t->pending, attempt);
	if (status == ST_OK)
		status = refusals_write(t->refusals, attempt);
	return status;
}

static enum status run_attempt(struct transaction *t,
                               const struct attempt *attempt)
{
	size_t texts = text_store_bytes(attempt->batch->texts);
	enum status status;

	attempt_open(attempt);
	if (!has_work(attempt))
		return ST_OK;
	status = sql_begin(t->sql);
	FAULT_POINT("transaction.before");
	if (status == ST_OK)
		status = write_entries(t, attempt);
	FAULT_POINT("commit.before");
	if (status == ST_OK)
		status = sql_commit(t->sql);
	FAULT_POINT("commit.after");
	if (status == ST_OK) {
		messages_committed(t->messages);
		refusals_committed(t->refusals, attempt);
		return ST_OK;
	}
	sql_rollback(t->sql);
	messages_rolled_back(t->messages);
	rosters_invalidate_all(t->rosters);
	attempt_open(attempt);
	text_store_drop(attempt->batch->texts, texts);
	return status;
}

static enum status save_entries(struct transaction *t, struct batch *batch,
                                unsigned from, unsigned to)
{
	struct attempt attempt = {.batch = batch,
	                          .refusals = t->refusals,
	                          .from = from,
	                          .to = to};
	enum status status = ST_CONFLICT;

	for (unsigned i = 0; i < TRIES; i++) {
		attempt.now_ms = clock_unix_ms();
		status = run_attempt(t, &attempt);
		if (status != ST_CONFLICT && status != ST_NOT_FOUND)
			return status;
		attempt.after_conflict = true;
	}
	return ST_UNAVAILABLE;
}

/* --- poison records ------------------------------------------------------ */
/* The next attempt, of this entry alone, writes the refusal. */
static void dead_letter(struct transaction *t, struct batch *batch,
                        const char *why)
{
	struct batch_entry *entry = &batch->entries[batch->progress.settled];

	if (entry->outcome == OUTCOME_DEAD) { /* not even the refusal */
		batch->progress.settled++;
		return;
	}
	batch->progress.range = 1;
	entry->outcome = OUTCOME_DEAD;
	entry->why = why;
	log_event(LOG_ERROR, "record.poison",
	          F_NUMBER("sender", entry->record.sender),
	          F_TEXT("why", sql_error(t->sql)));
}

/*
 * A record of the range may be poison: halving finds it. A single record is
 * dead when the server has refused it twice, or has ended the connection many
 * times when it got it.
 */
static void narrow(struct transaction *t, struct batch *batch, unsigned range,
                   enum status status)
{
	struct batch_progress *progress = &batch->progress;
	bool invalid = status == ST_INVALID;

	if (invalid)
		progress->invalid++;
	else
		progress->lost++;
	if (range > 1 && (invalid || progress->lost >= LOST_MAX))
		progress->range = range / 2;
	else if (range == 1 && progress->invalid >= INVALID_MAX)
		dead_letter(t, batch, "the database cannot store it");
	else if (range == 1 && progress->lost >= LOST_ALONE_MAX)
		dead_letter(t, batch,
		            "the database ends the connection that sends it");
	else
		return;
	progress->invalid = progress->lost = 0;
}

/* A server that is silent, or away, is no reason to doubt a record. */
static bool may_be_poison(const struct transaction *t, enum status status)
{
	return status == ST_INVALID ||
	       (!sql_connected(t->sql) && !sql_timed_out(t->sql));
}

/* --- ranges of a batch --------------------------------------------------- */
static size_t bytes_of(const struct save_record *record)
{
	return record->message.len + record->users.len +
	       record->conversations.len;
}

/* The next entries, as many as fit into one request to the server. */
static unsigned next_range(const struct transaction *t,
                           const struct batch *batch)
{
	const struct batch_progress *progress = &batch->progress;
	unsigned max = batch->count - progress->settled, range = 0;
	size_t room = sql_packet_max(t->sql);

	if (progress->range && progress->range < max)
		max = progress->range;
	while (range < max) {
		const struct batch_entry *entry =
			&batch->entries[progress->settled + range];
		size_t bytes = bytes_of(&entry->record) + ENTRY_BYTES;

		if (bytes > room && range)
			break;
		room -= bytes < room ? bytes : room;
		range++;
	}
	return range;
}

static bool too_large(const struct transaction *t,
                      const struct batch_entry *entry)
{
	return sql_connected(t->sql) && entry->outcome != OUTCOME_DEAD &&
	       bytes_of(&entry->record) + STATEMENT_BYTES >
	               sql_packet_max(t->sql);
}

static void settle(struct batch *batch, unsigned range)
{
	struct batch_progress *progress = &batch->progress;

	progress->settled += range;
	progress->invalid = progress->lost = 0;
	if (progress->range)
		progress->range *= 2;
}

static enum status save_range(struct transaction *t, struct batch *batch)
{
	unsigned from = batch->progress.settled;
	unsigned range = next_range(t, batch);
	enum status status;

	if (range == 1 && too_large(t, &batch->entries[from])) {
		dead_letter(t, batch,
		            "it is larger than the database's "
		            "max_allowed_packet");
		return ST_OK;
	}
	status = save_entries(t, batch, from, from + range);
	if (status == ST_OK)
		settle(batch, range);
	else if (may_be_poison(t, status))
		narrow(t, batch, range, status);
	return status == ST_INVALID && sql_connected(t->sql) ? ST_OK : status;
}

/* --- the batch ----------------------------------------------------------- */
/*
 * After a reconnect the server may have lost commits, so the caches are
 * emptied. A retried batch looks its recipients up again, because the cached
 * rosters may have been evicted.
 */
static void validate_caches(struct transaction *t, struct batch *batch)
{
	if (t->connects != sql_connects(t->sql))
		evict_conversations(t);
	t->connects = sql_connects(t->sql);
	rosters_begin(t->rosters);
	for (unsigned i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		entry->roster = NULL;
		if (entry->outcome == OUTCOME_DEAD)
			continue;
		if (entry->record.kind == SAVE_BLOCKED)
			messages_evict_pair(t->messages, entry->record.sender,
			                    entry->record.user_to);
		else if (entry->record.kind == SAVE_MEMBERSHIP)
			messages_evict_conversation(t->messages,
			                            entry->record.conversation);
	}
}

enum status transaction_save(struct transaction *t, struct batch *batch)
{
	enum status status;

	validate_caches(t, batch);
	status = partition_owners_claim(t->owners, batch);
	while (status == ST_OK && batch->progress.settled < batch->count)
		status = save_range(t, batch);
	if (status == ST_OK)
		status = recipients_complete(t->recipients, batch);
	/* Those of a statement that only reads pass, too. */
	return status == ST_CONFLICT || status == ST_INVALID ? ST_UNAVAILABLE
	                                                     : status;
}
