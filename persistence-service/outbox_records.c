#include "persistence-service/outbox_records.h"

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/wire/event.h"

/* A user takes at least one digit and one comma. */
enum { USERS_MAX = OUTBOX_TEXT_MAX / 2 + 1, SEQ_MAX = 32 };

struct crowd {
	uint64_t *users;
	unsigned count;
};

static void crowd_free(struct crowd *crowd)
{
	mem_free(&crowd->users);
}

static bool read_crowd(struct span target, struct crowd *crowd)
{
	crowd->users = mem_new(USERS_MAX * sizeof(*crowd->users));
	while (crowd->count < USERS_MAX &&
	       event_key_next(&target, &crowd->users[crowd->count]))
		crowd->count++;
	return target.len == 0 && crowd->count > 0;
}

static struct kafka_record event_record(const struct settings *settings,
                                        const struct outbox_row *row)
{
	return (struct kafka_record){
		.topic = settings->topic_events,
		.value = row->body,
		.header = {EVENT_ROOM_HEADER, row->room},
	};
}

static void write_key(struct buf *key, const struct crowd *crowd,
                      uint32_t partition, uint32_t partitions)
{
	buf_clear(key);
	for (unsigned i = 0; i < crowd->count; i++) {
		if (event_partition(crowd->users[i], partitions) == partition)
			event_key_add(key, crowd->users[i]);
	}
}

static enum status to_users(const struct settings *settings,
                            const struct outbox_row *row,
                            outbox_records_send *send, void *context)
{
	struct crowd crowd CLEANUP(crowd_free) = {0};
	struct buf key CLEANUP(buf_free) = BUF(OUTBOX_TEXT_MAX);
	uint32_t partitions = (uint32_t)settings->kafka_partitions;
	struct kafka_record record = event_record(settings, row);
	enum status status = ST_OK;

	if (!read_crowd(row->target, &crowd))
		return ST_INVALID;
	for (uint32_t i = 0; i < partitions && status == ST_OK; i++) {
		write_key(&key, &crowd, i, partitions);
		record.partition = (int32_t)i;
		record.key = buf_span(&key);
		if (key.len)
			status = send(context, &record);
	}
	return status;
}

static enum status to_room(const struct settings *settings,
                           const struct outbox_row *row,
                           outbox_records_send *send, void *context)
{
	struct kafka_record record = event_record(settings, row);
	struct buf seq CLEANUP(buf_free) = BUF(SEQ_MAX);
	struct event_room room;
	enum status status = ST_OK;

	if (!event_room_parse(row->room, &room))
		return ST_INVALID;
	buf_number(&seq, room.seq);
	record.more = (struct kafka_header){EVENT_SEQ_HEADER, buf_span(&seq)};
	record.key = row->target;
	for (uint64_t i = 0; i < settings->kafka_partitions && status == ST_OK;
	     i++) {
		record.partition = (int32_t)i;
		status = send(context, &record);
	}
	return status;
}

enum status outbox_records_each(const struct settings *settings,
                                const struct outbox_row *row,
                                outbox_records_send *send, void *context)
{
	struct kafka_record record = {.topic = settings->topic_save,
	                              .partition = KAFKA_BY_KEY,
	                              .key = row->target,
	                              .value = row->body};
	uint64_t conversation;

	if (row->kind == OUTBOX_SAVE)
		return send(context, &record);
	if (row->kind != OUTBOX_EVENT)
		return ST_INVALID;
	if (event_key_is_room(row->target, &conversation))
		return to_room(settings, row, send, context);
	return to_users(settings, row, send, context);
}
