#include "websocket-service/deliver/bus.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/io/kafka/watch.h"
#include "common/service/log.h"
#include "common/service/service.h"
#include "common/service/topic_settings.h"
#include "common/wire/save_record.h"
#include "websocket-service/gateway_metrics.h"

#include <stdio.h>
#include <uv.h>

enum {
	EVENTS_PER_TURN = 500,
	COST_PER_TURN = 8 * 1024 * 1024, /* see bus_events */
	REPORTS_PER_TURN = 2000,
	BEGIN_WAIT_MS = 1000,
	REFUSED_MS = 10000, /* not ready after the last refusal */
	WHY_MAX = 512,
	BEGIN_BACKOFF_MS = 200,
	BEGIN_BACKOFF_MAX_MS = 3000,
};

struct bus {
	const struct gateway_settings *settings;
	const struct bus_events *events;
	void *context;
	struct uv_loop_s *loop;
	uv_timer_t begin_later;
	uv_poll_t reports, arrivals;
	uv_idle_t more;         /* runs while events are left after a turn */
	uv_idle_t more_reports; /* the same for reports */
	struct kafka_producer *producer;
	struct kafka_reader *reader;
	struct kafka_watch *watch; /* once the bus has begun */
	unsigned tries;
	bool unchecked_logged;
	uint64_t unacknowledged_ms; /* the last record that was not; 0: none */
	/* A topic refuses records: the watch cannot tell. */
	bool refused;
	uint64_t refused_until_ms;
	struct topic_settings_logged logged;
};

static struct kafka_options options_of(const struct bus *bus)
{
	return (struct kafka_options){
		.brokers = bus->settings->kafka_brokers,
		.client_id = "websocket-service",
		.log = log_kafka,
	};
}

/* --- producing ----------------------------------------------------------- */

/* The topic refuses all records: only an operator can change that. */
static void note_refused(struct bus *bus, const char *topic, const char *error)
{
	uint64_t now_ms = clock_mono_ms();
	char why[WHY_MAX];

	if (now_ms >= bus->refused_until_ms)
		log_event(LOG_ERROR, "topic.refused", F_TEXT("topic", topic),
		          F_TEXT("why", error));
	bus->refused = true;
	bus->refused_until_ms = now_ms + REFUSED_MS;
	snprintf(why, sizeof(why), "topic %s: %s", topic, error);
	service_part("kafka", false, why);
}

static void on_delivered(void *context, const struct kafka_report *report)
{
	struct bus *bus = context;

	switch (kafka_verdict(report->status)) {
	case KAFKA_ACCEPTED:
		bus->unacknowledged_ms = 0;
		bus->refused = false;
		break;
	case KAFKA_PASSING:
		bus->unacknowledged_ms = clock_mono_ms();
		break;
	case KAFKA_RECORD_REFUSED:
		break;
	case KAFKA_TOPIC_REFUSED:
		note_refused(bus, report->topic, report->error);
	}
	bus->events->acknowledged(bus->context, report->tag, report->status);
}

static void on_more_reports(uv_idle_t *idle);

/* Polling empties the descriptor: what is left comes in the next turns. */
static void read_reports(struct bus *bus)
{
	if (kafka_producer_poll(bus->producer, REPORTS_PER_TURN) ==
	    REPORTS_PER_TURN)
		(void)uv_idle_start(&bus->more_reports, on_more_reports);
	else
		(void)uv_idle_stop(&bus->more_reports);
	metric_set(&gateway_metrics.kafka_pending,
	           kafka_producer_pending(bus->producer));
}

static void on_more_reports(uv_idle_t *idle)
{
	read_reports(idle->data);
}

static void on_reports(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_reports(poll->data);
}

static enum status start_producer(struct bus *bus)
{
	enum status st = kafka_producer_create(
		&(struct kafka_producer_options){
			.common = options_of(bus),
			.queue_max_kib =
				(unsigned)bus->settings->kafka_queue_kib,
			.timeout_ms = (unsigned)bus->settings->kafka_timeout_ms,
			.delivered = on_delivered,
			.context = bus,
		},
		&bus->producer);

	if (st != ST_OK)
		return st;
	(void)uv_poll_init(bus->loop, &bus->reports,
	                   kafka_producer_fd(bus->producer));
	bus->reports.data = bus;
	(void)uv_poll_start(&bus->reports, UV_READABLE, on_reports);
	return ST_OK;
}

/* --- reading ------------------------------------------------------------- */

static void on_more(uv_idle_t *idle);

/*
 * Reads at most EVENTS_PER_TURN, so that sockets are served in between, and
 * fewer events of large rooms, so that send buffers and turns stay small.
 */
static void read_events(struct bus *bus)
{
	size_t cost = 0;

	for (unsigned i = 0; i < EVENTS_PER_TURN && cost < COST_PER_TURN; i++) {
		struct kafka_message *event CLEANUP(kafka_message_destroy) =
			NULL;
		size_t rest = bus->events->rest(bus->context);
		enum status st;

		if (rest) {
			cost += rest;
			continue;
		}
		st = kafka_reader_poll(bus->reader, &event);
		if (st == ST_OK) {
			cost += bus->events->event(bus->context, event);
		} else if (st == ST_UNCERTAIN) {
			log_event(LOG_ERROR, "events.lost");
			bus->events->lost(bus->context);
		} else {
			(void)uv_idle_stop(&bus->more);
			return;
		}
	}
	(void)uv_idle_start(&bus->more, on_more);
}

static void on_more(uv_idle_t *idle)
{
	read_events(idle->data);
}

static void on_arrivals(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_events(poll->data);
}

static enum status start_reader(struct bus *bus)
{
	struct kafka_reader_options options = {
		.common = options_of(bus),
		.topic = bus->settings->topic_events,
		.partitions = (unsigned)bus->settings->kafka_partitions,
	};
	enum status st;

	(void)gateway_shard(bus->settings, &options.shard, &options.shards);
	st = kafka_reader_create(&options, BEGIN_WAIT_MS, &bus->reader);
	if (st != ST_OK)
		return st;
	(void)uv_poll_init(bus->loop, &bus->arrivals,
	                   kafka_reader_fd(bus->reader));
	bus->arrivals.data = bus;
	(void)uv_poll_start(&bus->arrivals, UV_READABLE, on_arrivals);
	return ST_OK;
}

/* --- start --------------------------------------------------------------- */

/* Otherwise the first record would wait up to a second for its topic. */
static enum status ask_topic(struct bus *bus, unsigned wait_ms)
{
	return kafka_producer_load_metadata(bus->producer,
	                                    bus->settings->topic_save, wait_ms);
}

static enum status check_topics(struct bus *bus, char why[WHY_MAX])
{
	const struct gateway_settings *settings = bus->settings;
	unsigned partitions = (unsigned)settings->kafka_partitions;
	struct kafka_options options = options_of(bus);
	const struct kafka_topic_needs needs[] = {
		{settings->topic_save, partitions, SAVE_RETENTION_MIN_MS},
		{settings->topic_events, partitions, 0},
	};
	const char *unchecked;
	enum status st =
		kafka_topics_check(&options, needs, ARRAY_LEN(needs),
	                           BEGIN_WAIT_MS, &unchecked, why, WHY_MAX);

	if (st == ST_OK && unchecked && !bus->unchecked_logged) {
		log_event(LOG_WARN, "topic.unchecked",
		          F_TEXT("topic", unchecked));
		bus->unchecked_logged = true;
	}
	return st;
}

static enum status start_watch(struct bus *bus)
{
	struct kafka_options options = options_of(bus);
	const struct kafka_watch_topic topics[] = {
		{bus->settings->topic_save, true, SAVE_RETENTION_MIN_MS},
		{bus->settings->topic_events, false, 0},
	};

	return kafka_watch_start(&options, topics, ARRAY_LEN(topics),
	                         &bus->watch);
}

/* Blocks for up to 3 × BEGIN_WAIT_MS: no socket is open yet. */
static void begin(uv_timer_t *timer)
{
	struct bus *bus = timer->data;
	char why[WHY_MAX] = "";
	enum status st = bus->reader ? ST_OK : check_topics(bus, why);

	if (st == ST_OK && !bus->reader)
		st = start_reader(bus);
	if (st == ST_OK)
		st = ask_topic(bus, BEGIN_WAIT_MS);
	if (st == ST_OK)
		st = start_watch(bus);
	if (st == ST_OK) {
		service_part("kafka", true, NULL);
		bus->events->ready(bus->context);
		return;
	}
	if (!*why)
		snprintf(why, sizeof(why), "the topics are not readable: %s",
		         status_text(st));
	service_part("kafka", false, why);
	(void)uv_timer_start(&bus->begin_later, begin,
	                     1 + backoff_ms(bus->tries++, BEGIN_BACKOFF_MS,
	                                    BEGIN_BACKOFF_MAX_MS),
	                     0);
}

enum status bus_create(struct uv_loop_s *loop,
                       const struct gateway_settings *settings,
                       const struct bus_events *events, void *context,
                       struct bus **ret_bus)
{
	struct bus *bus = mem_new(sizeof(*bus));

	*ret_bus = bus;
	bus->settings = settings;
	bus->events = events;
	bus->context = context;
	bus->loop = loop;
	(void)uv_timer_init(loop, &bus->begin_later);
	(void)uv_idle_init(loop, &bus->more);
	(void)uv_idle_init(loop, &bus->more_reports);
	bus->begin_later.data = bus;
	bus->more.data = bus;
	bus->more_reports.data = bus;
	service_part_add("kafka");
	(void)uv_timer_start(&bus->begin_later, begin, 0, 0);
	return start_producer(bus);
}

void bus_drain(struct bus *bus)
{
	(void)uv_timer_stop(&bus->begin_later);
}

void bus_close(struct bus *bus)
{
	uv_close((uv_handle_t *)&bus->begin_later, NULL);
	uv_close((uv_handle_t *)&bus->more, NULL);
	uv_close((uv_handle_t *)&bus->more_reports, NULL);
	if (bus->producer)
		uv_close((uv_handle_t *)&bus->reports, NULL);
	if (bus->reader)
		uv_close((uv_handle_t *)&bus->arrivals, NULL);
}

void bus_destroy(struct bus **bus)
{
	if (!*bus)
		return;
	kafka_watch_stop(&(*bus)->watch);
	kafka_reader_destroy(&(*bus)->reader);
	kafka_producer_destroy(&(*bus)->producer);
	mem_free(bus);
}

struct kafka_producer *bus_producer(const struct bus *bus)
{
	return bus->producer;
}

/*
 * A record that was not acknowledged counts until another one is, or until
 * Kafka has given a good answer to a later question.
 */
static void report_readiness(struct bus *bus)
{
	struct kafka_watch_state kafka;
	const char *topic;
	enum status refusal =
		kafka_producer_take_refusal(bus->producer, &topic);

	if (refusal != ST_OK)
		note_refused(bus, topic, status_text(refusal));
	kafka_watch_read(bus->watch, &kafka);
	metric_set(&gateway_metrics.kafka_checks, kafka.asked);
	metric_set(&gateway_metrics.kafka_checks_failed, kafka.failed);
	metric_set(&gateway_metrics.topics_unfit, *kafka.unfit ? 1 : 0);
	topic_settings_log(&bus->logged, kafka.unfit);
	if (bus->refused && clock_mono_ms() < bus->refused_until_ms)
		return;
	if (*kafka.why)
		service_part("kafka", false, kafka.why);
	else if (bus->unacknowledged_ms > kafka.good_ms)
		service_part("kafka", false, "records are not acknowledged");
	else
		service_part("kafka", true, NULL);
}

void bus_tick(struct bus *bus)
{
	metric_set(&gateway_metrics.kafka_producer_rebuilt,
	           kafka_producer_rebuilt(bus->producer));
	if (bus->reader)
		metric_set(&gateway_metrics.events_lag,
		           (uint64_t)kafka_reader_lag(bus->reader));
	if (bus->watch)
		report_readiness(bus);
}
