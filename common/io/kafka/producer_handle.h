/*
 * producer_handle - one producer of librdkafka, with its topics and the queue
 * of its reports. A kafka_producer opens another one when this one is dead.
 *
 * Ownership  part of the producer; the names of topics survive a close.
 * Threads    the producer's.
 */
#ifndef PARLEY_IO_KAFKA_PRODUCER_HANDLE_H
#define PARLEY_IO_KAFKA_PRODUCER_HANDLE_H

#include "common/io/kafka/private.h"

enum { KAFKA_TOPICS_MAX = 8 };

struct producer_handle {
	/* Set before the first open. */
	struct kafka_sink sink;
	char *brokers;
	char *client_id;
	unsigned queue_max_kib;
	unsigned timeout_ms;

	rd_kafka_t *handle; /* NULL: closed */
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *reports; /* the event being read */
	size_t reports_left;
	int wake_fd;
	char *topic_names[KAFKA_TOPICS_MAX];
	rd_kafka_topic_t *topics[KAFKA_TOPICS_MAX];
};

/* `alone`: each record goes in a request of its own. */
MUST_CHECK enum status producer_handle_open(struct producer_handle *h,
                                            bool alone);
void producer_handle_close(struct producer_handle *h);
/* Closes it and frees what survives a close. */
void producer_handle_free(struct producer_handle *h);

bool producer_handle_is_fatal(const struct producer_handle *h);
/* NULL: librdkafka refuses the name. */
rd_kafka_topic_t *producer_handle_topic(struct producer_handle *h,
                                        const char *name);
/* The same text, which lives until producer_handle_free(). */
const char *producer_handle_topic_name(struct producer_handle *h,
                                       const char *name);
/* NULL when no report arrived within wait_ms. Logs other events. */
const rd_kafka_message_t *producer_handle_next_report(struct producer_handle *h,
                                                      unsigned wait_ms);
/* Lets go of the reports that were read. */
void producer_handle_drop_reports(struct producer_handle *h);

#endif
