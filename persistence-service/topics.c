#include "persistence-service/topics.h"

#include "common/service/log.h"

#include <stdio.h>

enum { EXIT_SETTINGS = 100, EXIT_ENVIRONMENT = 111, INIT_WAIT_MS = 30000 };

#define HOUR_MS UINT64_C(3600000)

/*
 * message_save must outlive any outage of persistence-service; events only
 * matter to sockets that are open now.
 */
enum { SAVE_DAYS = 7, EVENT_HOURS = 1, DLQ_DAYS = 30 };

int topics_init(const void *context)
{
	const struct settings *s = context;
	struct kafka_options options = settings_kafka(s);
	unsigned partitions = (unsigned)s->kafka_partitions;
	unsigned copies = (unsigned)s->replication;
	const struct kafka_topic topics[] = {
		{s->topic_save, partitions, copies, SAVE_DAYS * 24 * HOUR_MS},
		{s->topic_events, partitions, copies, EVENT_HOURS * HOUR_MS},
		{s->topic_dlq, partitions, copies, DLQ_DAYS * 24 * HOUR_MS},
	};
	char why[256];
	enum status status =
		kafka_topics_create(&options, topics, ARRAY_LEN(topics),
	                            INIT_WAIT_MS, why, sizeof(why));

	if (status == ST_OK) {
		(void)printf("topics exist: %s, %s, %s\n", s->topic_save,
		             s->topic_events, s->topic_dlq);
		return 0;
	}
	(void)fprintf(stderr, "persistence-service: no topics: %s\n", why);
	return status == ST_UNAVAILABLE ? EXIT_ENVIRONMENT : EXIT_SETTINGS;
}

/* `wanted` 0: any number of partitions. */
static enum status check_topic(const struct kafka_options *options,
                               const char *topic, uint64_t wanted,
                               unsigned wait_ms, char *ret_why, size_t why_size)
{
	unsigned partitions;
	enum status status =
		kafka_topic_partitions(options, topic, wait_ms, &partitions);

	if (status == ST_UNAVAILABLE)
		snprintf(ret_why, why_size, "no answer from %s",
		         options->brokers);
	else if (status != ST_OK)
		snprintf(ret_why, why_size, "topic %s: %s", topic,
		         status_text(status));
	if (status != ST_OK || wanted == 0 || partitions == wanted)
		return status;
	snprintf(ret_why, why_size,
	         "topic %s has %u partitions, KAFKA_PARTITIONS is %u", topic,
	         partitions, (unsigned)wanted);
	return ST_CONFLICT;
}

enum status topics_check(const struct settings *s, unsigned wait_ms,
                         char *ret_why, size_t why_size)
{
	struct kafka_options options = settings_kafka(s);
	enum status status =
		check_topic(&options, s->topic_save, s->kafka_partitions,
	                    wait_ms, ret_why, why_size);

	if (status == ST_OK)
		status = check_topic(&options, s->topic_events,
		                     s->kafka_partitions, wait_ms, ret_why,
		                     why_size);
	if (status == ST_OK)
		status = check_topic(&options, s->topic_dlq, 0, wait_ms,
		                     ret_why, why_size);
	return status;
}
