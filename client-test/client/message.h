/*
 * message - one entry of a conversation, decoded from a `message` or `member`
 * frame or from a page of history. docs/protocol/conversations.md
 *
 * Ownership  the texts are valid as long as the JSON they were read from.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_MESSAGE_H
#define PARLEY_CLIENT_TEST_CLIENT_MESSAGE_H

#include "common/base/span.h"
#include "common/base/uuid.h"
#include "common/io/json.h"

/* Membership changes; CHANGE_OTHER is one that this client does not know. */
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
	CHANGE_none, /* the entry is a message */
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
	uint64_t user_to; /* 0: the message went to a group or channel */
	struct uuid uuid;
	struct span created_at;
	uint64_t created_at_ms; /* unix */
	struct span text;       /* empty: deleted, or not a message */
	uint64_t reply_to;      /* a seq; 0: none */
	uint64_t revision;      /* 0: never edited */
	bool edited;
	bool deleted;
	enum message_change change;
	uint64_t owner;     /* CHANGE_left: the new owner, or 0 */
	struct span detail; /* the new role, name or history setting */
	const struct json *json;
};

/* An `edit`, `delete` or `reaction` frame. */
struct message_edit {
	enum { EDIT_TEXT, EDIT_DELETE, EDIT_REACTION } kind;
	uint64_t conversation;
	uint64_t seq;
	uint64_t revision;
	uint64_t user_from;
	struct span text; /* the new text, or the reaction */
	bool remove;      /* takes the reaction back */
};

/* Parses a frame of any length. ST_INVALID: the text is not JSON. */
MUST_CHECK enum status message_parse(struct span text, struct json **ret_json);
/* False if a member is missing or has the wrong type. */
bool message_read(const struct json *json, struct message *ret_message);
bool message_read_edit(const struct json *json, struct message_edit *ret_edit);
/* The users that a change affects, by index; false past the last. */
bool message_change_user(const struct message *message, unsigned index,
                         uint64_t *ret_user);
bool message_change_affects(const struct message *message, uint64_t user);

#endif
