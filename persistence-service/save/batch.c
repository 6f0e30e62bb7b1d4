#include "persistence-service/save/batch.h"

#include "common/base/clock.h"
#include "common/base/mem.h"

#include <assert.h>
#include <string.h>
#include <utlist.h>

/* The texts of duplicates, and of edits that are, and answers to gateways. */
#define TEXTS_MAX ((size_t)4 * BATCH_MOST * (MESSAGE_TEXT_MAX + 1) + 1)

struct batch *batch_create(unsigned max)
{
	struct batch *batch = mem_new(sizeof(*batch));

	assert(max > 0 && max <= BATCH_MOST);
	batch->entries = mem_new(max * sizeof(*batch->entries));
	batch->max = max;
	batch->texts = BUF(TEXTS_MAX);
	return batch;
}

static void forget_notices(struct batch *batch)
{
	while (batch->notices) {
		struct batch_notice *notice = batch->notices;

		LL_DELETE(batch->notices, notice);
		mem_free(&notice->texts);
		mem_free(&notice);
	}
}

void batch_clear(struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		kafka_message_destroy(&batch->entries[i].message);
		json_destroy(&batch->entries[i].json);
	}
	batch->count = 0;
	buf_clear(&batch->texts);
	forget_notices(batch);
}

void batch_destroy(struct batch **batch)
{
	if (!*batch)
		return;
	batch_clear(*batch);
	buf_free(&(*batch)->texts);
	mem_free(&(*batch)->entries);
	mem_free(batch);
}

void batch_add(struct batch *batch, struct kafka_message **message)
{
	struct batch_entry *entry = &batch->entries[batch->count];

	assert(batch->count < batch->max);
	if (batch->count == 0)
		batch->began_us = clock_mono_us();
	batch->count++;
	*entry = (struct batch_entry){.message = MOVE(*message)};
	if (save_record_decode(kafka_message_key(entry->message),
	                       kafka_message_value(entry->message),
	                       &entry->json, &entry->record, &entry->named,
	                       &entry->why) != ST_OK)
		entry->outcome = OUTCOME_DEAD;
	if (entry->record.sender == 0)
		entry->named = false;
}

void batch_keep(struct batch *batch, struct batch_entry *entry,
                struct span *ret_text, struct span text)
{
	entry->text_at = batch->texts.len;
	entry->text = ret_text;
	ret_text->len = text.len;
	buf_append(&batch->texts, text);
	assert(!buf_overflowed(&batch->texts));
}

static struct span copy(char **at, struct span text)
{
	struct span copied = span_make(*at, text.len);

	if (text.len)
		memcpy(*at, text.data, text.len);
	*at += text.len;
	return copied;
}

void batch_notice(struct batch *batch, const struct outbox_row *row)
{
	struct batch_notice *notice;
	char *at;

	LL_FOREACH (batch->notices, notice)
		if (notice->row.id == row->id)
			return;
	notice = mem_new(sizeof(*notice));
	notice->row = *row;
	notice->texts =
		mem_new(row->target.len + row->room.len + row->body.len + 1);
	at = notice->texts;
	notice->row.target = copy(&at, row->target);
	notice->row.room = copy(&at, row->room);
	notice->row.body = copy(&at, row->body);
	LL_APPEND(batch->notices, notice);
}

/* Half is left for texts, which must fit. */
bool batch_has_room(const struct batch *batch, size_t bytes)
{
	return batch->texts.len + bytes <= TEXTS_MAX / 2;
}

void batch_settle(struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->text)
			entry->text->data = batch->texts.data + entry->text_at;
	}
}

unsigned batch_tally(const struct batch *batch, enum outcome outcome)
{
	unsigned count = 0;

	for (unsigned i = 0; i < batch->count; i++)
		count += batch->entries[i].outcome == outcome;
	return count;
}
