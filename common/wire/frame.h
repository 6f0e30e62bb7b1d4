/*
 * frame - the JSON text frames of the socket protocol, docs/protocol/socket.md
 *
 * Gateways decode what clients send and encode some of what they get;
 * persistence encodes `message` and `state`, which gateways hand on unread.
 */
#ifndef PARLEY_WIRE_FRAME_H
#define PARLEY_WIRE_FRAME_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/io/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	FRAME_MAX =
		64 * 1024, /* bytes of one WebSocket message from a client */
	FRAME_OUT_MAX = 160 * 1024, /* of one to a client */
};

/* Codes of `error` frames and of `state` frames with state "error". */
#define FRAME_CODES(X) \
	X(BAD_JSON, "bad_json", false) \
	X(BAD_FRAME, "bad_frame", false) \
	X(UNKNOWN_TYPE, "unknown_type", false) \
	X(BAD_UUID, "bad_uuid", false) \
	X(BAD_MESSAGE, "bad_message", false) \
	X(MESSAGE_TOO_LONG, "message_too_long", false) \
	X(BAD_USER, "bad_user", false) \
	X(UNKNOWN_USER, "unknown_user", false) \
	X(TOKEN_ENDED, "token_ended", false) \
	X(NOT_STORABLE, "not_storable", false) \
	X(TOO_MANY_UNSETTLED, "too_many_unsettled", true) \
	X(UNAVAILABLE, "unavailable", true)

enum frame_code {
#define FRAME_CODE_ENUM(name, text, retryable) FRAME_##name,
	FRAME_CODES(FRAME_CODE_ENUM)
#undef FRAME_CODE_ENUM
};

const char *frame_code_text(enum frame_code code);
bool frame_code_retryable(enum frame_code code);

/* --- client → server ----------------------------------------------------- */
struct client_frame { /* the only kind so far: a one-to-one message */
	struct uuid uuid;
	struct span message;
	uint64_t user_to;
};

/* Why a frame was refused, and what could be read of it all the same. */
struct frame_fault {
	enum frame_code code;
	const char *detail; /* constant text */
	bool has_uuid;
	struct uuid uuid;
};

/*
 * On ST_OK the spans point into *ret_json, which the caller destroys. On
 * ST_INVALID *ret_fault is filled.
 */
MUST_CHECK enum status frame_decode(struct span text, struct json **ret_json,
                                    struct client_frame *ret_frame,
                                    struct frame_fault *ret_fault);

/* --- server → client: each appends one frame's text ---------------------- */
struct saved_message {
	uint64_t id;
	uint64_t conversation;
	uint64_t seq;
	uint64_t user_from;
	uint64_t user_to;
	struct uuid uuid;
	struct span message;
	uint64_t created_at_ms; /* unix */
};

void frame_welcome(struct buf *out, uint64_t user, struct span session,
                   unsigned ping_interval_s);
void frame_accepted(struct buf *out, const struct uuid *uuid);
void frame_saved(struct buf *out, const struct saved_message *message);
void frame_message(struct buf *out, const struct saved_message *message);
void frame_state_error(struct buf *out, const struct uuid *uuid,
                       enum frame_code code, const char *detail);
/* For what can't be tied to a message. `uuid` may be NULL. */
void frame_error(struct buf *out, const struct uuid *uuid, enum frame_code code,
                 const char *detail);

#endif
