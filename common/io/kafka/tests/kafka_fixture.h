/*
 * kafka_fixture - a new topic on the cluster of KAFKA_BROKERS, a producer that
 * records delivery reports, and waits with a deadline.
 */
#ifndef PARLEY_IO_KAFKA_TESTS_KAFKA_FIXTURE_H
#define PARLEY_IO_KAFKA_TESTS_KAFKA_FIXTURE_H

#include "common/io/kafka/private.h"

enum { PARTITIONS = 3, WAIT_MS = 60000, ANSWERS_MAX = 20000 };

struct answers {
	unsigned count;
	uint64_t tag[ANSWERS_MAX];
	enum status status[ANSWERS_MAX];
	struct kafka_report last;
};

/* Ends the program with 111 when KAFKA_BROKERS is not set. */
const struct kafka_options *kafka_here(void);
/* Makes a topic of that many partitions, new in every call. */
const char *fresh_topic(unsigned partitions);

void note_delivery(void *context, const struct kafka_report *report);
struct kafka_producer *start_producer(struct answers *answers);
void send_text(struct kafka_producer *producer, const char *topic,
               int32_t partition, const char *text, uint64_t tag);
/* "<first>", "<first + 1>" … to one partition, tags alike; all answered OK. */
void send_numbers(const char *topic, int32_t partition, unsigned first,
                  unsigned count);

struct kafka_reader *start_reader(const char *topic);
/* Waits for the fd as a loop does; fails the test after WAIT_MS. */
struct kafka_message *next_message(struct kafka_reader *reader);
bool readable(int fd, int wait_ms);

#endif
