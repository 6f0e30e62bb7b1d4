/*
 * kafka - records in and out, through librdkafka.
 *
 * producer  idempotent, acks=all. Every record that was taken is answered
 *           once, with its tag, in kafka_producer_poll(). A fatal producer is
 *           rebuilt inside and its unanswered records are sent again in order.
 * group     a member of a consumer group (range assignor, static id), for
 *           work that is shared: message_save.
 * reader    fixed partitions from the end, no group, for what every process
 *           must see: message_events.
 *
 * Threads    one thread per object. A producer and a reader have an fd that
 *            becomes readable when poll has work: watch it in the loop; after
 *            it woke you, poll until it returns less than its budget.
 * Errors     ST_BUSY         the local queue is full (bounded in KiB)
 *            ST_UNAVAILABLE  no broker in time
 *            ST_UNCERTAIN    timed out after it was sent: may be in the log
 *            ST_TOO_LARGE    over the broker's message size
 *            ST_BROKEN       set up wrong: no such topic, not authorised …
 */
#ifndef PARLEY_IO_KAFKA_H
#define PARLEY_IO_KAFKA_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Two headers are all that we ever send; an empty value sends none. */
struct kafka_header {
	const char *name;
	struct span value;
};

struct kafka_record {
	const char *topic;
	int32_t partition; /* KAFKA_BY_KEY: murmur2 of the key, as Java does */
	struct span key;
	struct span value;
	struct kafka_header header;
	struct kafka_header more;
};

enum { KAFKA_BY_KEY = -1 };

/* What librdkafka says about itself; never with message contents. */
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
typedef void kafka_delivered(void *context, uint64_t tag, enum status status);

struct kafka_producer_options {
	struct kafka_options common;
	unsigned queue_max_kib;
	unsigned timeout_ms; /* 0: try for as long as it takes */
	kafka_delivered *delivered;
	void *context;
};

MUST_CHECK enum status
kafka_producer_create(const struct kafka_producer_options *options,
                      struct kafka_producer **ret_producer);
/* Records not answered by then are dropped: flush first. */
void kafka_producer_destroy(struct kafka_producer **producer);
/* The record is copied. Never blocks. */
MUST_CHECK enum status kafka_produce(struct kafka_producer *producer,
                                     const struct kafka_record *record,
                                     uint64_t tag);
/*
 * ST_OK when a broker has answered about the topic within wait_ms; the first
 * record for it then needs no question of its own. Blocks.
 */
MUST_CHECK enum status
kafka_producer_load_metadata(struct kafka_producer *producer, const char *topic,
                             unsigned wait_ms);
int kafka_producer_fd(const struct kafka_producer *producer);
/* Calls `answer` for what is settled; returns how many, at most `budget`. */
unsigned kafka_producer_poll(struct kafka_producer *producer, unsigned budget);
/* Waits until everything is answered or the time is over. */
void kafka_producer_flush(struct kafka_producer *producer, unsigned wait_ms);
/* Records taken and not yet answered. */
unsigned kafka_producer_pending(const struct kafka_producer *producer);
unsigned kafka_producer_rebuilt(const struct kafka_producer *producer);

/* --- what arrives -------------------------------------------------------- */
struct kafka_message; /* one record; freed by kafka_message_destroy() */

void kafka_message_destroy(struct kafka_message **message);
struct span kafka_message_key(const struct kafka_message *message);
struct span kafka_message_value(const struct kafka_message *message);
/* Empty when there is none of that name. */
struct span kafka_message_header(const struct kafka_message *message,
                                 const char *name);
int32_t kafka_message_partition(const struct kafka_message *message);
int64_t kafka_message_offset(const struct kafka_message *message);
/* When it was produced, unix; 0: not known. */
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
void kafka_group_destroy(struct kafka_group **group); /* leaves, ≤ 5 s */
/*
 * The next record; waits at most wait_ms for one. ST_NOT_FOUND when there is
 * none. Also serves rebalances. ST_BROKEN when fenced by another process with
 * the same instance id.
 */
MUST_CHECK enum status kafka_group_poll(struct kafka_group *group,
                                        unsigned wait_ms,
                                        struct kafka_message **ret_message);
/*
 * Takes no records but keeps the membership alive: for a member that can't work
 * for a while. Fetching goes on with the next kafka_group_poll().
 */
MUST_CHECK enum status kafka_group_pause(struct kafka_group *group,
                                         unsigned wait_ms);
/*
 * Everything up to and including `offset` of that partition is done. It is
 * committed within 200 ms, on revocation and on destroy. Offsets of a
 * partition must be marked in rising order; of one that was revoked they are
 * ignored.
 */
void kafka_group_store_offset(struct kafka_group *group, int32_t partition,
                              int64_t offset);
/* Changes whenever partitions were assigned or revoked. */
unsigned kafka_group_generation(const struct kafka_group *group);
bool kafka_group_owns(const struct kafka_group *group, int32_t partition);
unsigned kafka_group_partitions(const struct kafka_group *group);
/* Records in the log that this member has not been given yet; -1 unknown. */
int64_t kafka_group_lag(const struct kafka_group *group);

/* --- reader -------------------------------------------------------------- */
struct kafka_reader;

struct kafka_reader_options {
	struct kafka_options common;
	const char *topic;
	unsigned partitions; /* of the topic; another count is ST_BROKEN */
	unsigned shard;      /* reads each p with p % shards == shard */
	unsigned shards;
};

/*
 * Positioned behind the last record of each partition when it returns ST_OK:
 * what is produced afterwards will be read. Waits at most wait_ms for brokers,
 * else ST_UNAVAILABLE.
 */
MUST_CHECK enum status
kafka_reader_create(const struct kafka_reader_options *options,
                    unsigned wait_ms, struct kafka_reader **ret_reader);
void kafka_reader_destroy(struct kafka_reader **reader);
int kafka_reader_fd(const struct kafka_reader *reader);
/*
 * ST_NOT_FOUND when nothing waits. ST_UNCERTAIN when records were lost to us
 * (offsets fell out of the log): the reader goes on from the end, the caller
 * must make its clients fetch what they missed.
 */
MUST_CHECK enum status kafka_reader_poll(struct kafka_reader *reader,
                                         struct kafka_message **ret_message);
int64_t kafka_reader_lag(const struct kafka_reader *reader);

/* --- topics -------------------------------------------------------------- */
struct kafka_topic {
	const char *name;
	unsigned partitions;
	unsigned replication;
	uint64_t retention_ms; /* 0: the broker's default */
};

/*
 * Creates what is missing. ST_CONFLICT when a topic exists with another number
 * of partitions; ret_why gets a text that names it.
 */
MUST_CHECK enum status kafka_topics_create(const struct kafka_options *options,
                                           const struct kafka_topic *topics,
                                           unsigned count, unsigned wait_ms,
                                           char *ret_why, size_t why_size);
/* Number of partitions of a topic; ST_NOT_FOUND when it does not exist. */
MUST_CHECK enum status kafka_topic_partitions(const struct kafka_options *,
                                              const char *topic,
                                              unsigned wait_ms,
                                              unsigned *ret_partitions);

#endif
