#include "persistence-service/save/publisher.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "common/service/log.h"
#include "persistence-service/outbox_records.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/save/batch/inflight_batch.h"
#include "persistence-service/save/entry_events.h"

#include <poll.h>
#include <utlist.h>

enum {
	QUEUE_MAX_KIB = 64 * 1024,
	BUSY_WAIT_MS = 20,
	POLL_BUDGET = 1000,
	WHY_MAX = 512,
};

struct publisher {
	struct kafka_producer *producer;
	struct inflight_batches *inflight;
	const struct settings *settings;
	unsigned places[PENDING_EVENTS_MAX]; /* of a batch's pending events */
	struct entry_events *events;
	uint64_t number;    /* of the batch that is being sent */
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

/* --- one record ---------------------------------------------------------- */
static void produce(void *context, const struct kafka_record *record)
{
	struct publisher *p = context;
	enum status status;

	if (p->broken != ST_OK)
		return; /* the batch is saved and sent again */
	inflight_batches_record_sent(p->inflight, p->number);
	for (;;) {
		status = kafka_produce(p->producer, record, p->number);
		if (status != ST_BUSY)
			break;
		kafka_producer_flush(p->producer, BUSY_WAIT_MS);
	}
	if (status != ST_OK)
		on_delivered(p, &(struct kafka_report){
					.tag = p->number,
					.status = status,
					.error = status_text(status),
					.topic = record->topic,
					.bytes = record->key.len +
		                                 record->value.len +
		                                 record->header.value.len,
				});
}

/* --- start and stop ------------------------------------------------------ */
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
	p->events = entry_events_create(settings, produce, p);
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
	entry_events_destroy(&p->events);
	buf_free(&p->why);
	mem_free(publisher);
}

/* --- batches ------------------------------------------------------------- */
static enum status send_pending_record(void *context,
                                       const struct kafka_record *record)
{
	produce(context, record);
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
                               const struct pending_outbox_event *event)
{
	inflight_batches_row_sent(p->inflight, p->number, event->row.id);
	if (outbox_records_each(p->settings, &event->row, send_pending_record,
	                        p) != ST_OK)
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
                                unsigned at)
{
	const struct pending_outbox_event *event;
	unsigned i = 0;

	LL_FOREACH (batch->pending_events, event)
		if (p->places[i++] == at)
			send_pending_event(p, event);
}

void publisher_send(struct publisher *p, const struct batch *batch)
{
	p->number = inflight_batches_open(p->inflight, batch);
	find_places(p, batch);
	for (unsigned i = 0; i < batch->count; i++) {
		send_pending_events(p, batch, i);
		entry_events_send(p->events, &batch->entries[i]);
	}
	send_pending_events(p, batch, batch->count);
	inflight_batches_close(p->inflight, p->number);
}

void publisher_send_pending(struct publisher *p, const struct batch *batch)
{
	const struct pending_outbox_event *event;

	p->number = inflight_batches_open(p->inflight, NULL);
	LL_FOREACH (batch->pending_events, event)
		send_pending_event(p, event);
	inflight_batches_close(p->inflight, p->number);
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
