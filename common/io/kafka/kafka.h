/*
 * kafka - produces and consumes records, through librdkafka.
 *
 * producer   idempotent, acks=all. Each record that kafka_produce() takes gets
 *            one delivery report, with its tag, from kafka_producer_poll().
 *            After a fatal error the producer rebuilds its handle and sends the
 *            records without a report again, in order. It does the same when
 *            the broker refuses records that are too large together, and then
 *            sends one record at a time until many were accepted.
 * group      a member of a consumer group (range assignor, static membership):
 *            the members share the partitions of message_save.
 * reader     reads fixed partitions from their end, without a group: each
 *            process reads all of its shard of message_events.
 *
 * watch      tells whether the topics can be used: common/io/kafka/watch.h.
 *
 * Threads    one thread per object. A producer and a reader have a file
 *            descriptor that becomes readable when poll has work. Watch it in
 *            the loop; when it is readable, poll until poll returns less than
 *            its budget.
 * Errors     ST_BUSY         the local queue is full (bounded in KiB)
 *            ST_UNAVAILABLE  no broker answered in time
 *            ST_UNCERTAIN    timed out after sending: may be in the log
 *            ST_TOO_LARGE    the topic takes no record of this size
 *            ST_INVALID      the broker refuses this record for another reason
 *            ST_DENIED       the broker does not authorize this client
 *            ST_NOT_FOUND    no such topic or partition
 *            ST_BROKEN       another wrong set-up of the cluster or the client
 *            kafka_verdict() says what follows from one of these.
 */
#ifndef PARLEY_IO_KAFKA_H
#define PARLEY_IO_KAFKA_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* A record has at most two headers; one with an empty value is not sent. */
struct kafka_header {
	const char *name;
	struct span value;
};

struct kafka_record {
	const char *topic;
	int32_t partition; /* KAFKA_BY_KEY: murmur2 of the key, as in Java */
	struct span key;
	struct span value;
	struct kafka_header header;
	struct kafka_header more;
};

enum {
	KAFKA_BY_KEY = -1,
	/* Bytes of one record, and of the records that are sent together. */
	KAFKA_BATCH_MAX_BYTES = 1000 * 1000,
};

/* A log line of librdkafka; it never contains message contents. */
typedef void kafka_log(void *context, int syslog_level, const char *facility,
                       const char *text);

struct kafka_options { /* texts are only read during _create() */
	const char *brokers;
	const char *client_id;
	kafka_log *log; /* called on the thread that polls, may be NULL */
	void *log_context;
};

/* --- producer ------------------------------------------------------------ */
struct kafka_producer;

/* The delivery report of one record. */
struct kafka_report {
	uint64_t tag;
	enum status status;
	const char *error; /* constant text for an operator, "" if none */
	const char *topic; /* lives as long as the producer */
	size_t bytes;      /* of key, value and headers */
};

typedef void kafka_delivered(void *context, const struct kafka_report *report);

enum kafka_verdict {
	KAFKA_ACCEPTED,
	KAFKA_PASSING,        /* the topic may accept the same record later */
	KAFKA_RECORD_REFUSED, /* the topic never accepts this record */
	/* The topic accepts no record until an operator changes the set-up. */
	KAFKA_TOPIC_REFUSED,
};

/* What the status of a delivery report, or of kafka_produce(), means. */
enum kafka_verdict kafka_verdict(enum status status);

struct kafka_producer_options {
	struct kafka_options common;
	unsigned queue_max_kib;
	unsigned timeout_ms; /* of a delivery; 0: no limit */
	kafka_delivered *delivered;
	void *context;
};

MUST_CHECK enum status
kafka_producer_create(const struct kafka_producer_options *options,
                      struct kafka_producer **ret_producer);
/* Drops records without a delivery report: flush first. */
void kafka_producer_destroy(struct kafka_producer **producer);
/* The record is copied. Never blocks. */
MUST_CHECK enum status kafka_produce(struct kafka_producer *producer,
                                     const struct kafka_record *record,
                                     uint64_t tag);
/*
 * The last status of kafka_produce() that was KAFKA_TOPIC_REFUSED since the
 * last call of this function, for health checks. ST_OK: there was none.
 */
enum status kafka_producer_take_refusal(struct kafka_producer *producer,
                                        const char **ret_topic);
/*
 * Fetches the topic's metadata, so that its first record needs no request for
 * it. Blocks for at most wait_ms.
 */
MUST_CHECK enum status
kafka_producer_load_metadata(struct kafka_producer *producer, const char *topic,
                             unsigned wait_ms);
int kafka_producer_fd(const struct kafka_producer *producer);
/* Calls `delivered` for at most `budget` reports; returns their number. */
unsigned kafka_producer_poll(struct kafka_producer *producer, unsigned budget);
/* Waits until no record is pending, at most wait_ms. */
void kafka_producer_flush(struct kafka_producer *producer, unsigned wait_ms);
/* Records without a delivery report. */
unsigned kafka_producer_pending(const struct kafka_producer *producer);
/* How often the producer has rebuilt its handle. */
unsigned kafka_producer_rebuilt(const struct kafka_producer *producer);

/* --- consumed records ---------------------------------------------------- */
struct kafka_message; /* one record; freed by kafka_message_destroy() */

void kafka_message_destroy(struct kafka_message **message);
struct span kafka_message_key(const struct kafka_message *message);
struct span kafka_message_value(const struct kafka_message *message);
/* Empty when the record has no header of this name. */
struct span kafka_message_header(const struct kafka_message *message,
                                 const char *name);
int32_t kafka_message_partition(const struct kafka_message *message);
int64_t kafka_message_offset(const struct kafka_message *message);
/* When the record was produced, Unix time; 0: unknown. */
uint64_t kafka_message_time_ms(const struct kafka_message *message);

/* --- group --------------------------------------------------------------- */
struct kafka_group;

struct kafka_group_options {
	struct kafka_options common;
	const char *topic;
	const char *group;
	const char *instance; /* static member id, unique per process */
};

MUST_CHECK enum status
kafka_group_create(const struct kafka_group_options *options,
                   struct kafka_group **ret_group);
/* Leaves the group; takes at most 5 s. */
void kafka_group_destroy(struct kafka_group **group);
/*
 * The next record; waits at most wait_ms for one. It also handles rebalances.
 * ST_NOT_FOUND: no record. ST_BROKEN: another process with the same instance
 * id has fenced this one.
 */
MUST_CHECK enum status kafka_group_poll(struct kafka_group *group,
                                        unsigned wait_ms,
                                        struct kafka_message **ret_message);
/*
 * Pauses all partitions and keeps the membership alive, at most wait_ms: for a
 * member that cannot work for a while. The next kafka_group_poll() resumes.
 */
MUST_CHECK enum status kafka_group_pause(struct kafka_group *group,
                                         unsigned wait_ms);
/*
 * Stores the offset: all records of the partition up to and including `offset`
 * are processed. It is committed within 200 ms, on revocation and on destroy.
 * Store the offsets of a partition in ascending order. Offsets of a revoked
 * partition are ignored.
 */
void kafka_group_store_offset(struct kafka_group *group, int32_t partition,
                              int64_t offset);
/* Changes with each assignment or revocation of partitions. */
unsigned kafka_group_generation(const struct kafka_group *group);
/*
 * The committed offset of a partition: no record below it is read again.
 * ST_NOT_FOUND: none is committed, or the partition is not ours.
 */
MUST_CHECK enum status kafka_group_committed(struct kafka_group *group,
                                             int32_t partition,
                                             unsigned wait_ms,
                                             int64_t *ret_offset);
bool kafka_group_owns(const struct kafka_group *group, int32_t partition);
unsigned kafka_group_partitions(const struct kafka_group *group);
/* The last error of the group, for an operator; "" when there was none. */
const char *kafka_group_error(const struct kafka_group *group);
/* Records in the log that this member has not polled; -1: unknown. */
int64_t kafka_group_lag(const struct kafka_group *group);

/* --- reader -------------------------------------------------------------- */
struct kafka_reader;

struct kafka_reader_options {
	struct kafka_options common;
	const char *topic;
	unsigned partitions; /* of the topic; another number is ST_BROKEN */
	unsigned shard;      /* reads partitions with p % shards == shard */
	unsigned shards;
};

/*
 * On ST_OK the reader stands after the last record of each partition: it reads
 * all records that are produced later. ST_UNAVAILABLE: the brokers did not
 * answer within wait_ms.
 */
MUST_CHECK enum status
kafka_reader_create(const struct kafka_reader_options *options,
                    unsigned wait_ms, struct kafka_reader **ret_reader);
void kafka_reader_destroy(struct kafka_reader **reader);
int kafka_reader_fd(const struct kafka_reader *reader);
/*
 * The next record; does not wait. ST_NOT_FOUND: no record. ST_UNCERTAIN:
 * records of a partition were deleted before the reader had read them. The
 * reader then already stands at the new end and returns all records after it;
 * the caller must make its clients fetch the missing ones. While Kafka does not
 * answer, the new end is unknown, and ST_UNCERTAIN comes when it answers again.
 */
MUST_CHECK enum status kafka_reader_poll(struct kafka_reader *reader,
                                         struct kafka_message **ret_message);
/* Records in the log that are not read yet. */
int64_t kafka_reader_lag(const struct kafka_reader *reader);

/* --- topics -------------------------------------------------------------- */
struct kafka_topic {
	const char *name;
	unsigned partitions;
	unsigned replication;
	uint64_t retention_ms; /* 0: the broker's default */
};

/*
 * Creates the missing topics, with the settings that kafka_topic_check() asks
 * for. Waits for brokers at most wait_ms, also for as many as `replication`;
 * then ST_UNAVAILABLE. ST_CONFLICT: a topic exists with another number of
 * partitions. On failure ret_why has a text that names the topic.
 */
MUST_CHECK enum status kafka_topics_create(const struct kafka_options *options,
                                           const struct kafka_topic *topics,
                                           unsigned count, unsigned wait_ms,
                                           char *ret_why, size_t why_size);
/* The number of partitions of a topic; ST_NOT_FOUND: no such topic. */
MUST_CHECK enum status kafka_topic_partitions(const struct kafka_options *,
                                              const char *topic,
                                              unsigned wait_ms,
                                              unsigned *ret_partitions);

/* What a service needs of a topic, beside the rules that hold for all. */
struct kafka_topic_needs {
	const char *name;
	unsigned partitions;       /* 0: any number */
	uint64_t retention_min_ms; /* 0: any, and a bound in bytes, too */
};

/*
 * Checks that each topic exists and keeps what its acknowledgements promise:
 *
 *   min.insync.replicas             at least 2 if there are several replicas,
 *                                   and not more than there are
 *   unclean.leader.election.enable  false if there are several replicas
 *   cleanup.policy                  delete
 *   max.message.bytes               at least KAFKA_BATCH_MAX_BYTES
 *   retention.ms, retention.bytes   see kafka_topic_needs
 *
 * ST_CONFLICT: ret_why names the topic, the setting, its value and the needed
 * value. On any other failure, too, ret_why has a text for an operator.
 * *ret_unchecked names the first topic whose settings the broker does not show
 * to this client: these are not checked. It is NULL when there is none.
 */
MUST_CHECK enum status kafka_topics_check(const struct kafka_options *options,
                                          const struct kafka_topic_needs *needs,
                                          unsigned count, unsigned wait_ms,
                                          const char **ret_unchecked,
                                          char *ret_why, size_t why_size);

#endif
