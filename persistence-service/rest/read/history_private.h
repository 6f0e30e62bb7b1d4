/*
 * history_private - what the files of history share; nobody else includes it.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_HISTORY_PRIVATE_H
#define PARLEY_PERSISTENCE_REST_READ_HISTORY_PRIVATE_H

#include "persistence-service/rest/read/entries.h"
#include "persistence-service/rest/read/history.h"
#include "persistence-service/rest/read/summary.h"
#include "persistence-service/rest/sql_session.h"

/* Of an answer; see history_write_summaries(). */
#define LAST_MESSAGES_MAX ((size_t)16 * 1024 * 1024)

struct history {
	struct reader *reader;
	struct summaries all; /* of the answer that is being made */
	struct entries *entries;
	struct buf frame;
};

/* Puts the one summary into all.item[0]; ST_NOT_FOUND: not the user's. */
MUST_CHECK enum status history_find(struct history *h, uint64_t user,
                                    uint64_t conversation);
/*
 * The objects of all.item[from..to), each with its last entry, but for what
 * begins beyond LAST_MESSAGES_MAX bytes.
 */
MUST_CHECK enum status history_write_summaries(struct history *h, uint64_t user,
                                               unsigned from, unsigned to,
                                               struct json_writer *w);
/* The frame of a user's entry; lives until the next. */
struct span history_frame(struct history *h, uint64_t user,
                          const struct summary *summary,
                          struct saved_message *message);
void history_write_next(struct json_writer *w, bool more, uint64_t next);

#endif
