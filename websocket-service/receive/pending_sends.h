/*
 * sends - messages, and changes of messages, under way: from a good frame until
 * `saved`, an error, or `accepted` has been told. What is said of a message
 * holds for `edit`, `delete` and `react`, too.
 *
 * A message is produced to message_save; when it is in the log and `saved` has
 * not come within accepted_ms, its socket is told `accepted`. Redis is given a
 * hint of who sent what. Steps 3 to 5 of a message in docs/ARCHITECTURE.md
 *
 * Bounds     unsettled_max per socket, PENDING_SENDS_MAX in all, the producer's
 * queue in KiB: beyond, a message is refused as retryable. Threads    the
 * loop's.
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

/* Takes a checked message, or change of one, of an open connection, or tells it
 * why not. */
void pending_sends_begin(struct pending_sends *sends,
                         struct connection *connection,
                         const struct client_frame *frame, uint64_t began_us);
/* Tells a message's socket that it was refused. */
void pending_sends_refuse(struct connection *connection,
                          const struct uuid *uuid, enum frame_code code,
                          const char *detail);

/* Kafka's answer for the send under that number. */
void pending_sends_answered(struct pending_sends *sends, uint64_t number,
                            enum status status);
/* Its state frame passes through: it needs no `accepted` any more. */
void pending_sends_settled(struct pending_sends *sends,
                           const struct event_origin *origin);
/* Every some 50 ms. */
void sends_tick(struct pending_sends *sends);
uint32_t pending_sends_count(const struct pending_sends *sends);

#endif
