/*
 * save_record - one record of the topic message_save: a client's message,
 * change or receipt, or a gateway's query. docs/protocol/message_save.md
 *
 * Key       the subject of the record, so that one consumer keeps the order:
 *           d:<low id>:<high id> for a pair of users (equal ids: a user and
 *           itself), c:<id> for any other conversation, u:<id> for a user (of
 *           several users: the first). A conversation has one key for life: a
 *           record of a pair has user_to, beside the conversation if the kind
 *           names that.
 * Value     JSON: {"kind":…,"uuid":…,"sender":…,…,"sent_at":…}; SAVE_KINDS
 *           lists the members of each kind.
 * Header    "origin", see common/wire/event.h; the events carry it on.
 */
#ifndef PARLEY_WIRE_SAVE_RECORD_H
#define PARLEY_WIRE_SAVE_RECORD_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/io/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	MESSAGE_TEXT_MAX = 16 * 1024, /* bytes of UTF-8, at least 1 */
	SAVE_RECORD_MAX = 128 * 1024, /* bytes encoded, with \u escapes */
	SAVE_USERS_MAX = 500,         /* users of one query */
	SAVE_CONVERSATIONS_MAX = 500, /* conversations of one query */
	CONVERSATION_KEY_MAX = 2 + 2 * 20 + 1,
	/* The topic keeps records at least this long: an outage may last. */
	SAVE_RETENTION_MIN_MS = 24 * 3600 * 1000,
};

/* The members of a kind, beside kind, sent_at and, unless NO_SENDER, sender. */
enum save_has {
	SAVE_HAS_UUID = 1,
	SAVE_HAS_USER_TO = 2,
	SAVE_HAS_CONVERSATION = 4,
	SAVE_HAS_TARGET = 8, /* either user_to or conversation */
	SAVE_HAS_SEQ = 16,
	SAVE_HAS_TEXT = 32,
	SAVE_HAS_REACTION = 64, /* and optionally `remove` */
	SAVE_HAS_REPLY = 128,   /* optional */
	SAVE_HAS_USERS = 256,   /* the first is the sender */
	SAVE_HAS_PAIR = 512,    /* user_to as well, if a pair's: optional */
	SAVE_HAS_CONVERSATIONS = 1024,
	SAVE_HAS_ROW = 2048,
	SAVE_NO_SENDER = 4096,
};

/*
 * The kinds from message to react come from clients. rooms, keys and roster
 * are queries of a gateway, which an event answers. blocked says that the
 * blocks between two users have changed; membership, that changes of a
 * conversation's members stand in the outbox, up to the row `row`.
 */
#define SAVE_KINDS(X) \
	X(MESSAGE, "message", \
	  SAVE_HAS_UUID | SAVE_HAS_TARGET | SAVE_HAS_TEXT | SAVE_HAS_REPLY) \
	X(DELIVERED, "delivered", \
	  SAVE_HAS_CONVERSATION | SAVE_HAS_PAIR | SAVE_HAS_SEQ) \
	X(READ, "read", SAVE_HAS_CONVERSATION | SAVE_HAS_PAIR | SAVE_HAS_SEQ) \
	X(EDIT, "edit", \
	  SAVE_HAS_UUID | SAVE_HAS_CONVERSATION | SAVE_HAS_PAIR | \
	          SAVE_HAS_SEQ | SAVE_HAS_TEXT) \
	X(DELETE, "delete", \
	  SAVE_HAS_UUID | SAVE_HAS_CONVERSATION | SAVE_HAS_PAIR | \
	          SAVE_HAS_SEQ) \
	X(REACT, "react", \
	  SAVE_HAS_UUID | SAVE_HAS_CONVERSATION | SAVE_HAS_PAIR | \
	          SAVE_HAS_SEQ | SAVE_HAS_REACTION) \
	X(ROOMS, "rooms", SAVE_HAS_USERS) \
	X(KEYS, "keys", SAVE_HAS_CONVERSATIONS) \
	X(ROSTER, "roster", SAVE_HAS_CONVERSATION | SAVE_HAS_PAIR) \
	X(BLOCKED, "blocked", SAVE_HAS_USER_TO) \
	X(MEMBERSHIP, "membership", \
	  SAVE_HAS_CONVERSATION | SAVE_HAS_ROW | SAVE_NO_SENDER)

enum save_kind {
#define SAVE_KIND_ENUM(name, text, has) SAVE_##name,
	SAVE_KINDS(SAVE_KIND_ENUM)
#undef SAVE_KIND_ENUM
		SAVE_KIND_COUNT
};

struct save_record { /* members that the kind does not use are zero */
	enum save_kind kind;
	bool remove; /* of react */
	struct uuid uuid;
	uint64_t sender;
	uint64_t user_to;
	uint64_t conversation;
	uint64_t seq;
	uint64_t reply_to; /* a seq; 0: none */
	uint64_t row;
	struct span message;
	struct span reaction;
	struct span users;         /* for event_key_next() */
	struct span conversations; /* the same form */
	uint64_t sent_at_ms;       /* unix */
};

static inline bool save_kind_is_receipt(enum save_kind kind)
{
	return kind == SAVE_DELIVERED || kind == SAVE_READ;
}

/* A query of a gateway, which only reads. */
static inline bool save_kind_is_query(enum save_kind kind)
{
	return kind == SAVE_ROOMS || kind == SAVE_KEYS || kind == SAVE_ROSTER;
}

bool save_kind_has(enum save_kind kind, enum save_has what);
void save_record_encode(const struct save_record *record, struct buf *ret_json);
/* Appends the key of the record. */
void save_record_key(const struct save_record *record, struct buf *ret_key);

/*
 * Accepts any bytes. On ST_OK the spans of ret_record point into *ret_json,
 * which the caller destroys. On ST_INVALID ret_why is a constant text that
 * names the fault; sender and uuid are filled as far as they could be read
 * (sender 0: unknown; `*ret_named` false: no uuid), so that the sender can be
 * notified.
 */
MUST_CHECK enum status save_record_decode(struct span key, struct span value,
                                          struct json **ret_json,
                                          struct save_record *ret_record,
                                          bool *ret_named,
                                          const char **ret_why);

#endif
