/*
 * pending_sends - messages, and changes of messages, under way: from a valid
 * frame until the client gets `saved`, an error, or `accepted`. "Message" below
 * includes `edit`, `delete` and `react`.
 *
 * A message is produced to message_save. When it is in the log and `saved` does
 * not follow within accepted_ms, its socket gets `accepted`. Redis gets a hint
 * with the sender and the state. Steps 3 to 5 of a message in
 * docs/ARCHITECTURE.md
 *
 * Bounds     unsettled_max per socket, PENDING_SENDS_MAX in all, and the
 *            producer's queue in KiB: past them a message is refused as
 *            retryable.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_PENDING_SENDS_H
#define PARLEY_WEBSOCKET_RECEIVE_PENDING_SENDS_H

#include "common/base/span.h"
#include "common/base/status.h"
#include "common/wire/event.h"
#include "common/wire/frame.h"

#include <stdint.h>

enum { PENDING_SENDS_MAX = 100000 };

struct pending_sends;
struct connection;
struct connections;
struct save_records;
struct redis;

struct pending_sends_options {
	struct connections *connections;
	struct save_records *records;
	struct redis *redis;
	uint64_t gateway; /* for the origin header */
	unsigned unsettled_max;
	unsigned accepted_ms;
	unsigned hint_ttl_s;
};

struct pending_sends *
pending_sends_create(const struct pending_sends_options *options);
void pending_sends_destroy(struct pending_sends **sends);

/* Takes a valid message, or a change of one, or answers with an error. */
void pending_sends_begin(struct pending_sends *sends,
                         struct connection *connection,
                         const struct client_frame *frame, uint64_t began_us);

/* Kafka's acknowledgement for the send with that number. */
void pending_sends_acknowledged(struct pending_sends *sends, uint64_t number,
                                enum status status);
/* The state of the message has arrived: it needs no `accepted` any more. */
void pending_sends_settled(struct pending_sends *sends,
                           const struct event_origin *origin);
/* Call it about every 50 ms. */
void pending_sends_tick(struct pending_sends *sends);

#endif
