/*
 * recipient_check - checks that the recipient of a message exists, with
 * identity-service or its cached answers, and passes the message on to
 * pending_sends. Step 2 of a message in docs/ARCHITECTURE.md
 *
 * Bounds     messages that wait for an answer: RECIPIENT_CHECK_WAITING_MAX in
 *            all, and unsettled_max of a socket, together with its other
 *            messages under way; past that a message is refused as retryable.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_RECIPIENT_CHECK_H
#define PARLEY_WEBSOCKET_RECEIVE_RECIPIENT_CHECK_H

#include <stdint.h>

enum { RECIPIENT_CHECK_WAITING_MAX = 4000 }; /* texts of at most 16 KiB each */

struct client_frame;
struct connection;
struct connections;
struct identity_client;
struct json;
struct pending_sends;
struct recipient_check;

struct recipient_check_options {
	struct connections *connections;
	struct identity_client *identity;
	struct pending_sends *sends;
	unsigned unsettled_max; /* of a socket */
};

struct recipient_check *
recipient_check_create(const struct recipient_check_options *options);
void recipient_check_destroy(struct recipient_check **check);

/*
 * Takes a valid CLIENT_MESSAGE frame; takes over *json, into which the frame
 * points, when the message has to wait.
 */
void recipient_check_message(struct recipient_check *check,
                             struct connection *connection,
                             const struct client_frame *frame,
                             struct json **json, uint64_t began_us);
/* A connected user exists: keeps that as an answer. */
void recipient_check_user_seen(struct recipient_check *check, uint64_t user);

#endif
