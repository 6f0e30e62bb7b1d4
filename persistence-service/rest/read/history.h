/*
 * history - reads conversations, their entries and their members for one user.
 *
 * Errors     ST_NOT_FOUND    no such conversation, or the user is no member
 *            ST_UNAVAILABLE  the database is away
 * Threads    one thread each, with a connection of its own.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_HISTORY_H
#define PARLEY_PERSISTENCE_REST_READ_HISTORY_H

#include "common/base/buf.h"
#include "persistence-service/rest/read/sync_cursor.h"
#include "persistence-service/settings.h"

enum { PAGE_MAX = 200, PAGE_DEFAULT = 50, SYNC_MAX = 500 };

struct history;
struct sql_session;

struct history *history_create(const struct settings *settings);
void history_destroy(struct history **history);
/* Its connection, for other modules of the same thread. */
struct sql_session *history_session(struct history *history);

/*
 * {"conversations":[…],"next":…}: the conversations whose last message has an
 * id below `before` (UINT64_MAX: all), newest first.
 */
MUST_CHECK enum status history_conversations(struct history *history,
                                             uint64_t user, uint64_t before,
                                             unsigned limit,
                                             struct buf *ret_json);

/* One conversation, as in the list. */
MUST_CHECK enum status history_conversation(struct history *history,
                                            uint64_t user,
                                            uint64_t conversation,
                                            struct buf *ret_json);

/* Entries after the seq `from`, before it, or changed after this revision. */
enum history_part { PART_AFTER, PART_BEFORE, PART_REVISED };

struct history_page {
	uint64_t conversation;
	enum history_part part;
	uint64_t from; /* a seq, or a revision */
	unsigned limit;
};

/* {"messages":[…],"next":…}, ascending by seq, or by revision. */
MUST_CHECK enum status history_messages(struct history *history, uint64_t user,
                                        const struct history_page *page,
                                        struct buf *ret_json);

struct history_members {
	uint64_t conversation;
	uint64_t after; /* users with a higher id */
	uint64_t seen;  /* members who have read this seq; 0: all */
	unsigned limit;
};

/*
 * {"members":[…],"next":…}, ascending by user. With `seen` a page may be
 * shorter than its limit although more follow: the query reads at most some
 * thousand members.
 */
MUST_CHECK enum status history_members(struct history *history, uint64_t user,
                                       const struct history_members *page,
                                       struct buf *ret_json);

/*
 * {"conversations":[…],"gone":[…],"cursor":…,"more":…}: about `limit`
 * conversations that changed since the cursor, which is advanced.
 */
MUST_CHECK enum status history_sync(struct history *history, uint64_t user,
                                    struct sync_cursor *cursor, unsigned limit,
                                    struct buf *ret_json);

#endif
