/*
 * message - one entry of a conversation, as the `message` and `member` frames
 * and a page of history have it. docs/protocol/conversations.md
 *
 * Ownership  the texts live as long as the JSON they were read from.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_MESSAGE_H
#define PARLEY_CLIENT_TEST_CLIENT_MESSAGE_H

#include "common/base/span.h"
#include "common/base/uuid.h"
#include "common/io/json.h"

/* What happened to a conversation; CHANGE_OTHER is new since this was written.
 */
#define MESSAGE_CHANGES(X) \
	X(created) \
	X(invited) \
	X(joined) \
	X(left) \
	X(removed) \
	X(role) \
	X(renamed) \
	X(history) \
	X(deleted)

enum message_change {
	CHANGE_none, /* it is a message */
#define MESSAGE_CHANGE_ENUM(name) CHANGE_##name,
	MESSAGE_CHANGES(MESSAGE_CHANGE_ENUM)
#undef MESSAGE_CHANGE_ENUM
		CHANGE_OTHER
};

struct message {
	uint64_t id;
	uint64_t conversation;
	uint64_t seq;
	uint64_t user_from;
	uint64_t user_to; /* 0: to a group or channel */
	struct uuid uuid;
	struct span created_at;
	uint64_t created_at_ms; /* unix */
	struct span text;       /* empty: deleted, or no message */
	uint64_t reply_to;      /* a seq, 0: none */
	uint64_t revision;      /* 0: never changed */
	bool edited;
	bool deleted;
	enum message_change change;
	uint64_t owner;     /* left: who the new one is, or 0 */
	struct span detail; /* role, renamed, history: the new one */
	const struct json *json;
};

/* An edit, delete or reaction, as its frame has it. */
struct message_edit {
	enum { EDIT_TEXT, EDIT_DELETE, EDIT_REACTION } kind;
	uint64_t conversation;
	uint64_t seq;
	uint64_t revision;
	uint64_t user_from;
	struct span text; /* the new one, or the reaction */
	bool remove;      /* of a reaction */
};

/* A frame, however many users it names; ST_INVALID when it is not JSON. */
MUST_CHECK enum status message_parse(struct span text, struct json **ret_json);
/* False when a member is missing or not what it should be. */
bool message_read(const struct json *json, struct message *ret_message);
bool message_read_edit(const struct json *json, struct message_edit *ret_edit);
/* Whom a change is about, one after the other; false past the last. */
bool message_user(const struct message *message, unsigned index,
                  uint64_t *ret_user);
bool message_names(const struct message *message, uint64_t user);

#endif
