/*
 * outbox - messages and changes of messages that are not saved yet, in the
 * order they were written.
 *
 * A message keeps its uuid through every retry, so sending again is always
 * safe. One that waits after a retryable error holds back those behind it:
 * they keep their order.
 *
 * Bounds     `entries_max` messages, of which IN_FLIGHT_MAX are with the
 *            server at a time.
 * Units      now_ms is monotonic milliseconds.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_PENDING_MESSAGES_H
#define PARLEY_CLIENT_TEST_CLIENT_PENDING_MESSAGES_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum { OUTBOX_IN_FLIGHT_MAX = 16, OUTBOX_RESEND_MS = 10000 };

struct outbox;

enum outbox_kind { OUTBOX_MESSAGE, OUTBOX_EDIT, OUTBOX_DELETE, OUTBOX_REACT };

struct outbox_draft {
	enum outbox_kind kind;
	uint64_t user_to; /* of a message: a user, or 0 and a conversation */
	uint64_t conversation;
	uint64_t seq;     /* that is changed; of a message: that it answers */
	struct span text; /* or the reaction */
	bool remove;      /* the reaction */
};

struct outbox_entry {
	struct uuid uuid;
	struct outbox_draft draft;
	uint64_t written_ms;
	unsigned sent; /* times */
};

struct outbox *outbox_create(unsigned entries_max);
void outbox_destroy(struct outbox **outbox);
unsigned outbox_count(const struct outbox *outbox);
bool outbox_full(const struct outbox *outbox);

/* Copies the text. False when it is full. */
bool outbox_add(struct outbox *outbox, const struct uuid *uuid,
                const struct outbox_draft *draft, uint64_t now_ms);
/*
 * The next one to send now, NULL when there is none; it counts as sent, and is
 * due again after OUTBOX_RESEND_MS. Lives until it is removed.
 */
const struct outbox_entry *outbox_next(struct outbox *outbox, uint64_t now_ms);
/* Milliseconds until outbox_next() may have one; UINT64_MAX: no waiting. */
uint64_t outbox_wait_ms(const struct outbox *outbox, uint64_t now_ms);
/* The connection is a new one: all are due. */
void outbox_restart(struct outbox *outbox);
/* The server asks for another try: it is due after a jittered wait. */
void outbox_retry(struct outbox *outbox, const struct uuid *uuid,
                  uint64_t now_ms);
const struct outbox_entry *outbox_find(const struct outbox *outbox,
                                       const struct uuid *uuid);
void outbox_remove(struct outbox *outbox, const struct uuid *uuid);
/* True for one of the last 256 that were removed. */
bool outbox_had(const struct outbox *outbox, const struct uuid *uuid);

/* Appends the frame that sends it. */
void outbox_frame(const struct outbox_entry *entry, struct buf *out);

#endif
