/*
 * topic_fixture - topics of a test's own on the cluster of KAFKA_BROKERS, for
 * chat_settings. They stay; their retention is a day.
 */
#ifndef PARLEY_PERSISTENCE_TESTS_TOPIC_FIXTURE_H
#define PARLEY_PERSISTENCE_TESTS_TOPIC_FIXTURE_H

#include "common/io/kafka/kafka.h"

enum { TOPIC_PARTITIONS = 3, TOPIC_WAIT_MS = 60000 };

/* Makes <name>_save_<pid>, …; the settings name them and the cluster. */
void topic_fixture_make(const char *name);

/* Puts records into the topic of the records to save, in their order. */
struct topic_fixture_records;
struct topic_fixture_records *topic_fixture_begin(void);
void topic_fixture_put(struct topic_fixture_records *records, int32_t partition,
                       struct span key, struct span value);
/* Returns when all of them are in the log. */
void topic_fixture_end(struct topic_fixture_records **records);

struct kafka_reader *topic_fixture_read_events(void);
/* The next event; fails the test after TOPIC_WAIT_MS. */
struct kafka_message *topic_fixture_next(struct kafka_reader *events);

#endif
