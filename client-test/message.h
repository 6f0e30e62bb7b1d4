/*
 * message - one chat message, as the `message` frame and a page of history
 * have it. docs/protocol/socket.md
 *
 * Ownership  the texts live as long as the JSON they were read from.
 */
#ifndef PARLEY_CLIENT_TEST_MESSAGE_H
#define PARLEY_CLIENT_TEST_MESSAGE_H

#include "common/base/span.h"
#include "common/base/uuid.h"
#include "common/io/json.h"

struct message {
	uint64_t id;
	uint64_t conversation;
	uint64_t seq;
	uint64_t user_from;
	uint64_t user_to;
	struct uuid uuid;
	struct span text;
	struct span created_at;
	uint64_t created_at_ms; /* unix */
};

/* False when a member is missing or not what it should be. */
bool message_read(const struct json *json, struct message *ret_message);

#endif
