/*
 * history - conversations and their messages, read for one user.
 *
 * Errors     ST_NOT_FOUND    no such conversation, or the user is no member
 *            ST_UNAVAILABLE  the database is away
 * Threads    one thread each, with a connection of its own.
 */
#ifndef PARLEY_PERSISTENCE_HISTORY_H
#define PARLEY_PERSISTENCE_HISTORY_H

#include "common/base/buf.h"
#include "persistence-service/settings.h"

enum { PAGE_MAX = 200, PAGE_DEFAULT = 50 };

struct history;

struct history *history_create(const struct settings *settings);
void history_destroy(struct history **history);

/*
 * {"conversations":[…],"next":…}: those whose last message is older than id
 * `before` (UINT64_MAX: all), newest first.
 */
MUST_CHECK enum status history_conversations(struct history *history,
                                             uint64_t user, uint64_t before,
                                             unsigned limit,
                                             struct buf *ret_json);

/* One of them, as it stands in the list; ST_NOT_FOUND: not the user's. */
MUST_CHECK enum status history_conversation(struct history *history,
                                            uint64_t user,
                                            uint64_t conversation,
                                            struct buf *ret_json);

struct history_page {
	uint64_t conversation;
	bool backwards; /* just before `seq`, else just after it */
	uint64_t seq;
	unsigned limit;
};

/* {"messages":[…],"next":…}, ascending either way. */
MUST_CHECK enum status history_messages(struct history *history, uint64_t user,
                                        const struct history_page *page,
                                        struct buf *ret_json);

#endif
