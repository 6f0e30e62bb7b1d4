/*
 * intake - what clients say: each text frame is checked and handed to the part
 * that it is for. Of a message to a user the recipient is looked up, and it
 * becomes a send. Steps 1 and 2 of a message.
 *
 * Bounds     frames that wait for a recipient's look-up: INTAKE_WAITING_MAX in
 *            number, and unsettled_max of a socket, together with its other
 *            messages under way; more are refused as retryable. A user's
 *            frames in a time: see limits.h.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_INTAKE_H
#define PARLEY_WEBSOCKET_RECEIVE_INTAKE_H

#include "common/base/span.h"

#include <stdint.h>

enum { INTAKE_WAITING_MAX = 4000 }; /* texts of at most 16 KiB each */

struct client_frame;
struct intake;
struct connection;
struct connections;
struct rate_limits;
struct identity_client;
struct pending_receipts;
struct pending_sends;

struct intake_options {
	struct connections *connections;
	struct identity_client *identity;
	struct pending_sends *sends;
	struct pending_receipts *receipts;
	struct rate_limits *rate_limits;
	unsigned unsettled_max; /* of a socket */
	/* `typing` and `presence` frames belong to modules above this one. */
	void (*typing)(void *context, struct connection *connection,
	               const struct client_frame *frame);
	void (*presence)(void *context, struct connection *connection,
	                 const struct client_frame *frame);
	void *context;
};

struct intake *intake_create(const struct intake_options *options);
void intake_destroy(struct intake **intake);
void intake_text(struct intake *intake, struct connection *connection,
                 struct span text);
/* A user who is here surely exists. */
void intake_user_seen(struct intake *intake, uint64_t user);

#endif
