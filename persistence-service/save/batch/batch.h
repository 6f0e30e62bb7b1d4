/*
 * batch - the records of one turn of the saver, each with its outcome.
 *
 * Ownership  a batch owns the records added to it until batch_clear(). It
 *            keeps its memory from turn to turn.
 * Threads    one.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_BATCH_BATCH_H
#define PARLEY_PERSISTENCE_SAVE_BATCH_BATCH_H

#include "common/base/buf.h"
#include "common/io/kafka/kafka.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"
#include "persistence-service/outbox.h"
#include "persistence-service/save/batch/text_store.h"

enum { BATCH_RECORDS_MAX = 500, PENDING_EVENTS_MAX = 500 };

enum outcome {
	OUTCOME_OPEN,      /* not decided yet */
	OUTCOME_SAVED,     /* by this batch */
	OUTCOME_DUPLICATE, /* saved before; `saved` is the first result */
	OUTCOME_REFUSED,   /* not allowed; `code` and `why` give the reason */
	OUTCOME_NOTIFIED,  /* a receipt, or the answer to a gateway's query */
	OUTCOME_DONE,      /* causes no event */
	OUTCOME_DEAD,      /* can never be saved; `why` gives the reason */
};

struct roster;

struct batch_entry {
	struct kafka_message *message;
	int32_t partition; /* of message_save; -1: of none, in tests */
	int64_t offset;
	struct json *json; /* the spans of `record` point into it */
	struct save_record record;
	bool identified; /* the record's sender and uuid are readable */
	enum outcome outcome;
	enum frame_code code; /* of OUTCOME_REFUSED */
	const char *why;      /* constant text */
	/* The result, by the record's kind. */
	union {
		struct saved_message saved;
		struct saved_change change;
		struct receipt receipt;
		struct span answer; /* to a gateway: the value of a header */
	};
	/* Recipients. NULL: a message's user_from and user_to; else the
	 * conversation is gone. */
	const struct roster *roster;
	/* The other user of the pair, who blocks the sender, hears nothing. */
	bool sender_only;
};

/*
 * A membership change that stands in the outbox: perhaps Kafka does not have
 * its event yet. The event follows the messages of a lower seq that the batch
 * has saved, and precedes all other events of the conversation.
 */
struct pending_outbox_event {
	struct pending_outbox_event *next;
	uint64_t seq; /* of the change; 0: the row is malformed */
	struct outbox_row row;
	char *texts; /* the row's spans point into it */
};

/* How far the transaction has saved a batch; it lasts over failed tries. */
struct batch_progress {
	unsigned
		settled; /* entries at the front whose outcomes are committed */
	unsigned range;  /* entries of the next transaction; 0: all */
	unsigned invalid; /* times that the server refused a single entry */
	unsigned lost;    /* times that it ended the connection */
};

struct batch {
	struct batch_entry *entries;
	unsigned count;
	unsigned max;
	struct batch_progress progress;
	struct text_store *texts; /* read from the database */
	struct pending_outbox_event *pending_events; /* those of a conversation
	                                                by seq */
	unsigned pending_count;
	uint64_t began_us; /* monotonic, when the first record was added */
};

struct batch *batch_create(unsigned max);
void batch_destroy(struct batch **batch);
void batch_clear(struct batch *batch);
/* Takes and decodes the record; an undecodable one is OUTCOME_DEAD at once. */
void batch_add(struct batch *batch, struct kafka_message **message);
/*
 * Copies the row, unless it was added before: at most PENDING_EVENTS_MAX rows,
 * those of a conversation by id.
 */
void batch_add_pending_event(struct batch *batch, const struct outbox_row *row);
/* They were sent, before the batch is saved. */
void batch_clear_pending_events(struct batch *batch);
/* The index of the entry that the event is sent before; `count`: after all. */
unsigned batch_place_of(const struct batch *batch,
                        const struct pending_outbox_event *event);
/* Counts the entries with this outcome. */
unsigned batch_count_outcome(const struct batch *batch, enum outcome outcome);

#endif
