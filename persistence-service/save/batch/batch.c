#include "persistence-service/save/batch/batch.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/event.h"

#include <assert.h>
#include <string.h>
#include <utlist.h>

struct batch *batch_create(unsigned max)
{
	struct batch *batch = mem_new(sizeof(*batch));

	assert(max > 0 && max <= BATCH_RECORDS_MAX);
	batch->entries = mem_new(max * sizeof(*batch->entries));
	batch->max = max;
	batch->texts = text_store_create();
	return batch;
}

void batch_clear_pending_events(struct batch *batch)
{
	while (batch->pending_events) {
		struct pending_outbox_event *event = batch->pending_events;

		LL_DELETE(batch->pending_events, event);
		mem_free(&event->texts);
		mem_free(&event);
	}
	batch->pending_count = 0;
}

void batch_clear(struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		kafka_message_destroy(&batch->entries[i].message);
		json_destroy(&batch->entries[i].json);
	}
	batch->count = 0;
	batch->progress = (struct batch_progress){0};
	text_store_drop(batch->texts, 0);
	batch_clear_pending_events(batch);
}

void batch_destroy(struct batch **batch)
{
	if (!*batch)
		return;
	batch_clear(*batch);
	text_store_destroy(&(*batch)->texts);
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
	*entry = (struct batch_entry){
		.partition = kafka_message_partition(*message),
		.offset = kafka_message_offset(*message),
	};
	entry->message = MOVE(*message);
	if (save_record_decode(kafka_message_key(entry->message),
	                       kafka_message_value(entry->message),
	                       &entry->json, &entry->record, &entry->identified,
	                       &entry->why) != ST_OK)
		entry->outcome = OUTCOME_DEAD;
	if (entry->record.sender == 0)
		entry->identified = false;
}

static struct span copy(char **at, struct span text)
{
	struct span copied = span_make(*at, text.len);

	if (text.len)
		memcpy(*at, text.data, text.len);
	*at += text.len;
	return copied;
}

void batch_add_pending_event(struct batch *batch, const struct outbox_row *row)
{
	struct pending_outbox_event *event;
	struct event_room room;
	char *at;

	LL_FOREACH (batch->pending_events, event)
		if (event->row.id == row->id)
			return;
	assert(batch->pending_count < PENDING_EVENTS_MAX);
	event = mem_new(sizeof(*event));
	event->row = *row;
	if (event_room_parse(row->room, &room))
		event->seq = room.seq;
	event->texts =
		mem_new(row->target.len + row->room.len + row->body.len + 1);
	at = event->texts;
	event->row.target = copy(&at, row->target);
	event->row.room = copy(&at, row->room);
	event->row.body = copy(&at, row->body);
	LL_APPEND(batch->pending_events, event);
	batch->pending_count++;
}

static bool is_message_below(const struct batch_entry *entry,
                             const struct pending_outbox_event *event)
{
	return entry->outcome == OUTCOME_SAVED &&
	       entry->record.kind == SAVE_MESSAGE &&
	       entry->saved.conversation == event->row.conversation &&
	       entry->saved.seq < event->seq;
}

/*
 * Such a message was saved by an earlier transaction of the batch. The event
 * precedes everything else: a member who left must not get the events after it,
 * and the present members, also new ones, get what is repeated after the death
 * of another process.
 */
unsigned batch_place_of(const struct batch *batch,
                        const struct pending_outbox_event *event)
{
	unsigned place = batch->count;

	while (place && !is_message_below(&batch->entries[place - 1], event))
		place--;
	return place;
}

unsigned batch_count_outcome(const struct batch *batch, enum outcome outcome)
{
	unsigned count = 0;

	for (unsigned i = 0; i < batch->count; i++)
		count += batch->entries[i].outcome == outcome;
	return count;
}
