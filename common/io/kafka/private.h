/*
 * kafka_private - what the files of the kafka module share.
 *
 * A client's `client_id`, log sink and timing are the same whether it sends or
 * reads; so are the meanings of librdkafka's error codes.
 */
#ifndef PARLEY_IO_KAFKA_PRIVATE_H
#define PARLEY_IO_KAFKA_PRIVATE_H

#include "common/io/kafka/kafka.h"

#include <librdkafka/rdkafka.h>

/* Where librdkafka's own words go; lives as long as the handle. */
struct kafka_sink {
	kafka_log *log;
	void *context;
};

struct kafka_setting {
	const char *name;
	const char *value;
};

/*
 * A configuration with what every client of ours has, `sink` as its opaque, and
 * the settings of the list, which ends with a NULL name. NULL when one is
 * refused (logged).
 */
rd_kafka_conf_t *kafka_conf_create(const struct kafka_options *options,
                                   struct kafka_sink *sink,
                                   const struct kafka_setting *settings);
/* Takes the configuration; NULL when there can be no such client (logged). */
rd_kafka_t *kafka_handle_create(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                struct kafka_sink *sink);
void kafka_sink_log(const struct kafka_sink *sink, int level,
                    const char *facility, const char *text);

enum status kafka_status(rd_kafka_resp_err_t error);

/*
 * An eventfd that a queue makes readable whenever it stops being empty; and at
 * once, for what may be in it before it is watched: that would keep the queue
 * from ever becoming empty, and so from saying anything.
 */
int kafka_wake_create(void);
void kafka_wake_watch(int fd, rd_kafka_queue_t *queue);
void kafka_wake_clear(int fd);

/* ST_NOT_FOUND, ST_UNAVAILABLE, ST_BROKEN. */
enum status kafka_count_partitions(rd_kafka_t *handle, const char *topic,
                                   unsigned wait_ms, unsigned *ret_partitions);

/* NULL stays NULL; takes the record. */
struct kafka_message *kafka_message_wrap(rd_kafka_message_t *record);

/* As if the broker had refused our sequence; tests look at what follows. */
void kafka_producer_fail(struct kafka_producer *producer);

#endif
