#include "persistence-service/writer.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/conversation_store.h"
#include "persistence-service/first_send.h"
#include "persistence-service/message_store.h"
#include "persistence-service/talk.h"

#include <stdlib.h>

/* Somebody else's transaction may come between; but not for ever. */
enum { TRIES = 4 };

struct writer {
	struct sql *sql;
	uint64_t connects; /* the connection that `talks` remembers from */
	struct talks *talks;
	struct first_send *sends;
	struct conversation_store *conversations;
	struct message_store *messages;
	struct batch_entry *fresh[BATCH_MOST];
	unsigned fresh_count;
};

struct writer *writer_create(struct sql *sql)
{
	struct writer *w = mem_new(sizeof(*w));

	w->sql = sql;
	sql_chain_transactions(sql);
	w->talks = talks_create();
	w->sends = first_send_create();
	w->conversations = conversation_store_create(sql);
	w->messages = message_store_create(sql);
	return w;
}

void writer_destroy(struct writer **writer)
{
	struct writer *w = *writer;

	if (!w)
		return;
	talks_destroy(&w->talks);
	first_send_destroy(&w->sends);
	conversation_store_destroy(&w->conversations);
	message_store_destroy(&w->messages);
	mem_free(writer);
}

/* Open entries, each (sender, uuid) once. */
static void collect_fresh(struct writer *w, struct batch *batch, unsigned from,
                          unsigned to)
{
	w->fresh_count = 0;
	first_send_clear(w->sends);
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->outcome == OUTCOME_OPEN &&
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

static void allot(struct writer *w, uint64_t now_ms)
{
	for (unsigned i = 0; i < w->fresh_count; i++) {
		struct batch_entry *entry = w->fresh[i];
		const struct save_record *record = &entry->record;
		struct talk *talk = talks_at(w->talks, entry->talk);

		entry->saved = (struct saved_message){
			.conversation = talk->id,
			.seq = ++talk->last_seq,
			.user_from = record->sender,
			.user_to = record->user_to,
			.uuid = record->uuid,
			.message = record->message,
			.created_at_ms = now_ms,
		};
		talk->read_seq[talks_side(talk, record->sender)] =
			talk->last_seq;
	}
	qsort(w->fresh, w->fresh_count, sizeof(*w->fresh), by_conversation);
}

static enum status insert(struct writer *w, uint64_t now_ms)
{
	enum status status;

	find_talks(w);
	status = conversation_store_lock(w->conversations, w->talks, now_ms);
	if (status != ST_OK)
		return status;
	FAULT_POINT("lock.after");
	allot(w, now_ms);
	status = message_store_insert(w->messages, w->fresh, w->fresh_count);
	if (status != ST_OK)
		return status;
	FAULT_POINT("insert.after");
	for (unsigned i = 0; i < w->fresh_count; i++)
		talks_at(w->talks, w->fresh[i]->talk)->last_message_id =
			w->fresh[i]->saved.id;
	return conversation_store_update(w->conversations, w->talks, now_ms);
}

static enum status transact(struct writer *w)
{
	enum status status = sql_begin(w->sql);

	FAULT_POINT("transaction.before");
	if (status == ST_OK)
		status = insert(w, clock_unix_ms());
	FAULT_POINT("commit.before");
	if (status == ST_OK)
		status = sql_commit(w->sql);
	FAULT_POINT("commit.after");
	if (status != ST_OK) {
		sql_rollback(w->sql);
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

static enum status save_fresh(struct writer *w, struct batch *batch,
                              unsigned from, unsigned to)
{
	enum status status = ST_OK;

	for (unsigned i = 0; i < TRIES; i++) {
		collect_fresh(w, batch, from, to);
		status = w->fresh_count ? transact(w) : ST_OK;
		if (status != ST_CONFLICT && status != ST_NOT_FOUND)
			return status;
		status = clear_way(w, batch, status);
		if (status != ST_OK)
			return status;
	}
	return ST_UNAVAILABLE;
}

/* The second of two alike gets what the first one got. */
static void settle(struct writer *w, struct batch *batch, unsigned from,
                   unsigned to)
{
	for (unsigned i = 0; i < w->fresh_count; i++)
		w->fresh[i]->outcome = OUTCOME_SAVED;
	for (unsigned i = from; i < to; i++) {
		struct batch_entry *entry = &batch->entries[i];
		const struct save_record *record = &entry->record;
		const struct batch_entry *first;

		if (entry->outcome != OUTCOME_OPEN)
			continue;
		first = first_send_find(w->sends, record->sender,
		                        &record->uuid);
		entry->saved = first->saved;
		entry->outcome = OUTCOME_DUPLICATE;
		batch_keep_text(batch, entry, first->saved.message);
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

/* Behind a new connection may be a server that has lost something. */
static void check_memory(struct writer *w)
{
	if (w->connects != sql_connects(w->sql))
		talks_forget_all(w->talks);
	w->connects = sql_connects(w->sql);
}

enum status writer_save(struct writer *w, struct batch *batch)
{
	enum status status;

	check_memory(w);
	status = save_range(w, batch, 0, batch->count);
	if (status == ST_OK)
		batch_settle(batch);
	return status;
}
