/*
 * membership_change - one change of a conversation, within the open
 * transaction: writes the change into the history as an entry with the next
 * seq, and sends the entry to the members' sockets through the outbox.
 *
 * Every change takes a seq. This invalidates what the savers cache of the
 * conversation, because they lock no row as long as their next seq is free. A
 * change takes its locks in the order of the savers: first the seq, then the
 * row. In the other order it would deadlock again and again with the savers of
 * a busy conversation.
 *
 * Threads    one thread each, with a connection of its own.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANGE_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANGE_H

#include "common/base/buf.h"
#include "common/io/sql/sql.h"
#include "common/wire/frame.h"
#include "persistence-service/conversation.h"
#include "persistence-service/settings.h"
#include "persistence-service/sql_time.h"

struct membership_change {
	struct sql *sql;
	uint64_t fanout_list_max;
	uint64_t now_ms; /* unix */
	struct sql_time now;

	/* The conversation after the changes so far. */
	uint64_t conversation;
	enum conversation_kind kind;
	enum history_kind history;
	uint64_t last_seq;
	uint64_t last_message_id;
	uint64_t member_count;
	bool large;
	bool was_large;
	struct buf name;

	uint64_t actor;
	enum member_role role; /* of the actor, before the change */

	uint64_t claimed_seq; /* 0: none */
	uint64_t claimed_id;
	uint64_t event_row; /* of the outbox, the last one; 0: none */

	struct saved_message entry; /* the last one */
	struct buf text;            /* body of the last entry */
	struct buf frame;
	struct buf target;
	struct buf room;
};

/* The body of an entry; members that are 0 or empty are left out. */
struct membership_event {
	const char *what;
	const uint64_t *users;
	unsigned user_count;
	uint64_t owner;
	enum member_role role;
	enum history_kind history;
	struct span name;
};

void membership_change_init(struct membership_change *change, struct sql *sql,
                            const struct settings *settings);
void membership_change_free(struct membership_change *change);

/* Call it at the beginning of a transaction: no seq is claimed. */
void membership_change_begin(struct membership_change *change);
/*
 * Reads the conversation; locks its row once a seq is claimed. ST_NOT_FOUND: it
 * does not exist, or is deleted.
 */
MUST_CHECK enum status membership_change_open(struct membership_change *change,
                                              uint64_t conversation,
                                              uint64_t actor);
/* Inserts a new conversation, without members or entries. */
struct membership_change_new {
	enum conversation_kind kind;
	enum history_kind history;
	struct span name;
};
MUST_CHECK enum status
membership_change_open_new(struct membership_change *change,
                           const struct membership_change_new *made,
                           uint64_t actor);

/*
 * Takes the next seq of the open conversation for the first entry: no other
 * transaction gets this seq or a later one. Open the conversation again
 * afterwards, because it may have changed meanwhile. ST_CONFLICT: the
 * conversation is too busy, or (actor, uuid) is taken.
 */
MUST_CHECK enum status
membership_change_claim_seq(struct membership_change *change,
                            const struct uuid *uuid);
/* ST_CONFLICT: (actor, uuid) is taken, by another transaction. */
MUST_CHECK enum status
membership_change_add_entry(struct membership_change *change,
                            const struct uuid *uuid,
                            const struct membership_event *event);

/*
 * Add the members, or remove the member, that the last entry names. Both update
 * member_count and make the conversation large when it exceeds fanout_list_max.
 */
MUST_CHECK enum status
membership_change_add_members(struct membership_change *change,
                              const uint64_t *users, unsigned count);
MUST_CHECK enum status
membership_change_remove_member(struct membership_change *change,
                                uint64_t user);

/*
 * Puts the frame of the last entry into the outbox, for all present members and
 * for `users`, who have just joined ('+') or left ('-'); '=': no such users.
 */
MUST_CHECK enum status
membership_change_notify(struct membership_change *change, char sign,
                         const uint64_t *users, unsigned count);
/*
 * Writes the conversation's row, and marks all entries as read by the actor.
 * Does not commit.
 */
MUST_CHECK enum status
membership_change_close(struct membership_change *change);

#endif
