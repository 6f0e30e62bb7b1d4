#include "persistence-service/save/message/messages.h"

#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "persistence-service/save/batch/batch_dedup.h"
#include "persistence-service/save/conversation/conversation_store.h"
#include "persistence-service/save/message/block_store.h"
#include "persistence-service/save/message/member_check.h"
#include "persistence-service/save/message/message_store.h"
#include "persistence-service/save/message/reply_check.h"
#include "persistence-service/save/owner/refusals.h"

#include <stdlib.h>

/* A second message under the (sender, uuid) of an earlier one. */
struct repeat {
	struct batch_entry *entry;
	const struct batch_entry *first;
};

struct messages {
	struct rosters *rosters;
	struct conversation_cache *cache;
	struct batch_dedup *dedup;
	struct block_store *blocks;
	struct conversation_store *conversations;
	struct member_check *members;
	struct reply_check *replies;
	struct message_store *store;
	struct new_message items[BATCH_RECORDS_MAX]; /* still to be saved */
	unsigned count;
	struct batch_entry *refused[BATCH_RECORDS_MAX];
	unsigned refused_count;
	struct repeat repeats[BATCH_RECORDS_MAX];
	unsigned repeat_count;
	struct read_position positions[READ_POSITIONS_MAX];
};

struct messages *messages_create(struct sql *sql, struct rosters *rosters)
{
	struct messages *m = mem_new(sizeof(*m));

	m->rosters = rosters;
	m->cache = conversation_cache_create();
	m->dedup = batch_dedup_create();
	m->blocks = block_store_create(sql);
	m->conversations = conversation_store_create(sql);
	m->members = member_check_create(sql, rosters);
	m->replies = reply_check_create(sql);
	m->store = message_store_create(sql);
	return m;
}

void messages_destroy(struct messages **messages)
{
	struct messages *m = *messages;

	if (!m)
		return;
	conversation_cache_destroy(&m->cache);
	batch_dedup_destroy(&m->dedup);
	block_store_destroy(&m->blocks);
	conversation_store_destroy(&m->conversations);
	member_check_destroy(&m->members);
	reply_check_destroy(&m->replies);
	message_store_destroy(&m->store);
	mem_free(messages);
}

void messages_evict_all(struct messages *m)
{
	conversation_cache_evict_all(m->cache);
}

void messages_evict_pair(struct messages *m, uint64_t user, uint64_t other)
{
	conversation_cache_evict_pair(m->cache, user, other);
}

void messages_evict_conversation(struct messages *m, uint64_t conversation)
{
	conversation_cache_evict(m->cache, conversation);
}

void messages_committed(struct messages *m)
{
	conversation_cache_commit(m->cache);
}

void messages_rolled_back(struct messages *m)
{
	conversation_cache_invalidate(m->cache);
}

/* --- collecting ---------------------------------------------------------- */
static void collect(struct messages *m, const struct attempt *attempt)
{
	m->count = m->refused_count = m->repeat_count = 0;
	batch_dedup_clear(m->dedup);
	for (unsigned i = attempt->from; i < attempt->to; i++) {
		struct batch_entry *entry = &attempt->batch->entries[i];
		const struct batch_entry *first;

		if (entry->record.kind != SAVE_MESSAGE ||
		    entry->outcome != OUTCOME_OPEN)
			continue;
		first = batch_dedup_add(m->dedup, entry);
		if (first)
			m->repeats[m->repeat_count++] =
				(struct repeat){entry, first};
		else
			m->items[m->count++].entry = entry;
	}
}

static void find_conversations(struct messages *m)
{
	conversation_cache_begin(m->cache);
	for (unsigned i = 0; i < m->count; i++)
		m->items[i].conversation = conversation_cache_find(
			m->cache, &m->items[i].entry->record);
}

/* --- refusing ------------------------------------------------------------ */
/* Final only when the message was not saved before. */
static bool refuse(struct messages *m, const struct new_message *message,
                   enum frame_code code, const char *why)
{
	struct batch_entry *entry = message->entry;

	entry->code = code;
	entry->why = why;
	m->refused[m->refused_count++] = entry;
	return true;
}

/* Removes the messages that `leaves` accepts; true when there was one. */
static bool drop(struct messages *m,
                 bool (*leaves)(struct messages *m,
                                const struct new_message *message))
{
	unsigned kept = 0, count = m->count;

	for (unsigned i = 0; i < count; i++) {
		if (!leaves(m, &m->items[i]))
			m->items[kept++] = m->items[i];
	}
	m->count = kept;
	return kept != count;
}

static bool refuse_blocked(struct messages *m,
                           const struct new_message *message)
{
	uint64_t sender = message->entry->record.sender;

	if (block_store_is_blocked(message->conversation, sender)) {
		message->entry->sender_only = true;
		return refuse(m, message, FRAME_UNKNOWN_USER,
		              "there is no such user");
	}
	if (block_store_blocks(message->conversation, sender))
		return refuse(m, message, FRAME_NOT_ALLOWED,
		              "you block this user");
	return false;
}

static bool refuse_non_member(struct messages *m,
                              const struct new_message *message)
{
	if (message->conversation->state == CONVERSATION_MISPLACED)
		return refuse(m, message, FRAME_UNAVAILABLE,
		              "the gateway named a pair by its conversation");
	if (member_check_passed(m->members, message))
		return false;
	return refuse(m, message, FRAME_UNKNOWN_CONVERSATION,
	              "there is no such conversation");
}

static bool refuse_bad_reply(struct messages *m,
                             const struct new_message *message)
{
	if (reply_check_passed(m->replies, message))
		return false;
	return refuse(m, message, FRAME_UNKNOWN_MESSAGE,
	              "there is no such message to reply to");
}

/* Told before, so final: see refusals.h. */
static void drop_refused_before(struct messages *m,
                                const struct attempt *attempt)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->count; i++) {
		enum frame_code code;

		if (refusals_find(attempt->refusals, m->items[i].entry, &code))
			(void)refuse(m, &m->items[i], code,
			             "it was refused before");
		else
			m->items[kept++] = m->items[i];
	}
	m->count = kept;
}

static bool is_decided(struct messages *m, const struct new_message *message)
{
	(void)m;
	return message->entry->outcome != OUTCOME_OPEN;
}

/* After a conflict. The messages that are stored already leave. */
static enum status answer_duplicates(struct messages *m,
                                     const struct attempt *attempt)
{
	struct batch_entry *entries[BATCH_RECORDS_MAX];

	for (unsigned i = 0; i < m->count; i++)
		entries[i] = m->items[i].entry;
	return message_store_find_duplicates(m->store, attempt->batch, entries,
	                                     m->count, m->dedup);
}

/*
 * Before a conversation is made: neither a blocked message nor a duplicate that
 * names another user makes one.
 */
static enum status check_before_lock(struct messages *m,
                                     const struct attempt *attempt)
{
	enum status status = block_store_load(m->blocks, m->cache);
	bool dropped;

	if (status != ST_OK)
		return status;
	dropped = drop(m, refuse_blocked);
	if (attempt->after_conflict && m->count)
		status = answer_duplicates(m, attempt);
	dropped |= drop(m, is_decided);
	if (dropped)
		find_conversations(m);
	return status;
}

/*
 * Inserting the next seq verifies a cached roster, but a message that it
 * refuses inserts nothing: then the row is read. True when there is such a row.
 */
static bool doubt_cached_rows(struct messages *m)
{
	bool found = false;

	for (unsigned i = 0; i < m->count; i++) {
		struct cached_conversation *conversation =
			m->items[i].conversation;

		if (conversation->state != CONVERSATION_CACHED ||
		    member_check_passed(m->members, &m->items[i]))
			continue;
		conversation->state = CONVERSATION_UNKNOWN;
		found = true;
	}
	return found;
}

static enum status lock_and_load_members(struct messages *m,
                                         const struct attempt *attempt)
{
	enum status status = conversation_store_lock(m->conversations, m->cache,
	                                             attempt->now_ms);

	if (status != ST_OK)
		return status;
	return member_check_load(m->members, attempt->batch, m->items,
	                         m->count);
}

static enum status check(struct messages *m, const struct attempt *attempt)
{
	enum status status = check_before_lock(m, attempt);

	if (status == ST_OK)
		status = lock_and_load_members(m, attempt);
	if (status == ST_OK && doubt_cached_rows(m))
		status = lock_and_load_members(m, attempt);
	if (status != ST_OK)
		return status;
	(void)drop(m, refuse_non_member);
	status = reply_check_load(m->replies, m->items, m->count);
	if (status == ST_OK)
		(void)drop(m, refuse_bad_reply);
	return status;
}

static enum status settle_refused(struct messages *m,
                                  const struct attempt *attempt)
{
	enum status status = ST_OK;

	if (m->refused_count)
		status = message_store_find_duplicates(
			m->store, attempt->batch, m->refused, m->refused_count,
			m->dedup);
	for (unsigned i = 0; i < m->refused_count && status == ST_OK; i++)
		if (m->refused[i]->outcome == OUTCOME_OPEN)
			m->refused[i]->outcome = OUTCOME_REFUSED;
	return status;
}

/* --- writing ------------------------------------------------------------- */
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

static void assign_seq(const struct new_message *message, uint64_t now_ms)
{
	const struct save_record *record = &message->entry->record;
	struct cached_conversation *conversation = message->conversation;

	message->entry->saved = (struct saved_message){
		.conversation = conversation->id,
		.seq = ++conversation->last_seq,
		.user_from = record->sender,
		.user_to = recipient(conversation, record),
		.reply_to = record->reply_to,
		.uuid = record->uuid,
		.message = record->message,
		.created_at_ms = now_ms,
	};
}

/* The order of the clustered index; stable within a conversation. */
static int by_conversation(const void *a, const void *b)
{
	const struct batch_entry *x = ((const struct new_message *)a)->entry;
	const struct batch_entry *y = ((const struct new_message *)b)->entry;

	if (x->saved.conversation != y->saved.conversation)
		return x->saved.conversation < y->saved.conversation ? -1 : 1;
	return (x > y) - (x < y);
}

/* A sender has read up to the message; a new pair has two members. */
static unsigned list_positions(struct messages *m)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m->count; i++) {
		const struct cached_conversation *conversation =
			m->items[i].conversation;
		const struct saved_message *saved = &m->items[i].entry->saved;

		m->positions[count++] = (struct read_position){
			saved->conversation, saved->user_from, saved->seq};
		if (conversation->state == CONVERSATION_CREATED &&
		    saved->user_to != saved->user_from)
			m->positions[count++] = (struct read_position){
				saved->conversation, saved->user_to, 0};
	}
	return count;
}

static enum status write(struct messages *m, const struct attempt *attempt)
{
	enum status status;

	FAULT_POINT("lock.after");
	for (unsigned i = 0; i < m->count; i++)
		assign_seq(&m->items[i], attempt->now_ms);
	qsort(m->items, m->count, sizeof(*m->items), by_conversation);
	status = message_store_insert(m->store, m->items, m->count);
	if (status != ST_OK)
		return status;
	FAULT_POINT("insert.after");
	for (unsigned i = 0; i < m->count; i++)
		m->items[i].conversation->last_message_id =
			m->items[i].entry->saved.id;
	return conversation_store_update(m->conversations, m->cache,
	                                 m->positions, list_positions(m),
	                                 attempt->now_ms);
}

/* --- outcomes ------------------------------------------------------------ */
/*
 * The roster is still valid at the new last_seq: any membership change would
 * have taken the seq.
 */
static void set_saved(struct messages *m)
{
	for (unsigned i = 0; i < m->count; i++) {
		struct batch_entry *entry = m->items[i].entry;
		const struct cached_conversation *conversation =
			m->items[i].conversation;

		entry->outcome = OUTCOME_SAVED;
		if (cached_conversation_is_pair(conversation))
			continue;
		entry->roster = rosters_get(m->rosters, conversation->id);
		rosters_advance(m->rosters, conversation->id,
		                conversation->last_seq);
	}
}

static void copy_first_result(const struct repeat *repeat)
{
	struct batch_entry *entry = repeat->entry;
	const struct batch_entry *first = repeat->first;

	entry->outcome = first->outcome;
	entry->code = first->code;
	entry->why = first->why;
	entry->sender_only = first->sender_only;
	if (first->outcome == OUTCOME_REFUSED)
		return;
	entry->outcome = OUTCOME_DUPLICATE;
	entry->saved = first->saved;
	entry->roster = first->roster;
}

enum status messages_save(struct messages *m, const struct attempt *attempt)
{
	enum status status = ST_OK;

	collect(m, attempt);
	drop_refused_before(m, attempt);
	find_conversations(m);
	if (m->count)
		status = check(m, attempt);
	if (status == ST_OK)
		status = settle_refused(m, attempt);
	if (status == ST_OK && m->count)
		status = write(m, attempt);
	if (status != ST_OK)
		return status;
	set_saved(m);
	for (unsigned i = 0; i < m->repeat_count; i++)
		copy_first_result(&m->repeats[i]);
	return ST_OK;
}
