/*
 * entries - the entries of one page, with their texts and reactions.
 *
 * entries_add() or entries_find() reads the rows, reactions_read() their
 * reactions, and entries_resolve_spans() completes the messages.
 *
 * Ownership  entries_create() … entries_destroy(). The spans of the messages
 *            are valid from entries_resolve_spans() to entries_clear().
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_ENTRIES_H
#define PARLEY_PERSISTENCE_REST_READ_ENTRIES_H

#include "common/io/sql/bulk.h"
#include "common/wire/frame.h"
#include "persistence-service/rest/sql_session.h"

enum { ENTRIES_MAX = 200, PAIRS_MAX = 50 };

/* The reactions of a page, as JSON. */
#define REACTIONS_JSON_MAX ((size_t)4 * 1024 * 1024)

/* The columns of messages x that entries_add() takes. */
#define ENTRY_COLUMNS \
	"x.conversation, x.seq, x.id, x.sender, x.uuid, x.created_at, x.body," \
	" x.kind, x.reply_to, x.revision, x.edited_at, x.deleted_at"
enum { ENTRY_COLUMN_COUNT = 12 };

struct entry_pair { /* identifies an entry */
	uint64_t conversation;
	uint64_t seq;
};

struct entries {
	unsigned count;
	struct saved_message message[ENTRIES_MAX];
	size_t text_at[ENTRIES_MAX];
	struct buf texts;
	struct buf reactions;
	size_t reactions_at[ENTRIES_MAX];
};

struct entries *entries_create(void);
void entries_destroy(struct entries **entries);
void entries_clear(struct entries *entries);
/* At most ENTRIES_MAX times; ST_BROKEN when the row is malformed. */
MUST_CHECK enum status entries_add(struct entries *entries,
                                   const struct sql_value *row);
/* Reads up to PAIRS_MAX entries, in any order; skips those that do not exist.
 */
MUST_CHECK enum status entries_find(struct entries *entries,
                                    struct sql_session *session,
                                    const struct entry_pair *pairs,
                                    unsigned count);
/* Sets the spans; ST_BROKEN when texts or reactions are too long. */
MUST_CHECK enum status entries_resolve_spans(struct entries *entries);
/* NULL when the page does not have it. */
struct saved_message *entries_get(struct entries *entries,
                                  uint64_t conversation, uint64_t seq);

/*
 * Runs a statement whose rows are a conversation and a seq, for up to PAIRS_MAX
 * entries.
 */
MUST_CHECK enum status entry_pairs_run(struct sql_session *session,
                                       struct sql_bulk *bulk,
                                       const struct entry_pair *pairs,
                                       unsigned count);

#endif
