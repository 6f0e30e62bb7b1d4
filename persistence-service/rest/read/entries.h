/*
 * entries - a page of entries, read whole so that their reactions can be asked
 * for before they become frames.
 *
 * Ownership  entries_create() … entries_destroy(). Spans of messages point into
 *            it, from entries_finish() to entries_clear().
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_ENTRIES_H
#define PARLEY_PERSISTENCE_REST_READ_ENTRIES_H

#include "common/io/sql/bulk.h"
#include "common/wire/frame.h"
#include "persistence-service/rest/sql_session.h"

enum { ENTRIES_MAX = 200, PAIRS_MAX = 50 };

/* Of messages x. */
#define ENTRY_COLUMNS \
	"x.conversation, x.seq, x.id, x.sender, x.uuid, x.created_at, x.body," \
	" x.kind, x.reply_to, x.revision, x.edited_at, x.deleted_at"
enum { ENTRY_COLUMN_COUNT = 12 };

struct entry_pair { /* names an entry */
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
/* Room for one more must be there; ST_BROKEN when the row can't be. */
MUST_CHECK enum status entries_add(struct entries *entries,
                                   const struct sql_value *row);
/* Up to PAIRS_MAX entries, in any order; those that are not there are not. */
MUST_CHECK enum status entries_find(struct entries *entries,
                                    struct reader *reader,
                                    const struct entry_pair *pairs,
                                    unsigned count);
/* When all are there: their texts, and the reactions of those with any. */
MUST_CHECK enum status entries_finish(struct entries *entries,
                                      struct reader *reader);
/* NULL when it is not among them. */
struct saved_message *entries_named(struct entries *entries,
                                    uint64_t conversation, uint64_t seq);

/*
 * Runs a statement whose rows are a conversation and a seq, for up to PAIRS_MAX
 * entries.
 */
MUST_CHECK enum status entry_pairs_run(struct reader *reader,
                                       struct sql_bulk *bulk,
                                       const struct entry_pair *pairs,
                                       unsigned count);

#endif
