/*
 * pending_messages - messages and edits that the server has not saved yet, in
 * the order they were written.
 *
 * A message keeps its uuid through every retry, so sending it again is always
 * safe. A message that waits after a retryable error holds back the messages
 * after it, so that they keep their order.
 *
 * Bounds     `entries_max` messages, of which PENDING_IN_FLIGHT_MAX are with
 *            the server at a time.
 * Units      now_ms is monotonic milliseconds.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_PENDING_MESSAGES_H
#define PARLEY_CLIENT_TEST_CLIENT_PENDING_MESSAGES_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum { PENDING_IN_FLIGHT_MAX = 16, PENDING_RESEND_MS = 10000 };

struct pending_messages;

enum draft_kind { DRAFT_MESSAGE, DRAFT_EDIT, DRAFT_DELETE, DRAFT_REACT };

struct message_draft {
	enum draft_kind kind;
	uint64_t user_to; /* of a message: a user, or 0 and a conversation */
	uint64_t conversation;
	uint64_t seq;     /* the target; of a message: what it replies to */
	struct span text; /* or the reaction */
	bool remove;      /* takes the reaction back */
	uint64_t line;    /* the number of its input line, or 0 */
};

struct pending_message {
	struct uuid uuid;
	struct message_draft draft;
	uint64_t written_ms;
	unsigned sent; /* how often */
	bool accepted; /* the server has taken charge of it */
};

/*
 * NULL, or a constant text that says why no server takes this message: "it is
 * …". No pending message has such a fault: the server would answer with an
 * error that names no message, or close the socket.
 */
const char *message_draft_fault(const struct message_draft *draft);

struct pending_messages *pending_messages_create(unsigned entries_max);
void pending_messages_destroy(struct pending_messages **pending);
unsigned pending_messages_count(const struct pending_messages *pending);
bool pending_messages_full(const struct pending_messages *pending);

/* Copies the text. False if it is full. */
bool pending_messages_add(struct pending_messages *pending,
                          const struct uuid *uuid,
                          const struct message_draft *draft, uint64_t now_ms);
/*
 * The next message to send now, or NULL. It counts as sent and is due again
 * after PENDING_RESEND_MS. Valid until it is removed.
 */
const struct pending_message *
pending_messages_next(struct pending_messages *pending, uint64_t now_ms);
/* Milliseconds until a message is due; UINT64_MAX: none waits. */
uint64_t pending_messages_wait_ms(const struct pending_messages *pending,
                                  uint64_t now_ms);
/* On a new connection all messages are due. */
void pending_messages_restart(struct pending_messages *pending);
/* The server reported a retryable error: due after a jittered wait. */
void pending_messages_retry(struct pending_messages *pending,
                            const struct uuid *uuid, uint64_t now_ms);
/* The server has accepted it. */
void pending_messages_accept(struct pending_messages *pending,
                             const struct uuid *uuid);
const struct pending_message *
pending_messages_find(const struct pending_messages *pending,
                      const struct uuid *uuid);
void pending_messages_remove(struct pending_messages *pending,
                             const struct uuid *uuid);
/* Visits all messages, in the order they were written. */
void pending_messages_each(const struct pending_messages *pending,
                           void (*visit)(void *context,
                                         const struct pending_message *message),
                           void *context);
/* True for one of the last 256 messages that were removed. */
bool pending_messages_was_removed(const struct pending_messages *pending,
                                  const struct uuid *uuid);

/* Appends the frame that sends the message. */
void pending_message_frame(const struct pending_message *message,
                           struct buf *out);

#endif
