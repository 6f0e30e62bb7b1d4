/*
 * batch - the records of one turn, from Kafka to the answer for each.
 *
 * Ownership  a batch owns the records put into it until batch_clear(). Its
 *            memory is kept from turn to turn.
 * Threads    one.
 */
#ifndef PARLEY_PERSISTENCE_BATCH_H
#define PARLEY_PERSISTENCE_BATCH_H

#include "common/base/buf.h"
#include "common/io/kafka.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"

enum { BATCH_MOST = 500 };

enum outcome {
	OUTCOME_OPEN,      /* not in the database yet */
	OUTCOME_SAVED,     /* by this batch */
	OUTCOME_DUPLICATE, /* known before; `saved` is the first result */
	OUTCOME_DEAD,      /* can never be saved; `why` says it */
};

struct batch_entry {
	struct kafka_message *message;
	struct json *json; /* what `record.message` points into */
	struct save_record record;
	bool named; /* sender and uuid could be read */
	enum outcome outcome;
	const char *why; /* constant text */
	unsigned talk;   /* index, while it is written */
	struct saved_message saved;
	size_t text_at; /* of a duplicate: where `texts` has its text */
};

struct batch {
	struct batch_entry *entries;
	unsigned count;
	unsigned max;
	struct buf texts;  /* of duplicates, as they are stored */
	uint64_t began_us; /* monotonic, when the first record came */
};

struct batch *batch_create(unsigned max);
void batch_destroy(struct batch **batch);
void batch_clear(struct batch *batch);
/* Takes the record and decodes it; one that can't be is dead at once. */
void batch_add(struct batch *batch, struct kafka_message **message);
/* Keeps a duplicate's stored text; it is in its place after batch_settle(). */
void batch_keep_text(struct batch *batch, struct batch_entry *entry,
                     struct span text);
/* Once nothing more is kept. */
void batch_settle(struct batch *batch);
/* How many entries came to that. */
unsigned batch_tally(const struct batch *batch, enum outcome outcome);

#endif
