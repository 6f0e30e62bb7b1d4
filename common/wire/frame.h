/*
 * frame - the JSON text frames of the socket protocol, docs/protocol/socket.md
 *
 * Gateways decode the frames of clients and encode some frames for them.
 * persistence-service encodes frames such as `message` and `state`; gateways
 * deliver those without parsing them.
 */
#ifndef PARLEY_WIRE_FRAME_H
#define PARLEY_WIRE_FRAME_H

#include "common/base/buf.h"
#include "common/base/json_write.h"
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
	FRAME_OUT_MAX = 160 * 1024, /* bytes of one message to a client */
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
	X(BAD_CONVERSATION, "bad_conversation", false) \
	X(BAD_SEQ, "bad_seq", false) \
	X(BAD_REACTION, "bad_reaction", false) \
	X(BAD_TOKEN, "bad_token", false) \
	X(UNKNOWN_USER, "unknown_user", false) \
	X(UNKNOWN_CONVERSATION, "unknown_conversation", false) \
	X(UNKNOWN_MESSAGE, "unknown_message", false) \
	X(NOT_ALLOWED, "not_allowed", false) \
	X(TOO_MANY, "too_many", false) \
	X(TOKEN_ENDED, "token_ended", false) \
	X(NOT_STORABLE, "not_storable", false) \
	X(TOO_MANY_UNSETTLED, "too_many_unsettled", true) \
	X(TOO_FAST, "too_fast", true) \
	X(UNAVAILABLE, "unavailable", true)

enum frame_code {
#define FRAME_CODE_ENUM(name, text, retryable) FRAME_##name,
	FRAME_CODES(FRAME_CODE_ENUM)
#undef FRAME_CODE_ENUM
};

const char *frame_code_text(enum frame_code code);
bool frame_code_retryable(enum frame_code code);

/* --- client → server ----------------------------------------------------- */
/* The kinds up to CLIENT_REACT become records of message_save. */
enum client_frame_kind {
	CLIENT_MESSAGE,
	CLIENT_DELIVERED,
	CLIENT_READ,
	CLIENT_EDIT,
	CLIENT_DELETE,
	CLIENT_REACT,
	CLIENT_TYPING,
	CLIENT_PRESENCE,
	CLIENT_AUTH,
};

enum { PRESENCE_USERS_MAX = 60 }; /* of one frame */

struct client_frame { /* members that the kind does not use are zero */
	enum client_frame_kind kind;
	bool remove;
	struct uuid uuid;
	uint64_t user_to; /* a message has this or `conversation` */
	uint64_t conversation;
	uint64_t seq;
	uint64_t reply_to;
	struct span message;
	struct span reaction;
	struct span token;
	const struct json *json; /* for frame_presence_user() */
	unsigned user_count;
};

/* Why a frame was refused, and its uuid if that could be read. */
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

/* True when the kind has a uuid, which answers name. */
bool frame_has_uuid(const struct client_frame *frame);
/* One of the user_count users of a `presence` frame. */
uint64_t frame_presence_user(const struct client_frame *frame, unsigned index);

/* --- server → client: each appends one frame's text ---------------------- */
/* The kinds of entries of a history, as the database stores them. */
enum entry_kind { ENTRY_MESSAGE = 1, ENTRY_MEMBER = 2 };

struct saved_message {
	enum entry_kind kind; /* 0 means ENTRY_MESSAGE */
	uint64_t id;
	uint64_t conversation;
	uint64_t seq;
	uint64_t user_from;
	uint64_t user_to; /* 0: to a group or channel */
	uint64_t reply_to;
	struct uuid uuid;
	struct span message;    /* ENTRY_MEMBER: the JSON of `change` */
	uint64_t created_at_ms; /* unix */
	/* Later changes; all 0 or empty: none. */
	uint64_t revision;
	uint64_t edited_at_ms;
	uint64_t deleted_at_ms;
	struct span reactions; /* JSON array */
};

/* A change of a saved message. */
struct saved_change {
	enum client_frame_kind kind; /* CLIENT_EDIT, _DELETE or _REACT */
	bool remove;
	struct uuid uuid;
	uint64_t conversation;
	uint64_t seq;
	uint64_t revision;
	uint64_t user; /* the author of the change */
	struct span message;
	struct span reaction;
	uint64_t created_at_ms; /* unix; of the change */
};

struct receipt {
	uint64_t conversation;
	uint64_t user;
	uint64_t delivered; /* cumulative seq */
	uint64_t read;
};

void frame_welcome(struct buf *out, uint64_t user, struct span session,
                   unsigned ping_interval_s);
/* The answer to `auth`: the socket has a new token. */
void frame_auth(struct buf *out, struct span session, uint64_t expires_at_ms);
/* The token ends soon. */
void frame_token(struct buf *out, uint64_t expires_at_ms);
void frame_accepted(struct buf *out, const struct uuid *uuid);
void frame_saved(struct buf *out, const struct saved_message *message);
/* `message` or `member`, by the kind. */
void frame_message(struct buf *out, const struct saved_message *message);
/* `state` "saved" of a change, and its `edit`, `delete` or `reaction`. */
void frame_change_saved(struct buf *out, const struct saved_change *change);
void frame_change(struct buf *out, const struct saved_change *change);
void frame_receipt(struct buf *out, const struct receipt *receipt);
void frame_typing(struct buf *out, uint64_t conversation, uint64_t user);
void frame_state_error(struct buf *out, const struct uuid *uuid,
                       enum frame_code code, const char *detail);
/* An error that belongs to no message; `uuid` may be NULL. */
void frame_error(struct buf *out, const struct uuid *uuid, enum frame_code code,
                 const char *detail);
/* An error about a receipt or about typing in a conversation. */
void frame_error_in(struct buf *out, uint64_t conversation,
                    enum frame_code code, const char *detail);

/* Writes a `presence` frame of any number of users. */
struct presence_frame {
	struct json_writer w;
};

struct presence_frame frame_presence_open(struct buf *out);
/* last_seen_ms 0: online; UINT64_MAX: offline since an unknown time. */
void frame_presence_add(struct presence_frame *frame, uint64_t user,
                        uint64_t last_seen_ms);
void frame_presence_close(struct presence_frame *frame);

#endif
