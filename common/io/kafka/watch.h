/*
 * kafka_watch - asks Kafka every 2 s, on a thread and connections of its own,
 * whether the topics of a service can be used. So a service knows that Kafka is
 * gone, and why, also while it sends and receives nothing.
 *
 * Verdict    a topic can be used when each of its partitions has a leader and,
 *            if the service writes to it, as many replicas in sync as
 *            min.insync.replicas asks for. A broker that is away is no fault
 *            while the others meet this. While the controller does not answer,
 *            the last min.insync.replicas that it told counts.
 * Settings   a setting that kafka_topics_check() refuses makes no topic
 *            unusable here, but it is named: an operator has changed it
 *            meanwhile.
 * Times      a fault counts when it has lasted for KAFKA_WATCH_SLOW_MS, so an
 *            election of leaders is none: the verdict is there at most 8 s
 *            after the fault, and its end at most 4 s after Kafka is back.
 * Threads    any thread may read the state; the others belong to the owner.
 */
#ifndef PARLEY_IO_KAFKA_WATCH_H
#define PARLEY_IO_KAFKA_WATCH_H

#include "common/io/kafka/kafka.h"

enum {
	KAFKA_WATCH_WHY_MAX = 512,
	KAFKA_WATCH_TOPICS_MAX = 3,
	KAFKA_WATCH_SLOW_MS = 4000,
};

struct kafka_watch;

struct kafka_watch_topic {
	const char *name;
	bool written;              /* by this service */
	uint64_t retention_min_ms; /* as in kafka_topic_needs */
};

struct kafka_watch_state {
	char why[KAFKA_WATCH_WHY_MAX]; /* "": all topics can be used */
	/* The first setting that breaks a promise; "": none. */
	char unfit[KAFKA_WATCH_WHY_MAX];
	/* When Kafka was asked, if the answer was good; monotonic, 0: never. */
	uint64_t good_ms;
	unsigned partitions; /* of the first topic; 0: not known yet */
	unsigned asked;      /* how often */
	unsigned failed;     /* of these, without a good answer */
};

/* The texts are copied. ST_BROKEN: librdkafka refuses the options. */
MUST_CHECK enum status kafka_watch_start(const struct kafka_options *options,
                                         const struct kafka_watch_topic *topics,
                                         unsigned count,
                                         struct kafka_watch **ret_watch);
/* Waits for the thread: usually 0.1 s, at most 3 s. */
void kafka_watch_stop(struct kafka_watch **watch);
void kafka_watch_read(struct kafka_watch *watch,
                      struct kafka_watch_state *ret_state);

#endif
