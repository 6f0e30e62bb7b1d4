#include "persistence-service/save/publisher.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "common/wire/event.h"
#include "common/wire/frame.h"
#include "persistence-service/outbox_records.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/save/batch/inflight_batch.h"
#include "persistence-service/save/conversation/roster.h"

#include <assert.h>
#include <poll.h>
#include <utlist.h>

enum {
	QUEUE_MAX_KIB = 64 * 1024,
	BUSY_WAIT_MS = 20,
	POLL_BUDGET = 1000,
	KEY_MAX = 64 * 1024, /* of a roster's users in one partition */
	SEQ_MAX = 32,
	REASON_MAX = 512,
	WHY_MAX = 512,
};

static const struct kafka_header no_header = {0};

struct publisher {
	struct kafka_producer *producer;
	struct inflight_batches *inflight;
	const struct settings *settings;
	unsigned places[PENDING_EVENTS_MAX]; /* of a batch's pending events */
	struct buf key;
	struct buf seq;
	struct buf frame;
	struct buf reason;
	enum status broken; /* Kafka's status for a record */
	struct buf why;
	uint64_t refused; /* events, since the last line about them */
	uint64_t refused_log_ms;
};

/* --- what Kafka does not accept ------------------------------------------ */
/*
 * The topic never accepts this event. The message is saved, and its recipients
 * find it in the history: docs/adr/0017. A line a second is enough.
 */
static void log_refused_event(struct publisher *p,
                              const struct kafka_report *report)
{
	uint64_t now_ms = clock_mono_ms();

	persistence_metrics_event_refused();
	p->refused++;
	if (now_ms < p->refused_log_ms)
		return;
	log_event(LOG_ERROR, "event.refused", F_TEXT("topic", report->topic),
	          F_TEXT("why", report->error),
	          F_NUMBER("bytes", report->bytes),
	          F_NUMBER("refused", p->refused));
	p->refused = 0;
	p->refused_log_ms = now_ms + 1000;
}

/* record.dead has named the record, which stays in message_save for a while. */
static void log_lost_letter(const struct kafka_report *report)
{
	persistence_metrics_event_refused();
	log_event(LOG_ERROR, "dead_letter.refused",
	          F_TEXT("topic", report->topic), F_TEXT("why", report->error),
	          F_NUMBER("bytes", report->bytes));
}

static void give_up(struct publisher *p, const struct kafka_report *report,
                    bool refused)
{
	if (p->broken != ST_OK)
		return;
	p->broken = report->status;
	buf_clear(&p->why);
	buf_format(&p->why, "topic %s: %s", report->topic, report->error);
	log_event(refused ? LOG_ERROR : LOG_WARN,
	          refused ? "topic.refused" : "events.uncertain",
	          F_TEXT("topic", report->topic), F_TEXT("why", report->error));
}

static void on_delivered(void *context, const struct kafka_report *report)
{
	struct publisher *p = context;
	enum kafka_verdict verdict = kafka_verdict(report->status);
	bool letter = !strcmp(report->topic, p->settings->topic_dlq);

	if (letter && (verdict == KAFKA_RECORD_REFUSED ||
	               verdict == KAFKA_TOPIC_REFUSED)) {
		log_lost_letter(report);
	} else if (verdict == KAFKA_RECORD_REFUSED) {
		log_refused_event(p, report);
	} else if (verdict != KAFKA_ACCEPTED) {
		give_up(p, report, verdict == KAFKA_TOPIC_REFUSED);
		return;
	}
	inflight_batches_record_confirmed(p->inflight, report->tag);
}

enum status publisher_create(const struct settings *settings,
                             struct kafka_group *group,
                             struct outbox_publisher *outbox_publisher,
                             struct publisher **ret_publisher)
{
	struct publisher *p CLEANUP(publisher_destroy) = mem_new(sizeof(*p));
	struct kafka_producer_options options = {
		.common = settings_kafka(settings),
		.queue_max_kib = QUEUE_MAX_KIB,
		.timeout_ms = 0,
		.delivered = on_delivered,
		.context = p,
	};
	enum status status = kafka_producer_create(&options, &p->producer);

	if (status != ST_OK)
		return status;
	p->inflight = inflight_batches_create(group, outbox_publisher);
	p->settings = settings;
	p->key = BUF(KEY_MAX);
	p->seq = BUF(SEQ_MAX);
	p->frame = BUF(FRAME_OUT_MAX);
	p->reason = BUF(REASON_MAX);
	p->why = BUF(WHY_MAX);
	p->broken = ST_OK;
	*ret_publisher = MOVE(p);
	return ST_OK;
}

void publisher_destroy(struct publisher **publisher)
{
	struct publisher *p = *publisher;

	if (!p)
		return;
	kafka_producer_destroy(&p->producer);
	inflight_batches_destroy(&p->inflight);
	buf_free(&p->key);
	buf_free(&p->seq);
	buf_free(&p->frame);
	buf_free(&p->reason);
	buf_free(&p->why);
	mem_free(publisher);
}

/* --- one record ---------------------------------------------------------- */
static void produce(struct publisher *p, const struct kafka_record *record,
                    uint64_t number)
{
	enum status status;

	if (p->broken != ST_OK)
		return; /* the batch is saved and sent again */
	inflight_batches_record_sent(p->inflight, number);
	for (;;) {
		status = kafka_produce(p->producer, record, number);
		if (status != ST_BUSY)
			break;
		kafka_producer_flush(p->producer, BUSY_WAIT_MS);
	}
	if (status != ST_OK)
		on_delivered(p, &(struct kafka_report){
					.tag = number,
					.status = status,
					.error = status_text(status),
					.topic = record->topic,
					.bytes = record->key.len +
		                                 record->value.len +
		                                 record->header.value.len,
				});
}

static uint32_t partition_of(const struct publisher *p, uint64_t user)
{
	return event_partition(user, (uint32_t)p->settings->kafka_partitions);
}

static void send_event(struct publisher *p, struct span key,
                       struct kafka_header header, struct kafka_header more,
                       int32_t partition, uint64_t number)
{
	struct kafka_record record = {
		.topic = p->settings->topic_events,
		.partition = partition,
		.key = key,
		.value = buf_span(&p->frame),
		.header = header,
		.more = more,
	};

	assert(!buf_overflowed(&p->key) && !buf_overflowed(&p->frame));
	produce(p, &record, number);
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
static void send_to(struct publisher *p, struct kafka_header header,
                    uint64_t user, uint64_t other, uint64_t number)
{
	buf_clear(&p->key);
	event_key_add(&p->key, user);
	if (other)
		event_key_add(&p->key, other);
	send_event(p, buf_span(&p->key), header, no_header,
	           (int32_t)partition_of(p, user), number);
}

/* For an entry that some members, who joined later, do not see. */
static void send_to_viewers(struct publisher *p, struct kafka_header header,
                            const struct roster *roster, uint64_t seq,
                            uint64_t number)
{
	uint32_t partitions = (uint32_t)p->settings->kafka_partitions;

	for (uint32_t i = 0; i < partitions; i++) {
		buf_clear(&p->key);
		roster_key(roster, i, partitions, seq, &p->key);
		if (p->key.len)
			send_event(p, buf_span(&p->key), header, no_header,
			           (int32_t)i, number);
	}
}

/* Sends an event of the entry `seq` to all members who see this entry. */
static void send_to_members(struct publisher *p, struct kafka_header header,
                            const struct roster *roster, uint64_t seq,
                            uint64_t number)
{
	struct kafka_header more = no_header;

	if (roster->large) {
		buf_clear(&p->seq);
		buf_number(&p->seq, seq);
		more = (struct kafka_header){EVENT_SEQ_HEADER,
		                             buf_span(&p->seq)};
	} else if (seq <= roster->newest_from) {
		send_to_viewers(p, header, roster, seq, number);
		return;
	}
	for (unsigned i = 0; i < roster->target_count; i++)
		send_event(p, roster->targets[i].key, header, more,
		           roster->targets[i].partition, number);
}

static void send_to_pair(struct publisher *p, struct kafka_header header,
                         uint64_t from, uint64_t to, uint64_t number)
{
	if (from == to) {
		send_to(p, header, to, 0, number);
	} else if (partition_of(p, from) == partition_of(p, to)) {
		send_to(p, header, to, from, number);
	} else {
		send_to(p, header, to, 0, number);
		send_to(p, header, from, 0, number);
	}
}

/* --- the events of an outcome -------------------------------------------- */
/* A group that was deleted meanwhile has neither roster nor user_to. */
static void send_message(struct publisher *p, const struct batch_entry *entry,
                         uint64_t number)
{
	struct kafka_header origin = origin_of(entry, EVENT_ORIGIN_HEADER);

	buf_clear(&p->frame);
	frame_message(&p->frame, &entry->saved);
	if (entry->roster)
		send_to_members(p, origin, entry->roster, entry->saved.seq,
		                number);
	else if (entry->sender_only)
		send_to(p, origin, entry->saved.user_from, 0, number);
	else if (entry->saved.user_to)
		send_to_pair(p, origin, entry->saved.user_from,
		             entry->saved.user_to, number);
}

/*
 * A duplicate edit that a later edit replaced has no text: only the sender gets
 * an answer.
 */
static void send_change(struct publisher *p, const struct batch_entry *entry,
                        uint64_t number)
{
	const struct saved_change *change = &entry->change;
	bool replaced = change->kind == CLIENT_EDIT && change->message.len == 0;

	buf_clear(&p->frame);
	frame_change(&p->frame, change);
	if (entry->roster && !replaced)
		send_to_members(p, origin_of(entry, EVENT_ORIGIN_HEADER),
		                entry->roster, change->seq, number);
	buf_clear(&p->frame);
	frame_change_saved(&p->frame, change);
	send_to(p, origin_of(entry, EVENT_SETTLES_HEADER), change->user, 0,
	        number);
}

/*
 * In a large conversation, and when the other user blocks the reader, only the
 * reader's own sockets get the receipt.
 */
static void send_receipt(struct publisher *p, const struct batch_entry *entry,
                         uint64_t number)
{
	buf_clear(&p->frame);
	frame_receipt(&p->frame, &entry->receipt);
	if (!entry->roster || entry->roster->large || entry->sender_only)
		send_to(p, no_header, entry->receipt.user, 0, number);
	else
		send_to_members(p, no_header, entry->roster, UINT64_MAX,
		                number);
}

/* The frame is empty: the answer is in the header. */
static void send_block_change(struct publisher *p, struct kafka_header header,
                              uint64_t user, uint64_t number)
{
	buf_clear(&p->frame);
	buf_clear(&p->key);
	event_key_add(&p->key, user);
	send_event(p, buf_span(&p->key), header, no_header,
	           (int32_t)partition_of(p, user), number);
}

/* Both users have to be told: typing reaches neither of them. */
static void send_block(struct publisher *p, const struct batch_entry *entry,
                       uint64_t number)
{
	const struct save_record *record = &entry->record;
	struct kafka_header blocker = {EVENT_BLOCKER_HEADER, entry->answer};
	struct kafka_header blocked = {.name = EVENT_BLOCKED_HEADER};

	send_block_change(p, blocker, record->user_to, number);
	buf_clear(&p->seq);
	buf_byte(&p->seq, *entry->answer.data);
	buf_number(&p->seq, record->user_to);
	blocked.value = buf_span(&p->seq);
	send_block_change(p, blocked, record->sender, number);
}

static void send_notification(struct publisher *p,
                              const struct batch_entry *entry, uint64_t number)
{
	if (save_kind_is_receipt(entry->record.kind))
		send_receipt(p, entry, number);
	else
		send_block(p, entry, number);
}

static void send_refusal(struct publisher *p, const struct batch_entry *entry,
                         enum frame_code code, uint64_t number)
{
	buf_clear(&p->frame);
	if (save_kind_has(entry->record.kind, SAVE_HAS_UUID))
		frame_state_error(&p->frame, &entry->record.uuid, code,
		                  entry->why);
	else
		frame_error_in(&p->frame, entry->record.conversation, code,
		               entry->why);
	send_to(p, origin_of(entry, EVENT_SETTLES_HEADER), entry->record.sender,
	        0, number);
}

/* --- dead letters -------------------------------------------------------- */
static void dead_letter(struct publisher *p, const struct batch_entry *entry,
                        uint64_t number)
{
	int32_t partition = kafka_message_partition(entry->message);
	int64_t offset = kafka_message_offset(entry->message);
	struct kafka_record record = {
		.topic = p->settings->topic_dlq,
		.partition = KAFKA_BY_KEY,
		.key = kafka_message_key(entry->message),
		.value = kafka_message_value(entry->message),
	};

	log_event(LOG_ERROR, "record.dead", F_TEXT("why", entry->why),
	          F_NUMBER("partition", (uint64_t)partition),
	          F_NUMBER("offset", (uint64_t)offset));
	buf_clear(&p->reason);
	buf_format(&p->reason, "%s (%s, partition %d, offset %lld)", entry->why,
	           p->settings->topic_save, (int)partition, (long long)offset);
	record.header = (struct kafka_header){"reason", buf_span(&p->reason)};
	produce(p, &record, number);
	if (entry->identified)
		send_refusal(p, entry, FRAME_NOT_STORABLE, number);
}

/* --- batches ------------------------------------------------------------- */
static void send_result(struct publisher *p, const struct batch_entry *entry,
                        uint64_t number)
{
	if (entry->record.kind != SAVE_MESSAGE) {
		send_change(p, entry, number);
		return;
	}
	send_message(p, entry, number);
	FAULT_POINT("message_event.after");
	buf_clear(&p->frame);
	frame_saved(&p->frame, &entry->saved);
	send_to(p, origin_of(entry, EVENT_SETTLES_HEADER),
	        entry->saved.user_from, 0, number);
}

static void send_entry(struct publisher *p, const struct batch_entry *entry,
                       uint64_t number)
{
	switch (entry->outcome) {
	case OUTCOME_SAVED:
	case OUTCOME_DUPLICATE:
		send_result(p, entry, number);
		break;
	case OUTCOME_NOTIFIED:
		send_notification(p, entry, number);
		break;
	case OUTCOME_REFUSED:
		send_refusal(p, entry, entry->code, number);
		break;
	case OUTCOME_DEAD:
		dead_letter(p, entry, number);
		break;
	case OUTCOME_DONE:
		break;
	case OUTCOME_OPEN:
		assert(false);
	}
}

struct pending_event_context {
	struct publisher *publisher;
	uint64_t number;
};

static enum status send_pending_record(void *context,
                                       const struct kafka_record *record)
{
	struct pending_event_context *to = context;

	produce(to->publisher, record, to->number);
	return ST_OK;
}

/* A row that can never be sent must not hold up the others. */
static void log_poison_row(uint64_t id, const char *why)
{
	persistence_metrics_event_refused();
	log_event(LOG_ERROR, "outbox.poison_row", F_NUMBER("id", id),
	          F_TEXT("why", why));
}

static void send_pending_event(struct publisher *p,
                               const struct pending_outbox_event *event,
                               uint64_t number)
{
	struct pending_event_context to = {p, number};

	inflight_batches_row_sent(p->inflight, number, event->row.id);
	if (outbox_records_each(p->settings, &event->row, send_pending_record,
	                        &to) != ST_OK)
		log_poison_row(event->row.id, "it is malformed");
	FAULT_POINT("pending_event.after");
}

static void find_places(struct publisher *p, const struct batch *batch)
{
	const struct pending_outbox_event *event;
	unsigned count = 0;

	LL_FOREACH (batch->pending_events, event)
		p->places[count++] = batch_place_of(batch, event);
}

/* Those whose place is before the entry `at`; of a conversation, by seq. */
static void send_pending_events(struct publisher *p, const struct batch *batch,
                                unsigned at, uint64_t number)
{
	const struct pending_outbox_event *event;
	unsigned i = 0;

	LL_FOREACH (batch->pending_events, event)
		if (p->places[i++] == at)
			send_pending_event(p, event, number);
}

void publisher_send(struct publisher *p, const struct batch *batch)
{
	uint64_t number = inflight_batches_open(p->inflight, batch);

	find_places(p, batch);
	for (unsigned i = 0; i < batch->count; i++) {
		send_pending_events(p, batch, i, number);
		send_entry(p, &batch->entries[i], number);
	}
	send_pending_events(p, batch, batch->count, number);
	inflight_batches_close(p->inflight, number);
}

void publisher_send_pending(struct publisher *p, const struct batch *batch)
{
	uint64_t number = inflight_batches_open(p->inflight, NULL);
	const struct pending_outbox_event *event;

	LL_FOREACH (batch->pending_events, event)
		send_pending_event(p, event, number);
	inflight_batches_close(p->inflight, number);
}

enum status publisher_poll(struct publisher *p)
{
	while (kafka_producer_poll(p->producer, POLL_BUDGET) == POLL_BUDGET)
		;
	if (p->broken == ST_OK)
		inflight_batches_mark_done(p->inflight);
	return p->broken;
}

enum status publisher_wait(struct publisher *p, unsigned wait_ms)
{
	struct pollfd fd = {.fd = kafka_producer_fd(p->producer),
	                    .events = POLLIN};

	(void)poll(&fd, 1, (int)wait_ms);
	return publisher_poll(p);
}

const char *publisher_why(struct publisher *p)
{
	return buf_text(&p->why);
}

bool publisher_full(const struct publisher *p)
{
	return inflight_batches_count(p->inflight) == INFLIGHT_BATCHES_MAX;
}

bool publisher_idle(const struct publisher *p)
{
	return inflight_batches_count(p->inflight) == 0;
}

unsigned publisher_in_flight(const struct publisher *p)
{
	return inflight_batches_count(p->inflight);
}

uint64_t publisher_waiting_ms(const struct publisher *p)
{
	uint64_t oldest_ms = inflight_batches_oldest_ms(p->inflight);

	return oldest_ms ? clock_mono_ms() - oldest_ms : 0;
}
