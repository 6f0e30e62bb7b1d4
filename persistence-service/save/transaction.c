#include "persistence-service/save/transaction.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/save/batch/batch_dedup.h"
#include "persistence-service/save/change/change_store.h"
#include "persistence-service/save/conversation/conversation_cache.h"
#include "persistence-service/save/conversation/conversation_store.h"
#include "persistence-service/save/conversation/query_handler.h"
#include "persistence-service/save/conversation/recipients.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/message/block_store.h"
#include "persistence-service/save/message/member_check.h"
#include "persistence-service/save/message/message_store.h"
#include "persistence-service/save/message/reply_check.h"
#include "persistence-service/save/receipt/receipt_store.h"

#include <stdlib.h>

/* Another process may interfere, but not for ever. */
enum {
	TRIES = 4,
	INVALID_MAX = 2,
	LOST_MAX = 2,
	LOST_ALONE_MAX = 20,
	ENTRY_BYTES = 512, /* of a statement, for one entry, without texts */
	STATEMENT_BYTES = 256, /* of the smallest statement with one text */
};

struct transaction {
	struct sql *sql;
	uint64_t connects; /* the connection that filled the caches */
	struct conversation_cache *cache;
	struct rosters *rosters;
	struct batch_dedup *dedup;
	struct block_store *blocks;
	struct conversation_store *conversations;
	struct member_check *members;
	struct reply_check *replies;
	struct message_store *messages;
	struct receipt_store *receipts;
	struct change_store *changes;
	struct query_handler *answers;
	struct recipients *recipients;
	/* The open messages of the range, without the refused ones. */
	struct batch_entry *new_messages[BATCH_RECORDS_MAX];
	unsigned new_count;
	struct batch_entry *refused[BATCH_RECORDS_MAX];
	unsigned refused_count;
	bool refused_from_cache; /* a refusal rests on a cached roster */
};

struct transaction *
transaction_create(struct sql *sql, const struct transaction_options *options)
{
	struct transaction *t = mem_new(sizeof(*t));

	t->sql = sql;
	sql_chain_transactions(sql);
	t->cache = conversation_cache_create();
	t->rosters = rosters_create(sql, options->partitions);
	t->dedup = batch_dedup_create();
	t->blocks = block_store_create(sql);
	t->conversations = conversation_store_create(sql);
	t->members = member_check_create(sql, t->rosters);
	t->replies = reply_check_create(sql);
	t->messages = message_store_create(sql);
	t->receipts = receipt_store_create(sql, t->rosters);
	t->changes =
		change_store_create(sql, t->rosters, options->reactions_max);
	t->answers = query_handler_create(sql);
	t->recipients = recipients_create(sql, t->rosters);
	return t;
}

void transaction_destroy(struct transaction **transaction)
{
	struct transaction *t = *transaction;

	if (!t)
		return;
	conversation_cache_destroy(&t->cache);
	rosters_destroy(&t->rosters);
	batch_dedup_destroy(&t->dedup);
	block_store_destroy(&t->blocks);
	conversation_store_destroy(&t->conversations);
	member_check_destroy(&t->members);
	reply_check_destroy(&t->replies);
	message_store_destroy(&t->messages);
	receipt_store_destroy(&t->receipts);
	change_store_destroy(&t->changes);
	query_handler_destroy(&t->answers);
	recipients_destroy(&t->recipients);
	mem_free(transaction);
}

void transaction_evict_caches(struct transaction *t)
{
	conversation_cache_evict_all(t->cache);
	rosters_evict_all(t->rosters);
}

/* The open messages of the range, each (sender, uuid) once. */
static void collect_new_messages(struct transaction *t, struct batch *batch,
                                 unsigned from, unsigned to)
{
	t->new_count = 0;
	t->refused_count = 0;
	batch_dedup_clear(t->dedup);
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->record.kind == SAVE_MESSAGE &&
		    entry->outcome == OUTCOME_OPEN &&
		    !batch_dedup_add(t->dedup, entry))
			t->new_messages[t->new_count++] = entry;
	}
}

/* The order of the clustered index; stable within a conversation. */
static int by_conversation(const void *a, const void *b)
{
	const struct batch_entry *x = *(struct batch_entry *const *)a;
	const struct batch_entry *y = *(struct batch_entry *const *)b;

	if (x->saved.conversation != y->saved.conversation)
		return x->saved.conversation < y->saved.conversation ? -1 : 1;
	return (x > y) - (x < y);
}

static void look_up_conversations(struct transaction *t)
{
	conversation_cache_begin(t->cache);
	for (unsigned i = 0; i < t->new_count; i++)
		t->new_messages[i]->conversation_index =
			conversation_cache_find(t->cache,
		                                &t->new_messages[i]->record);
}

/* --- refusals ------------------------------------------------------------ */
static void refuse(struct transaction *t, struct batch_entry *entry,
                   enum frame_code code, const char *why)
{
	entry->code = code;
	entry->why = why;
	t->refused[t->refused_count++] = entry;
}

/* Removes the messages that `refuses` refuses; true when there was one. */
static bool drop_refused(struct transaction *t,
                         bool (*refuses)(struct transaction *t,
                                         struct batch_entry *entry))
{
	unsigned kept = 0, count = t->new_count;

	for (unsigned i = 0; i < count; i++) {
		if (!refuses(t, t->new_messages[i]))
			t->new_messages[kept++] = t->new_messages[i];
	}
	t->new_count = kept;
	return kept != count;
}

static bool refuse_blocked(struct transaction *t, struct batch_entry *entry)
{
	if (!block_store_is_blocked(
		    conversation_cache_at(t->cache, entry->conversation_index),
		    entry->record.sender))
		return false;
	refuse(t, entry, FRAME_UNKNOWN_USER, "there is no such user");
	return true;
}

static bool refuse_non_member(struct transaction *t, struct batch_entry *entry)
{
	const struct cached_conversation *conversation =
		conversation_cache_at(t->cache, entry->conversation_index);

	if (member_check_passed(t->members, t->cache, entry))
		return false;
	t->refused_from_cache |= conversation->seq_cached &&
	                         !cached_conversation_is_pair(conversation);
	refuse(t, entry, FRAME_UNKNOWN_CONVERSATION,
	       "there is no such conversation");
	return true;
}

/* Before the conversation is made: a blocked message must not make one. */
static enum status drop_blocked(struct transaction *t)
{
	enum status status = block_store_load(t->blocks, t->cache);

	if (status == ST_OK && drop_refused(t, refuse_blocked))
		look_up_conversations(t);
	return status;
}

static bool refuse_missing_reply(struct transaction *t,
                                 struct batch_entry *entry)
{
	if (reply_check_passed(t->replies, t->cache, entry))
		return false;
	refuse(t, entry, FRAME_UNKNOWN_MESSAGE,
	       "there is no such message to reply to");
	return true;
}

/* A message that names a pair's conversation by its id moves to the pair. */
static void redirect_to_pairs(struct transaction *t)
{
	for (unsigned i = 0; i < t->new_count; i++) {
		struct batch_entry *entry = t->new_messages[i];
		const struct cached_conversation *pair =
			conversation_cache_at(t->cache,
		                              entry->conversation_index)
				->pair;

		if (pair)
			entry->conversation_index =
				conversation_cache_index(t->cache, pair);
	}
}

/*
 * Inserting the next seq verifies the cached roster. When all messages are
 * refused nothing is inserted, so the row has to be read first.
 */
static enum status check_members(struct transaction *t)
{
	t->refused_from_cache = false;
	(void)drop_refused(t, refuse_non_member);
	return t->refused_from_cache ? ST_NOT_FOUND : ST_OK;
}

static enum status check_messages(struct transaction *t, struct batch *batch)
{
	enum status status;

	redirect_to_pairs(t);
	status = member_check_load(t->members, batch, t->cache, t->new_messages,
	                           t->new_count);
	if (status == ST_OK)
		status = check_members(t);
	if (status != ST_OK)
		return status;
	status = block_store_load(t->blocks, t->cache);
	if (status != ST_OK)
		return status;
	(void)drop_refused(t, refuse_blocked);
	status = reply_check_load(t->replies, t->cache, t->new_messages,
	                          t->new_count);
	if (status == ST_OK)
		(void)drop_refused(t, refuse_missing_reply);
	return status;
}

/* --- the transaction ----------------------------------------------------- */
static uint64_t recipient(const struct cached_conversation *conversation,
                          const struct save_record *record)
{
	if (!cached_conversation_is_pair(conversation))
		return 0;
	return conversation
	        ->user[cached_conversation_side(conversation, record->sender)
	                       ? 0
	                       : 1];
}

static void assign_seq(struct transaction *t, struct batch_entry *entry,
                       uint64_t now_ms)
{
	const struct save_record *record = &entry->record;
	struct cached_conversation *conversation =
		conversation_cache_at(t->cache, entry->conversation_index);

	entry->saved = (struct saved_message){
		.conversation = conversation->id,
		.seq = ++conversation->last_seq,
		.user_from = record->sender,
		.user_to = recipient(conversation, record),
		.reply_to = record->reply_to,
		.uuid = record->uuid,
		.message = record->message,
		.created_at_ms = now_ms,
	};
	conversation->changed = true;
	if (cached_conversation_is_pair(conversation))
		conversation->read_seq[cached_conversation_side(
			conversation, record->sender)] = conversation->last_seq;
}

static void assign_seqs(struct transaction *t, uint64_t now_ms)
{
	for (unsigned i = 0; i < t->new_count; i++)
		assign_seq(t, t->new_messages[i], now_ms);
	qsort(t->new_messages, t->new_count, sizeof(*t->new_messages),
	      by_conversation);
}

/*
 * The roster is still valid at the new last_seq: any membership change would
 * have taken the seq.
 */
static void set_rosters(struct transaction *t)
{
	for (unsigned i = 0; i < t->new_count; i++) {
		struct batch_entry *entry = t->new_messages[i];
		struct cached_conversation *conversation =
			conversation_cache_at(t->cache,
		                              entry->conversation_index);

		conversation->last_message_id = entry->saved.id;
		if (cached_conversation_is_pair(conversation))
			continue;
		entry->roster = rosters_get(t->rosters, conversation->id);
		rosters_advance(t->rosters, conversation->id,
		                conversation->last_seq);
	}
}

static enum status insert_messages(struct transaction *t, struct batch *batch,
                                   uint64_t now_ms)
{
	enum status status;

	look_up_conversations(t);
	status = drop_blocked(t);
	if (status == ST_OK)
		status = conversation_store_lock(t->conversations, t->cache,
		                                 now_ms);
	if (status == ST_OK)
		status = check_messages(t, batch);
	if (status != ST_OK)
		return status;
	FAULT_POINT("lock.after");
	assign_seqs(t, now_ms);
	status = message_store_insert(t->messages, t->new_messages,
	                              t->new_count);
	if (status != ST_OK)
		return status;
	FAULT_POINT("insert.after");
	set_rosters(t);
	return conversation_store_update(t->conversations, t->cache,
	                                 t->new_messages, t->new_count, now_ms);
}

static enum status write_records(struct transaction *t, struct batch *batch,
                                 unsigned from, unsigned to)
{
	uint64_t now_ms = clock_unix_ms();
	enum status status =
		t->new_count ? insert_messages(t, batch, now_ms) : ST_OK;

	if (status == ST_OK)
		status = receipt_store_write(t->receipts, batch, from, to);
	if (status == ST_OK)
		status =
			change_store_write(t->changes, batch, from, to, now_ms);
	if (status == ST_OK)
		status = query_handler_answer(t->answers, batch, from, to);
	return status;
}

static bool has_records(const struct transaction *t, const struct batch *batch,
                        unsigned from, unsigned to)
{
	if (t->new_count)
		return true;
	for (unsigned i = from; i < to; i++) {
		const struct batch_entry *entry = &batch->entries[i];

		if (entry->record.kind != SAVE_MESSAGE &&
		    entry->outcome != OUTCOME_DEAD)
			return true;
	}
	return false;
}

static enum status run_transaction(struct transaction *t, struct batch *batch,
                                   unsigned from, unsigned to)
{
	enum status status;

	/* The previous transaction's conversations must not be cached again. */
	conversation_cache_begin(t->cache);
	if (!has_records(t, batch, from, to))
		return ST_OK;
	status = sql_begin(t->sql);

	FAULT_POINT("transaction.before");
	if (status == ST_OK)
		status = write_records(t, batch, from, to);
	FAULT_POINT("commit.before");
	if (status == ST_OK)
		status = sql_commit(t->sql);
	FAULT_POINT("commit.after");
	if (status != ST_OK) {
		sql_rollback(t->sql);
		rosters_invalidate_all(t->rosters);
		return status;
	}
	conversation_cache_commit(t->cache);
	return ST_OK;
}

/*
 * After a conflict: duplicates get their first results, and stale cache entries
 * are invalidated, so that the next try succeeds.
 */
static enum status resolve_conflict(struct transaction *t, struct batch *batch,
                                    enum status status)
{
	conversation_cache_invalidate(t->cache);
	if (status == ST_NOT_FOUND || t->new_count == 0)
		return ST_OK;
	status = sql_begin(t->sql);
	if (status == ST_OK)
		status = message_store_find_duplicates(t->messages, batch,
		                                       t->new_messages,
		                                       t->new_count, t->dedup);
	sql_rollback(t->sql);
	return status;
}

/* A refused message that was saved before is a duplicate, not a refusal. */
static enum status resolve_refused(struct transaction *t, struct batch *batch)
{
	enum status status = ST_OK;

	if (t->refused_count)
		status = sql_begin(t->sql);
	if (t->refused_count && status == ST_OK) {
		status = message_store_find_duplicates(
			t->messages, batch, t->refused, t->refused_count,
			t->dedup);
		sql_rollback(t->sql);
	}
	for (unsigned i = 0; i < t->refused_count && status == ST_OK; i++)
		if (t->refused[i]->outcome == OUTCOME_OPEN)
			t->refused[i]->outcome = OUTCOME_REFUSED;
	return status;
}

static enum status save_with_retries(struct transaction *t, struct batch *batch,
                                     unsigned from, unsigned to)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < TRIES; i++) {
		collect_new_messages(t, batch, from, to);
		status = run_transaction(t, batch, from, to);
		if (status == ST_OK)
			return resolve_refused(t, batch);
		if (status != ST_CONFLICT && status != ST_NOT_FOUND)
			return status;
		status = resolve_conflict(t, batch, status);
		if (status != ST_OK)
			return status;
	}
	return ST_UNAVAILABLE;
}

/* A second message with the same (sender, uuid) gets the first one's result. */
static void copy_first_result(struct batch *batch, struct batch_entry *entry,
                              const struct batch_entry *first)
{
	entry->outcome = first->outcome;
	entry->code = first->code;
	entry->why = first->why;
	if (first->outcome == OUTCOME_REFUSED)
		return;
	entry->outcome = OUTCOME_DUPLICATE;
	entry->saved = first->saved;
	entry->roster = first->roster;
	if (first->text) {
		entry->text = &entry->saved.message;
		entry->text_offset = first->text_offset;
	} else {
		batch_keep_text(batch, entry, &entry->saved.message,
		                first->saved.message);
	}
}

static void set_outcomes(struct transaction *t, struct batch *batch,
                         unsigned from, unsigned to)
{
	for (unsigned i = 0; i < t->new_count; i++)
		t->new_messages[i]->outcome = OUTCOME_SAVED;
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];
		const struct save_record *record = &entry->record;

		if (entry->outcome == OUTCOME_OPEN)
			copy_first_result(batch, entry,
			                  batch_dedup_find(t->dedup,
			                                   record->sender,
			                                   &record->uuid));
	}
}

static void dead_letter(struct transaction *t, struct batch *batch,
                        const char *why)
{
	struct batch_entry *entry = &batch->entries[batch->progress.settled++];

	entry->outcome = OUTCOME_DEAD;
	entry->why = why;
	log_event(LOG_ERROR, "record.poison",
	          F_NUMBER("sender", entry->record.sender),
	          F_TEXT("why", sql_error(t->sql)));
}

/* Drops what an earlier try of the range has left in its entries. */
static void reopen_range(struct batch *batch, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->outcome != OUTCOME_DEAD)
			entry->outcome = OUTCOME_OPEN;
		entry->roster = NULL;
		entry->text = NULL;
	}
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

static void settle(struct batch *batch, unsigned range)
{
	struct batch_progress *progress = &batch->progress;

	progress->settled += range;
	progress->invalid = progress->lost = 0;
	if (progress->range)
		progress->range *= 2;
}

static size_t bytes_of(const struct save_record *record)
{
	return record->message.len + record->users.len;
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

/* The next entries in a transaction of their own. */
static enum status save_range(struct transaction *t, struct batch *batch)
{
	unsigned from = batch->progress.settled;
	unsigned range = next_range(t, batch);
	size_t mark = batch_texts_mark(batch);
	enum status status;

	if (range == 1 && too_large(t, &batch->entries[from])) {
		dead_letter(t, batch,
		            "it is larger than the database's "
		            "max_allowed_packet");
		return ST_OK;
	}
	reopen_range(batch, from, from + range);
	status = save_with_retries(t, batch, from, from + range);
	if (status == ST_OK) {
		set_outcomes(t, batch, from, from + range);
		settle(batch, range);
		return ST_OK;
	}
	reopen_range(batch, from, from + range);
	batch_drop_texts(batch, mark);
	if (may_be_poison(t, status))
		narrow(t, batch, range, status);
	return status == ST_INVALID && sql_connected(t->sql) ? ST_OK : status;
}

/*
 * After a reconnect the server may have lost commits, so the caches are
 * emptied. A retried batch looks its recipients up again, because the cached
 * rosters may have been evicted.
 */
static void validate_caches(struct transaction *t, struct batch *batch)
{
	if (t->connects != sql_connects(t->sql))
		transaction_evict_caches(t);
	t->connects = sql_connects(t->sql);
	rosters_begin(t->rosters);
	for (unsigned i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		entry->roster = NULL;
		if (entry->record.kind != SAVE_BLOCKED ||
		    entry->outcome == OUTCOME_DEAD)
			continue;
		conversation_cache_evict_pair(t->cache, entry->record.sender,
		                              entry->record.user_to);
	}
}

enum status transaction_save(struct transaction *t, struct batch *batch)
{
	enum status status = ST_OK;

	validate_caches(t, batch);
	while (status == ST_OK && batch->progress.settled < batch->count)
		status = save_range(t, batch);
	if (status == ST_OK)
		status = recipients_complete(t->recipients, batch);
	if (status == ST_OK)
		batch_resolve_texts(batch);
	/* These of a statement that only reads pass, too. */
	if (status == ST_CONFLICT || status == ST_INVALID)
		return ST_UNAVAILABLE;
	return status;
}
