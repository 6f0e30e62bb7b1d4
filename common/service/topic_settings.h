/*
 * topic_settings - logs a setting of a Kafka topic that breaks a promise, and
 * that it is good again: topic.unfit, topic.fit. The next start of a service
 * would refuse the setting: docs/adr/0017.
 */
#ifndef PARLEY_SERVICE_TOPIC_SETTINGS_H
#define PARLEY_SERVICE_TOPIC_SETTINGS_H

#include "common/io/kafka/watch.h"

struct topic_settings_logged { /* zeroed: all are good */
	char unfit[KAFKA_WATCH_WHY_MAX];
};

/* `unfit` is that of kafka_watch_state. Logs each change once. */
void topic_settings_log(struct topic_settings_logged *logged,
                        const char *unfit);

#endif
