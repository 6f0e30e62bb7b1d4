#include "persistence-service/topics.h"

#include "common/wire/save_record.h"

#include <stdio.h>

enum { EXIT_SETTINGS = 100, EXIT_ENVIRONMENT = 111, INIT_WAIT_MS = 30000 };

#define HOUR_MS UINT64_C(3600000)

/*
 * message_save must outlive any outage of persistence-service; events only
 * matter to sockets that are open now.
 */
enum { SAVE_DAYS = 7, EVENT_HOURS = 1, DLQ_DAYS = 30 };

enum { TOPIC_COUNT = 3 };

static void list_needs(const struct settings *s,
                       struct kafka_topic_needs needs[TOPIC_COUNT])
{
	unsigned partitions = (unsigned)s->kafka_partitions;

	needs[0] = (struct kafka_topic_needs){s->topic_save, partitions,
	                                      SAVE_RETENTION_MIN_MS};
	needs[1] = (struct kafka_topic_needs){s->topic_events, partitions, 0};
	needs[2] = (struct kafka_topic_needs){s->topic_dlq, 0, 0};
}

int topics_init(const void *context)
{
	const struct settings *s = context;
	struct kafka_options options = settings_kafka(s);
	unsigned partitions = (unsigned)s->kafka_partitions;
	unsigned copies = (unsigned)s->replication;
	const struct kafka_topic topics[TOPIC_COUNT] = {
		{s->topic_save, partitions, copies, SAVE_DAYS * 24 * HOUR_MS},
		{s->topic_events, partitions, copies, EVENT_HOURS * HOUR_MS},
		{s->topic_dlq, partitions, copies, DLQ_DAYS * 24 * HOUR_MS},
	};
	struct kafka_topic_needs needs[TOPIC_COUNT];
	const char *unchecked = NULL;
	char why[TOPICS_WHY_MAX];
	enum status status = kafka_topics_create(
		&options, topics, TOPIC_COUNT, INIT_WAIT_MS, why, sizeof(why));

	list_needs(s, needs);
	if (status == ST_OK)
		status = kafka_topics_check(&options, needs, TOPIC_COUNT,
		                            INIT_WAIT_MS, &unchecked, why,
		                            sizeof(why));
	if (status == ST_OK) {
		(void)printf("topics exist: %s, %s, %s\n", s->topic_save,
		             s->topic_events, s->topic_dlq);
		return 0;
	}
	(void)fprintf(stderr, "persistence-service: no topics: %s\n", why);
	return status == ST_UNAVAILABLE ? EXIT_ENVIRONMENT : EXIT_SETTINGS;
}

enum status topics_check(const struct settings *s, unsigned wait_ms,
                         const char **ret_unchecked,
                         char ret_why[TOPICS_WHY_MAX])
{
	struct kafka_options options = settings_kafka(s);
	struct kafka_topic_needs needs[TOPIC_COUNT];

	list_needs(s, needs);
	return kafka_topics_check(&options, needs, TOPIC_COUNT, wait_ms,
	                          ret_unchecked, ret_why, TOPICS_WHY_MAX);
}
