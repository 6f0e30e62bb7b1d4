/*
 * batch - the records of one turn, from Kafka to the answer for each.
 *
 * Ownership  a batch owns the records put into it until batch_clear(). Its
 *            memory is kept from turn to turn.
 * Threads    one.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_BATCH_H
#define PARLEY_PERSISTENCE_SAVE_BATCH_H

#include "common/base/buf.h"
#include "common/io/kafka/kafka.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"
#include "persistence-service/outbox.h"

enum { BATCH_MOST = 500 };

enum outcome {
	OUTCOME_OPEN,      /* not in the database yet */
	OUTCOME_SAVED,     /* by this batch */
	OUTCOME_DUPLICATE, /* known before; `saved` is the first result */
	OUTCOME_REFUSED,   /* the sender may not; `code` and `why` say it */
	OUTCOME_TOLD, /* a receipt, or an answer to a gateway, is to be sent */
	OUTCOME_DONE, /* nothing is to be sent */
	OUTCOME_DEAD, /* can never be saved; `why` says it */
};

struct roster;

struct batch_entry {
	struct kafka_message *message;
	struct json *json; /* what the spans of `record` point into */
	struct save_record record;
	bool named; /* sender and uuid could be read */
	enum outcome outcome;
	enum frame_code code; /* refused */
	const char *why;      /* constant text */
	unsigned talk;        /* index, while it is written */
	/* What came of it, by the record's kind. */
	union {
		struct saved_message saved;
		struct saved_change change;
		struct receipt receipt;
		struct span answer; /* to a gateway: the value of a header */
	};
	/* Who is to hear of it; NULL: a message's user_from and user_to. */
	const struct roster *roster;
	bool heard; /* a change's sender is in the conversation still */
	/* Of what is kept: where `texts` has it, and whose text it is. */
	size_t text_at;
	struct span *text;
};

/*
 * Who came or went in a conversation that this batch goes on with, and perhaps
 * is not told yet: it has to be before anything later.
 */
struct batch_notice {
	struct batch_notice *next;
	struct outbox_row row;
	char *texts; /* what the row's spans point into */
};

struct batch {
	struct batch_entry *entries;
	unsigned count;
	unsigned max;
	struct buf texts;             /* that were read from the database */
	struct batch_notice *notices; /* by id */
	uint64_t began_us; /* monotonic, when the first record came */
};

struct batch *batch_create(unsigned max);
void batch_destroy(struct batch **batch);
void batch_clear(struct batch *batch);
/* Takes the record and decodes it; one that can't be is dead at once. */
void batch_add(struct batch *batch, struct kafka_message **message);
/*
 * Keeps a text that was read from the database: `ret_text`, a part of the
 * entry, is it after batch_settle().
 */
void batch_keep(struct batch *batch, struct batch_entry *entry,
                struct span *ret_text, struct span text);
/* Copies it, unless it is there already. Rows come with rising ids. */
void batch_notice(struct batch *batch, const struct outbox_row *row);
bool batch_has_room(const struct batch *batch, size_t bytes);
/* Once nothing more is kept. */
void batch_settle(struct batch *batch);
/* How many entries came to that. */
unsigned batch_tally(const struct batch *batch, enum outcome outcome);

#endif
