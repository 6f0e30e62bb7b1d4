#include "common/io/kafka/producer_handle.h"

#include "common/base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

/*
 * linger.ms 0: a record goes at once when no request is in flight; records
 * that arrive during a request share the next one. More than one request in
 * flight (the default is 5) costs broker and client more per record:
 * docs/adr/0008.
 */
static rd_kafka_conf_t *configure(struct producer_handle *h, bool alone)
{
	char kib[16], count[16], timeout[16], bytes[16];
	struct kafka_options options = {h->brokers, h->client_id, h->sink.log,
	                                h->sink.context};
	struct kafka_setting settings[] = {
		{"enable.idempotence", "true"},
		{"acks", "all"},
		{"linger.ms", "0"},
		{"max.in.flight.requests.per.connection", "1"},
		{"message.max.bytes", bytes},
		{"batch.size", bytes},
		{"batch.num.messages", alone ? "1" : "10000"},
		{"partitioner", "murmur2_random"},
		{"queue.buffering.max.kbytes", kib},
		{"queue.buffering.max.messages", count},
		{"message.timeout.ms", timeout},
		{NULL, NULL},
	};

	snprintf(kib, sizeof(kib), "%u", h->queue_max_kib);
	snprintf(count, sizeof(count), "%u", h->queue_max_kib * 16);
	snprintf(timeout, sizeof(timeout), "%u", h->timeout_ms);
	snprintf(bytes, sizeof(bytes), "%d", KAFKA_BATCH_MAX_BYTES);
	return kafka_conf_create(&options, &h->sink, settings);
}

enum status producer_handle_open(struct producer_handle *h, bool alone)
{
	rd_kafka_conf_t *conf = configure(h, alone);

	if (!conf)
		return ST_BROKEN;
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR |
	                                       RD_KAFKA_EVENT_ERROR |
	                                       RD_KAFKA_EVENT_LOG);
	h->handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf, &h->sink);
	if (!h->handle)
		return ST_BROKEN;
	h->queue = rd_kafka_queue_get_main(h->handle);
	rd_kafka_set_log_queue(h->handle, h->queue);
	kafka_wake_watch(h->wake_fd, h->queue);
	return ST_OK;
}

/* Until then the records of the event count towards the queue's bound. */
void producer_handle_drop_reports(struct producer_handle *h)
{
	if (h->reports)
		rd_kafka_event_destroy(h->reports);
	h->reports = NULL;
	h->reports_left = 0;
}

void producer_handle_close(struct producer_handle *h)
{
	if (!h->handle)
		return;
	producer_handle_drop_reports(h);
	rd_kafka_purge(h->handle,
	               RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	for (unsigned i = 0; i < KAFKA_TOPICS_MAX; i++) {
		if (h->topics[i])
			rd_kafka_topic_destroy(h->topics[i]);
		h->topics[i] = NULL;
	}
	rd_kafka_queue_io_event_enable(h->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(h->queue);
	rd_kafka_destroy(h->handle);
	h->handle = NULL;
}

static unsigned topic_number(struct producer_handle *h, const char *name)
{
	unsigned i = 0;

	while (i < KAFKA_TOPICS_MAX && h->topic_names[i] &&
	       strcmp(h->topic_names[i], name))
		i++;
	assert(i < KAFKA_TOPICS_MAX); /* topics are settings, not input */
	if (!h->topic_names[i])
		h->topic_names[i] = mem_text(name, strlen(name));
	return i;
}

rd_kafka_topic_t *producer_handle_topic(struct producer_handle *h,
                                        const char *name)
{
	unsigned i = topic_number(h, name);

	if (!h->topics[i])
		h->topics[i] = rd_kafka_topic_new(h->handle, name, NULL);
	return h->topics[i];
}

const char *producer_handle_topic_name(struct producer_handle *h,
                                       const char *name)
{
	return h->topic_names[topic_number(h, name)];
}

bool producer_handle_is_fatal(const struct producer_handle *h)
{
	return rd_kafka_fatal_error(h->handle, NULL, 0) !=
	       RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void log_event_of(struct producer_handle *h, rd_kafka_event_t *event)
{
	const char *facility, *text;
	int level;

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LOG) {
		if (!rd_kafka_event_log(event, &facility, &text, &level))
			kafka_sink_log(&h->sink, level, facility, text);
		return;
	}
	kafka_sink_log(&h->sink, LOG_ERR, "ERROR",
	               rd_kafka_event_error_string(event));
}

const rd_kafka_message_t *producer_handle_next_report(struct producer_handle *h,
                                                      unsigned wait_ms)
{
	rd_kafka_event_t *event;

	while (h->reports_left == 0) {
		producer_handle_drop_reports(h);
		event = rd_kafka_queue_poll(h->queue, (int)wait_ms);
		if (!event)
			return NULL;
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
			h->reports = event;
			h->reports_left = rd_kafka_event_message_count(event);
			continue;
		}
		log_event_of(h, event);
		rd_kafka_event_destroy(event);
	}
	h->reports_left--;
	return rd_kafka_event_message_next(h->reports);
}

void producer_handle_free(struct producer_handle *h)
{
	producer_handle_close(h);
	if (h->wake_fd >= 0)
		close(h->wake_fd);
	for (unsigned i = 0; i < KAFKA_TOPICS_MAX; i++)
		mem_free(&h->topic_names[i]);
	mem_free(&h->brokers);
	mem_free(&h->client_id);
}
