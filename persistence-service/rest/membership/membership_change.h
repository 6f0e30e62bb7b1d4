/*
 * change - one change of a conversation, in the transaction that is under way:
 * the change is written into its history as an entry of the next seq, and the
 * members' sockets are told through the outbox.
 *
 * Every change takes a seq. That is what invalidates what writers remember of
 * the conversation: they lock no row as long as their next seq is free. A
 * change does as they do, first the seq, then the row: who locked the row first
 * would meet the writer of a busy conversation in a deadlock, again and again.
 *
 * Threads    one thread each, with the connection that it is made with.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANGE_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANGE_H

#include "common/base/buf.h"
#include "common/io/sql/sql.h"
#include "common/wire/frame.h"
#include "persistence-service/conversation.h"
#include "persistence-service/settings.h"
#include "persistence-service/sql_time.h"

struct change {
	struct sql *sql;
	uint64_t fanout_list_max;
	uint64_t now_ms; /* unix */
	struct sql_time now;

	/* The conversation as it is after what was done so far. */
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
	enum member_role role; /* the actor's, when it was opened */

	uint64_t claimed_seq; /* 0: none */
	uint64_t claimed_id;

	struct saved_message entry; /* the last one */
	struct buf text;            /* of it */
	struct buf frame;
	struct buf target;
	struct buf room;
};

/* What an entry says; what is 0 or empty is left out. */
struct change_says {
	const char *what;
	const uint64_t *users;
	unsigned user_count;
	uint64_t owner;
	enum member_role role;
	enum history_kind history;
	struct span name;
};

void change_start(struct change *change, struct sql *sql,
                  const struct settings *settings);
void change_free(struct change *change);

/* Nothing is claimed: a transaction has begun. */
void change_begin(struct change *change);
/*
 * The conversation as it is; once a seq is claimed, locked. ST_NOT_FOUND: it
 * never was, or is deleted.
 */
MUST_CHECK enum status change_open(struct change *change, uint64_t conversation,
                                   uint64_t actor);
/* A new one, empty and without a name of its own yet. */
struct change_new {
	enum conversation_kind kind;
	enum history_kind history;
	struct span name;
};
MUST_CHECK enum status change_open_new(struct change *change,
                                       const struct change_new *made,
                                       uint64_t actor);

/*
 * Takes the next seq of the open conversation for the first entry: nobody else
 * gets it, or a later one. Open it again, for it may have changed meanwhile.
 * ST_CONFLICT: it is too busy, or (actor, uuid) is taken.
 */
MUST_CHECK enum status change_claim(struct change *change,
                                    const struct uuid *uuid);
/* ST_CONFLICT: (actor, uuid) is taken, by another transaction. */
MUST_CHECK enum status change_enter(struct change *change,
                                    const struct uuid *uuid,
                                    const struct change_says *says);

/*
 * The frame of the last entry, to all who are in it now, and to `users` who
 * have just come in ('+') or gone ('-'); '=': nobody has.
 */
MUST_CHECK enum status change_tell(struct change *change, char sign,
                                   const uint64_t *users, unsigned count);
/* Writes the row, and that the actor has read it all; not the commit. */
MUST_CHECK enum status change_close(struct change *change);

#endif
