/*
 * kafka_private - shared by the files of common/io/kafka: the configuration of
 * all clients, their log sink, and the meaning of librdkafka's error codes.
 */
#ifndef PARLEY_IO_KAFKA_PRIVATE_H
#define PARLEY_IO_KAFKA_PRIVATE_H

#include "common/io/kafka/kafka.h"

#include <librdkafka/rdkafka.h>

/* Where librdkafka's log lines go; lives as long as the handle. */
struct kafka_sink {
	kafka_log *log;
	void *context;
};

struct kafka_setting {
	const char *name;
	const char *value;
};

/*
 * A configuration with the settings that all clients share, `sink` as its
 * opaque and the settings of the list, which ends with a NULL name. NULL:
 * librdkafka refused a setting (logged).
 */
rd_kafka_conf_t *kafka_conf_create(const struct kafka_options *options,
                                   struct kafka_sink *sink,
                                   const struct kafka_setting *settings);
/* Takes the configuration. NULL: librdkafka refused it (logged). */
rd_kafka_t *kafka_handle_create(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                struct kafka_sink *sink);
void kafka_sink_log(const struct kafka_sink *sink, int level,
                    const char *facility, const char *text);

enum status kafka_status(rd_kafka_resp_err_t error);

/*
 * An eventfd that a queue makes readable when the queue stops being empty.
 * kafka_wake_watch() also makes it readable at once: a queue that already holds
 * events would never become non-empty and never signal.
 */
int kafka_wake_create(void);
void kafka_wake_watch(int fd, rd_kafka_queue_t *queue);
void kafka_wake_clear(int fd);

/* Errors: ST_NOT_FOUND, ST_UNAVAILABLE, ST_BROKEN. */
enum status kafka_count_partitions(rd_kafka_t *handle, const char *topic,
                                   unsigned wait_ms, unsigned *ret_partitions);

/* Takes the record; NULL stays NULL. */
struct kafka_message *kafka_message_wrap(rd_kafka_message_t *record);

/* For tests: a fatal error, as if the broker had refused the sequence. */
void kafka_producer_fail(struct kafka_producer *producer);

#endif
