#include "persistence-service/save/entry_events.h"

#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/event.h"
#include "common/wire/frame.h"
#include "persistence-service/save/conversation/roster.h"

#include <assert.h>

enum {
	KEY_MAX = 64 * 1024, /* of a roster's users in one partition */
	SEQ_MAX = 32,
	REASON_MAX = 512,
};

static const struct kafka_header no_header = {0};

struct entry_events {
	const struct settings *settings;
	entry_events_produce *produce;
	void *context;
	struct buf key;
	struct buf seq;
	struct buf frame;
	struct buf reason;
};

struct entry_events *entry_events_create(const struct settings *settings,
                                         entry_events_produce *produce,
                                         void *context)
{
	struct entry_events *e = mem_new(sizeof(*e));

	e->settings = settings;
	e->produce = produce;
	e->context = context;
	e->key = BUF(KEY_MAX);
	e->seq = BUF(SEQ_MAX);
	e->frame = BUF(FRAME_OUT_MAX);
	e->reason = BUF(REASON_MAX);
	return e;
}

void entry_events_destroy(struct entry_events **events)
{
	struct entry_events *e = *events;

	if (!e)
		return;
	buf_free(&e->key);
	buf_free(&e->seq);
	buf_free(&e->frame);
	buf_free(&e->reason);
	mem_free(events);
}

/* --- one record ---------------------------------------------------------- */
static uint32_t partition_of(const struct entry_events *e, uint64_t user)
{
	return event_partition(user, (uint32_t)e->settings->kafka_partitions);
}

static void send_event(struct entry_events *e, struct span key,
                       struct kafka_header header, struct kafka_header more,
                       int32_t partition)
{
	struct kafka_record record = {
		.topic = e->settings->topic_events,
		.partition = partition,
		.key = key,
		.value = buf_span(&e->frame),
		.header = header,
		.more = more,
	};

	assert(!buf_overflowed(&e->key) && !buf_overflowed(&e->frame));
	e->produce(e->context, &record);
}

/* Passes the save record's origin on, under the header name of its purpose. */
static struct kafka_header origin_of(const struct batch_entry *entry,
                                     const char *name)
{
	return (struct kafka_header){
		name,
		kafka_message_header(entry->message, EVENT_ORIGIN_HEADER)};
}

/* Sends the frame to one user, or to two users of the same partition. */
static void send_to(struct entry_events *e, struct kafka_header header,
                    uint64_t user, uint64_t other)
{
	buf_clear(&e->key);
	event_key_add(&e->key, user);
	if (other)
		event_key_add(&e->key, other);
	send_event(e, buf_span(&e->key), header, no_header,
	           (int32_t)partition_of(e, user));
}

/* For an entry that some members, who joined later, do not see. */
static void send_to_viewers(struct entry_events *e, struct kafka_header header,
                            const struct roster *roster, uint64_t seq)
{
	uint32_t partitions = (uint32_t)e->settings->kafka_partitions;

	for (uint32_t i = 0; i < partitions; i++) {
		buf_clear(&e->key);
		roster_key(roster, i, partitions, seq, &e->key);
		if (e->key.len)
			send_event(e, buf_span(&e->key), header, no_header,
			           (int32_t)i);
	}
}

/* Sends an event of the entry `seq` to all members who see this entry. */
static void send_to_members(struct entry_events *e, struct kafka_header header,
                            const struct roster *roster, uint64_t seq)
{
	struct kafka_header more = no_header;

	if (roster->large) {
		buf_clear(&e->seq);
		buf_number(&e->seq, seq);
		more = (struct kafka_header){EVENT_SEQ_HEADER,
		                             buf_span(&e->seq)};
	} else if (seq <= roster->newest_from) {
		send_to_viewers(e, header, roster, seq);
		return;
	}
	for (unsigned i = 0; i < roster->target_count; i++)
		send_event(e, roster->targets[i].key, header, more,
		           roster->targets[i].partition);
}

static void send_to_pair(struct entry_events *e, struct kafka_header header,
                         uint64_t from, uint64_t to)
{
	if (from == to) {
		send_to(e, header, to, 0);
	} else if (partition_of(e, from) == partition_of(e, to)) {
		send_to(e, header, to, from);
	} else {
		send_to(e, header, to, 0);
		send_to(e, header, from, 0);
	}
}

/* --- the events of an outcome -------------------------------------------- */
/* A group that was deleted meanwhile has neither roster nor user_to. */
static void send_message(struct entry_events *e,
                         const struct batch_entry *entry)
{
	struct kafka_header origin = origin_of(entry, EVENT_ORIGIN_HEADER);

	buf_clear(&e->frame);
	frame_message(&e->frame, &entry->saved);
	if (entry->roster)
		send_to_members(e, origin, entry->roster, entry->saved.seq);
	else if (entry->sender_only)
		send_to(e, origin, entry->saved.user_from, 0);
	else if (entry->saved.user_to)
		send_to_pair(e, origin, entry->saved.user_from,
		             entry->saved.user_to);
}

/*
 * A duplicate edit that a later edit replaced has no text: only the sender gets
 * an answer.
 */
static void send_change(struct entry_events *e, const struct batch_entry *entry)
{
	const struct saved_change *change = &entry->change;
	bool replaced = change->kind == CLIENT_EDIT && change->message.len == 0;

	buf_clear(&e->frame);
	frame_change(&e->frame, change);
	if (entry->roster && !replaced)
		send_to_members(e, origin_of(entry, EVENT_ORIGIN_HEADER),
		                entry->roster, change->seq);
	buf_clear(&e->frame);
	frame_change_saved(&e->frame, change);
	send_to(e, origin_of(entry, EVENT_SETTLES_HEADER), change->user, 0);
}

/*
 * In a large conversation, and when the other user blocks the reader, only the
 * reader's own sockets get the receipt.
 */
static void send_receipt(struct entry_events *e,
                         const struct batch_entry *entry)
{
	buf_clear(&e->frame);
	frame_receipt(&e->frame, &entry->receipt);
	if (!entry->roster || entry->roster->large || entry->sender_only)
		send_to(e, no_header, entry->receipt.user, 0);
	else
		send_to_members(e, no_header, entry->roster, UINT64_MAX);
}

/* The frame is empty: the answer is in the header. */
static void send_block_change(struct entry_events *e,
                              struct kafka_header header, uint64_t user)
{
	buf_clear(&e->frame);
	buf_clear(&e->key);
	event_key_add(&e->key, user);
	send_event(e, buf_span(&e->key), header, no_header,
	           (int32_t)partition_of(e, user));
}

/* Both users have to be told: typing reaches neither of them. */
static void send_block(struct entry_events *e, const struct batch_entry *entry)
{
	const struct save_record *record = &entry->record;
	struct kafka_header blocker = {EVENT_BLOCKER_HEADER, entry->answer};
	struct kafka_header blocked = {.name = EVENT_BLOCKED_HEADER};

	send_block_change(e, blocker, record->user_to);
	buf_clear(&e->seq);
	buf_byte(&e->seq, *entry->answer.data);
	buf_number(&e->seq, record->user_to);
	blocked.value = buf_span(&e->seq);
	send_block_change(e, blocked, record->sender);
}

static void send_notification(struct entry_events *e,
                              const struct batch_entry *entry)
{
	if (save_kind_is_receipt(entry->record.kind))
		send_receipt(e, entry);
	else
		send_block(e, entry);
}

static void send_refusal(struct entry_events *e,
                         const struct batch_entry *entry, enum frame_code code)
{
	buf_clear(&e->frame);
	if (save_kind_has(entry->record.kind, SAVE_HAS_UUID))
		frame_state_error(&e->frame, &entry->record.uuid, code,
		                  entry->why);
	else
		frame_error_in(&e->frame, entry->record.conversation, code,
		               entry->why);
	send_to(e, origin_of(entry, EVENT_SETTLES_HEADER), entry->record.sender,
	        0);
}

/* --- dead letters -------------------------------------------------------- */
static void dead_letter(struct entry_events *e, const struct batch_entry *entry)
{
	int32_t partition = kafka_message_partition(entry->message);
	int64_t offset = kafka_message_offset(entry->message);
	struct kafka_record record = {
		.topic = e->settings->topic_dlq,
		.partition = KAFKA_BY_KEY,
		.key = kafka_message_key(entry->message),
		.value = kafka_message_value(entry->message),
	};

	log_event(LOG_ERROR, "record.dead", F_TEXT("why", entry->why),
	          F_NUMBER("partition", (uint64_t)partition),
	          F_NUMBER("offset", (uint64_t)offset));
	buf_clear(&e->reason);
	buf_format(&e->reason, "%s (%s, partition %d, offset %lld)", entry->why,
	           e->settings->topic_save, (int)partition, (long long)offset);
	record.header = (struct kafka_header){"reason", buf_span(&e->reason)};
	e->produce(e->context, &record);
	if (entry->identified)
		send_refusal(e, entry, FRAME_NOT_STORABLE);
}

/* --- batches ------------------------------------------------------------- */
static void send_result(struct entry_events *e, const struct batch_entry *entry)
{
	if (entry->record.kind != SAVE_MESSAGE) {
		send_change(e, entry);
		return;
	}
	send_message(e, entry);
	FAULT_POINT("message_event.after");
	buf_clear(&e->frame);
	frame_saved(&e->frame, &entry->saved);
	send_to(e, origin_of(entry, EVENT_SETTLES_HEADER),
	        entry->saved.user_from, 0);
}

void entry_events_send(struct entry_events *e, const struct batch_entry *entry)
{
	switch (entry->outcome) {
	case OUTCOME_SAVED:
	case OUTCOME_DUPLICATE:
		send_result(e, entry);
		break;
	case OUTCOME_NOTIFIED:
		send_notification(e, entry);
		break;
	case OUTCOME_REFUSED:
		send_refusal(e, entry, entry->code);
		break;
	case OUTCOME_DEAD:
		dead_letter(e, entry);
		break;
	case OUTCOME_DONE:
		break;
	case OUTCOME_OPEN:
		assert(false);
	}
}
