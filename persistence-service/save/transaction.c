#include "persistence-service/save/transaction.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/save/change/change_store.h"
#include "persistence-service/save/conversation/conversation_cache.h"
#include "persistence-service/save/conversation/conversation_store.h"
#include "persistence-service/save/conversation/query_handler.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/message/batch_dedup.h"
#include "persistence-service/save/message/block_store.h"
#include "persistence-service/save/message/member_check.h"
#include "persistence-service/save/message/message_store.h"
#include "persistence-service/save/message/reply_check.h"
#include "persistence-service/save/receipt/receipt_store.h"

#include <stdlib.h>

/* Somebody else's transaction may come between; but not for ever. */
enum { TRIES = 4 };

struct writer {
	struct sql *sql;
	uint64_t connects; /* the connection that `talks` remembers from */
	struct talks *talks;
	struct rosters *rosters;
	struct first_send *sends;
	struct block_store *blocks;
	struct conversation_store *conversations;
	struct member_check *members;
	struct reply_check *replies;
	struct message_store *messages;
	struct receipt_store *receipts;
	struct change_store *changes;
	struct answer_store *answers;
	/* Messages that are open, and of those the ones that may not be. */
	struct batch_entry *fresh[BATCH_MOST];
	unsigned fresh_count;
	struct batch_entry *refused[BATCH_MOST];
	unsigned refused_count;
	bool doubtful; /* one is refused by what is only remembered */
};

struct writer *writer_create(struct sql *sql,
                             const struct writer_options *options)
{
	struct writer *w = mem_new(sizeof(*w));

	w->sql = sql;
	sql_chain_transactions(sql);
	w->talks = talks_create();
	w->rosters = rosters_create(sql, options->partitions);
	w->sends = first_send_create();
	w->blocks = block_store_create(sql);
	w->conversations = conversation_store_create(sql);
	w->members = member_check_create(sql, w->rosters);
	w->replies = reply_check_create(sql);
	w->messages = message_store_create(sql);
	w->receipts = receipt_store_create(sql, w->rosters);
	w->changes =
		change_store_create(sql, w->rosters, options->reactions_max);
	w->answers = answer_store_create(sql);
	return w;
}

void writer_destroy(struct writer **writer)
{
	struct writer *w = *writer;

	if (!w)
		return;
	talks_destroy(&w->talks);
	rosters_destroy(&w->rosters);
	first_send_destroy(&w->sends);
	block_store_destroy(&w->blocks);
	conversation_store_destroy(&w->conversations);
	member_check_destroy(&w->members);
	reply_check_destroy(&w->replies);
	message_store_destroy(&w->messages);
	receipt_store_destroy(&w->receipts);
	change_store_destroy(&w->changes);
	answer_store_destroy(&w->answers);
	mem_free(writer);
}

void writer_forget(struct writer *w)
{
	talks_forget_all(w->talks);
	rosters_forget_all(w->rosters);
}

/* Open messages, each (sender, uuid) once. */
static void collect_fresh(struct writer *w, struct batch *batch, unsigned from,
                          unsigned to)
{
	w->fresh_count = 0;
	w->refused_count = 0;
	first_send_clear(w->sends);
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->record.kind == SAVE_MESSAGE &&
		    entry->outcome == OUTCOME_OPEN &&
		    !first_send_note(w->sends, entry))
			w->fresh[w->fresh_count++] = entry;
	}
}

/* Neighbours in the clustered index come together; order is kept within. */
static int by_conversation(const void *a, const void *b)
{
	const struct batch_entry *x = *(struct batch_entry *const *)a;
	const struct batch_entry *y = *(struct batch_entry *const *)b;

	if (x->saved.conversation != y->saved.conversation)
		return x->saved.conversation < y->saved.conversation ? -1 : 1;
	return (x > y) - (x < y);
}

static void find_talks(struct writer *w)
{
	talks_clear(w->talks);
	for (unsigned i = 0; i < w->fresh_count; i++)
		w->fresh[i]->talk = talks_find(w->talks, &w->fresh[i]->record);
}

/* --- who may not --------------------------------------------------------- */
static void refuse(struct writer *w, struct batch_entry *entry,
                   enum frame_code code, const char *why)
{
	entry->code = code;
	entry->why = why;
	w->refused[w->refused_count++] = entry;
}

/* Drops from `fresh` whom `unfit` has refused; says whether there were any. */
static bool drop_refused(struct writer *w,
                         bool (*unfit)(struct writer *w,
                                       struct batch_entry *entry))
{
	unsigned kept = 0, count = w->fresh_count;

	for (unsigned i = 0; i < count; i++) {
		if (!unfit(w, w->fresh[i]))
			w->fresh[kept++] = w->fresh[i];
	}
	w->fresh_count = kept;
	return kept != count;
}

static bool is_blocked(struct writer *w, struct batch_entry *entry)
{
	if (!talk_blocks(talks_at(w->talks, entry->talk), entry->record.sender))
		return false;
	refuse(w, entry, FRAME_UNKNOWN_USER, "there is no such user");
	return true;
}

static bool is_no_member(struct writer *w, struct batch_entry *entry)
{
	const struct talk *talk = talks_at(w->talks, entry->talk);

	if (member_check_passed(w->members, w->talks, entry))
		return false;
	w->doubtful |= talk->seq_known && !talk_is_pair(talk);
	refuse(w, entry, FRAME_UNKNOWN_CONVERSATION,
	       "there is no such conversation");
	return true;
}

/* Before a conversation is made for nobody. */
static enum status drop_blocked(struct writer *w)
{
	enum status status = block_store_load(w->blocks, w->talks);

	if (status == ST_OK && drop_refused(w, is_blocked))
		find_talks(w);
	return status;
}

static bool answers_nothing(struct writer *w, struct batch_entry *entry)
{
	if (reply_check_passed(w->replies, w->talks, entry))
		return false;
	refuse(w, entry, FRAME_UNKNOWN_MESSAGE,
	       "what it replies to is not there");
	return true;
}

/* A conversation by its id that was a pair's is the pair's from now on. */
static void join_pairs(struct writer *w)
{
	for (unsigned i = 0; i < w->fresh_count; i++) {
		struct batch_entry *entry = w->fresh[i];
		const struct talk *pair = talks_at(w->talks, entry->talk)->pair;

		if (pair)
			entry->talk = talks_index(w->talks, pair);
	}
}

/*
 * What is remembered of members is watched over by the next seq: nobody takes
 * that when all are refused. So the row is looked at before.
 */
static enum status check_members(struct writer *w)
{
	w->doubtful = false;
	(void)drop_refused(w, is_no_member);
	return w->doubtful ? ST_NOT_FOUND : ST_OK;
}

static enum status admit(struct writer *w, struct batch *batch)
{
	enum status status;

	join_pairs(w);
	status = member_check_load(w->members, batch, w->talks, w->fresh,
	                           w->fresh_count);
	if (status == ST_OK)
		status = check_members(w);
	if (status != ST_OK)
		return status;
	status = block_store_load(w->blocks, w->talks);
	if (status != ST_OK)
		return status;
	(void)drop_refused(w, is_blocked);
	status = reply_check_load(w->replies, w->talks, w->fresh,
	                          w->fresh_count);
	if (status == ST_OK)
		(void)drop_refused(w, answers_nothing);
	return status;
}

/* --- the transaction ----------------------------------------------------- */
static uint64_t recipient(const struct talk *talk,
                          const struct save_record *record)
{
	if (!talk_is_pair(talk))
		return 0;
	return talk->user[talks_side(talk, record->sender) ? 0 : 1];
}

static void take_seq(struct writer *w, struct batch_entry *entry,
                     uint64_t now_ms)
{
	const struct save_record *record = &entry->record;
	struct talk *talk = talks_at(w->talks, entry->talk);

	entry->saved = (struct saved_message){
		.conversation = talk->id,
		.seq = ++talk->last_seq,
		.user_from = record->sender,
		.user_to = recipient(talk, record),
		.reply_to = record->reply_to,
		.uuid = record->uuid,
		.message = record->message,
		.created_at_ms = now_ms,
	};
	talk->written = true;
	if (talk_is_pair(talk))
		talk->read_seq[talks_side(talk, record->sender)] =
			talk->last_seq;
}

static void allot(struct writer *w, uint64_t now_ms)
{
	for (unsigned i = 0; i < w->fresh_count; i++)
		take_seq(w, w->fresh[i], now_ms);
	qsort(w->fresh, w->fresh_count, sizeof(*w->fresh), by_conversation);
}

/* Nobody has come or gone, or the next seq would be taken. */
static void address(struct writer *w)
{
	for (unsigned i = 0; i < w->fresh_count; i++) {
		struct batch_entry *entry = w->fresh[i];
		struct talk *talk = talks_at(w->talks, entry->talk);

		talk->last_message_id = entry->saved.id;
		if (talk_is_pair(talk))
			continue;
		entry->roster = rosters_get(w->rosters, talk->id);
		rosters_go_on(w->rosters, talk->id, talk->last_seq);
	}
}

static enum status insert(struct writer *w, struct batch *batch,
                          uint64_t now_ms)
{
	enum status status;

	find_talks(w);
	status = drop_blocked(w);
	if (status == ST_OK)
		status = conversation_store_lock(w->conversations, w->talks,
		                                 now_ms);
	if (status == ST_OK)
		status = admit(w, batch);
	if (status != ST_OK)
		return status;
	FAULT_POINT("lock.after");
	allot(w, now_ms);
	status = message_store_insert(w->messages, w->fresh, w->fresh_count);
	if (status != ST_OK)
		return status;
	FAULT_POINT("insert.after");
	address(w);
	return conversation_store_update(w->conversations, w->talks, w->fresh,
	                                 w->fresh_count, now_ms);
}

static enum status write_all(struct writer *w, struct batch *batch,
                             unsigned from, unsigned to)
{
	uint64_t now_ms = clock_unix_ms();
	enum status status = w->fresh_count ? insert(w, batch, now_ms) : ST_OK;

	if (status == ST_OK)
		status = receipt_store_write(w->receipts, batch, from, to);
	if (status == ST_OK)
		status =
			change_store_write(w->changes, batch, from, to, now_ms);
	if (status == ST_OK)
		status = answer_store_read(w->answers, batch, from, to);
	return status;
}

static bool has_work(const struct writer *w, const struct batch *batch,
                     unsigned from, unsigned to)
{
	if (w->fresh_count)
		return true;
	for (unsigned i = from; i < to; i++) {
		const struct batch_entry *entry = &batch->entries[i];

		if (entry->record.kind != SAVE_MESSAGE &&
		    entry->outcome != OUTCOME_DEAD)
			return true;
	}
	return false;
}

static enum status transact(struct writer *w, struct batch *batch,
                            unsigned from, unsigned to)
{
	enum status status;

	/* Those of the last one are not to be remembered once more. */
	talks_clear(w->talks);
	if (!has_work(w, batch, from, to))
		return ST_OK;
	status = sql_begin(w->sql);

	FAULT_POINT("transaction.before");
	if (status == ST_OK)
		status = write_all(w, batch, from, to);
	FAULT_POINT("commit.before");
	if (status == ST_OK)
		status = sql_commit(w->sql);
	FAULT_POINT("commit.after");
	if (status != ST_OK) {
		sql_rollback(w->sql);
		rosters_doubt_all(w->rosters);
		return status;
	}
	talks_remember(w->talks);
	return ST_OK;
}

/* What stands in the way: known messages, or what we remember is wrong. */
static enum status clear_way(struct writer *w, struct batch *batch,
                             enum status status)
{
	unsigned known;

	talks_forget(w->talks);
	if (status == ST_NOT_FOUND)
		return ST_OK;
	status = sql_begin(w->sql);
	if (status == ST_OK)
		status = message_store_known(w->messages, batch, w->fresh,
		                             w->fresh_count, w->sends, &known);
	sql_rollback(w->sql);
	return status;
}

/* Who may not write any more is still told what became of an old message. */
static enum status recognise_refused(struct writer *w, struct batch *batch)
{
	enum status status = ST_OK;
	unsigned known;

	if (w->refused_count)
		status = sql_begin(w->sql);
	if (w->refused_count && status == ST_OK) {
		status =
			message_store_known(w->messages, batch, w->refused,
		                            w->refused_count, w->sends, &known);
		sql_rollback(w->sql);
	}
	for (unsigned i = 0; i < w->refused_count && status == ST_OK; i++)
		if (w->refused[i]->outcome == OUTCOME_OPEN)
			w->refused[i]->outcome = OUTCOME_REFUSED;
	return status;
}

static enum status save_fresh(struct writer *w, struct batch *batch,
                              unsigned from, unsigned to)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < TRIES; i++) {
		collect_fresh(w, batch, from, to);
		status = transact(w, batch, from, to);
		if (status == ST_OK)
			return recognise_refused(w, batch);
		if (status != ST_CONFLICT && status != ST_NOT_FOUND)
			return status;
		status = clear_way(w, batch, status);
		if (status != ST_OK)
			return status;
	}
	return ST_UNAVAILABLE;
}

/* The second of two alike gets what the first one got. */
static void copy_first(struct batch *batch, struct batch_entry *entry,
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
		entry->text_at = first->text_at;
	} else {
		batch_keep(batch, entry, &entry->saved.message,
		           first->saved.message);
	}
}

static void settle(struct writer *w, struct batch *batch, unsigned from,
                   unsigned to)
{
	for (unsigned i = 0; i < w->fresh_count; i++)
		w->fresh[i]->outcome = OUTCOME_SAVED;
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];
		const struct save_record *record = &entry->record;

		if (entry->outcome == OUTCOME_OPEN)
			copy_first(batch, entry,
			           first_send_find(w->sends, record->sender,
			                           &record->uuid));
	}
}

static void bury(struct writer *w, struct batch_entry *entry)
{
	entry->outcome = OUTCOME_DEAD;
	entry->why = "the database can't store it";
	log_event(LOG_ERROR, "record.poisonous",
	          F_NUMBER("sender", entry->record.sender),
	          F_TEXT("why", sql_error(w->sql)));
}

/* Halves the range until what the database refuses stands alone. */
static enum status save_range(struct writer *w, struct batch *batch,
                              unsigned from, unsigned to)
{
	enum status status = save_fresh(w, batch, from, to);
	unsigned middle = from + (to - from) / 2;

	if (status == ST_OK)
		settle(w, batch, from, to);
	if (status != ST_INVALID)
		return status;
	if (to - from == 1) {
		bury(w, &batch->entries[from]);
		return ST_OK;
	}
	status = save_range(w, batch, from, middle);
	if (status != ST_OK)
		return status;
	return save_range(w, batch, middle, to);
}

/*
 * Behind a new connection may be a server that has lost something. A batch that
 * is tried again has nobody to tell, until that is looked up: what it was to be
 * told to may be forgotten.
 */
static void check_memory(struct writer *w, struct batch *batch)
{
	if (w->connects != sql_connects(w->sql))
		writer_forget(w);
	w->connects = sql_connects(w->sql);
	rosters_begin(w->rosters);
	for (unsigned i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		entry->roster = NULL;
		if (entry->record.kind != SAVE_BLOCKED ||
		    entry->outcome == OUTCOME_DEAD)
			continue;
		talks_forget_pair(w->talks, entry->record.sender,
		                  entry->record.user_to);
	}
}

/* Who is to hear of messages that were there before: those of today. */
static enum status address_known(struct writer *w, struct batch *batch)
{
	enum status status;

	if (!member_check_due(batch))
		return ST_OK;
	status = sql_begin(w->sql);
	if (status == ST_OK)
		status = member_check_address(w->members, batch);
	sql_rollback(w->sql);
	return status;
}

enum status writer_save(struct writer *w, struct batch *batch)
{
	enum status status;

	check_memory(w, batch);
	status = save_range(w, batch, 0, batch->count);
	if (status == ST_OK)
		status = address_known(w, batch);
	if (status == ST_OK)
		batch_settle(batch);
	return status;
}
