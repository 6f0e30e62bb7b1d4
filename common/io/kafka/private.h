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

/* By the table in errors.c; an error that it does not list is ST_UNAVAILABLE.
 */
enum status kafka_status(rd_kafka_resp_err_t error);

/*
 * An eventfd that a queue makes readable when the queue stops being empty.
 * kafka_wake_watch() also makes it readable at once: a queue that already holds
 * events would never become non-empty and never signal.
 */
int kafka_wake_create(void);
void kafka_wake_watch(int fd, rd_kafka_queue_t *queue);
void kafka_wake_clear(int fd);
void kafka_wake_signal(int fd);

/* A handle that only asks; its log lines come with rd_kafka_poll(). */
rd_kafka_t *kafka_asking_handle(const struct kafka_options *options,
                                struct kafka_sink *sink);
void kafka_asking_handle_destroy(rd_kafka_t **handle);
/* From now until that monotonic time, at least 1. */
unsigned kafka_left_ms(uint64_t until_ms);

struct kafka_topic_size {
	unsigned partitions;
	unsigned replicas; /* of the partition that has the most */
};

struct kafka_topic_size
kafka_topic_size_of(const rd_kafka_metadata_topic_t *topic);
/* Errors: kafka_status() of the topic's error; ST_UNAVAILABLE. */
enum status kafka_topic_size(rd_kafka_t *handle, const char *topic,
                             unsigned wait_ms,
                             struct kafka_topic_size *ret_size);

/* The settings of a topic that kafka_topics_check() judges. */
struct kafka_topic_settings {
	int64_t max_message_bytes;
	int64_t min_insync_replicas;
	bool unclean_leader_election;
	char cleanup_policy[32];
	int64_t retention_ms;    /* -1: no bound */
	int64_t retention_bytes; /* -1: no bound */
};

/* Reads one setting, by Kafka's name; ignores names that it does not know. */
void kafka_topic_setting_read(struct kafka_topic_settings *settings,
                              const char *name, const char *value);
/* The rules of kafka_topics_check(). ST_OK or ST_CONFLICT. */
enum status kafka_topic_check(const struct kafka_topic_needs *needs,
                              const struct kafka_topic_size *size,
                              const struct kafka_topic_settings *settings,
                              char *ret_why, size_t why_size);

/*
 * The verdict of kafka_watch on a topic's metadata. On any other status than
 * ST_OK ret_why says what is wrong.
 */
enum status kafka_topic_usable(const rd_kafka_metadata_topic_t *topic,
                               int64_t min_insync, char *ret_why,
                               size_t why_size);
/*
 * The cause in an error of a connection, as ": cause", without the name of the
 * broker and without times. "" when an answer did not come in time: that is all
 * there is to say.
 */
void kafka_error_text(rd_kafka_resp_err_t error, const char *reason,
                      char *ret_text, size_t size);

/* Hands a copy of the record to librdkafka; `number` becomes its opaque. */
rd_kafka_resp_err_t kafka_record_send(rd_kafka_t *handle,
                                      rd_kafka_topic_t *topic,
                                      const struct kafka_record *record,
                                      uint32_t number);
/* The bytes of a reported record. */
size_t kafka_record_bytes(const rd_kafka_message_t *report);

/* Takes the record; NULL stays NULL. */
struct kafka_message *kafka_message_wrap(rd_kafka_message_t *record);

/* For tests: a fatal error, as if the broker had refused the sequence. */
void kafka_producer_fail(struct kafka_producer *producer);

#endif
