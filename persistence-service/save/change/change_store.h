/*
 * change_store - reads and writes changes of messages: the tables revisions,
 * reactions and messages.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CHANGE_STORE_H
#define PARLEY_PERSISTENCE_SAVE_CHANGE_STORE_H

#include "common/io/sql/sql.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"
#include "persistence-service/save/batch/text_store.h"

struct change_store;

struct change_store *change_store_create(struct sql *sql);
void change_store_destroy(struct change_store **store);

/*
 * What the (sender, uuid) of a record names already; else ST_NOT_FOUND. An edit
 * has its text while the message has the text of the record; after a later edit
 * or a deletion it has none.
 */
struct known_change {
	bool is_change; /* else a message, or a change of members */
	struct saved_change change;
};
MUST_CHECK enum status change_store_find(struct change_store *store,
                                         const struct save_record *record,
                                         struct text_store *texts,
                                         struct known_change *ret_known);

/* The message that a change names, and its conversation, both rows locked. */
struct message_ref {
	bool direct;
	uint64_t low, high; /* the users of a direct conversation */
	uint64_t last_seq;
	uint64_t revision;
	bool large;
	uint64_t role;
	uint64_t from_seq;
	bool exists; /* the message, not only the conversation */
	uint64_t author;
	uint64_t kind;
	bool deleted;
	bool is_blocked; /* user_to blocks the sender */
	bool blocks;     /* the sender blocks user_to */
};
/* ST_NOT_FOUND: no such conversation, or the sender is no member of it. */
MUST_CHECK enum status change_store_lock(struct change_store *store,
                                         const struct save_record *record,
                                         struct message_ref *ret_ref);

/*
 * Does not fit: the message has `max` different reactions already, and that of
 * the record is not among them.
 */
MUST_CHECK enum status
change_store_reaction_fits(struct change_store *store,
                           const struct save_record *record, unsigned max,
                           bool *ret_fits);

/* ST_CONFLICT when the (user, uuid) is in use. */
MUST_CHECK enum status change_store_write(struct change_store *store,
                                          const struct saved_change *change);

#endif
