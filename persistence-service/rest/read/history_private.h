/*
 * history_private - shared by history*.c only.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_HISTORY_PRIVATE_H
#define PARLEY_PERSISTENCE_REST_READ_HISTORY_PRIVATE_H

#include "persistence-service/rest/read/entries.h"
#include "persistence-service/rest/read/history.h"
#include "persistence-service/rest/read/summary.h"
#include "persistence-service/rest/sql_session.h"

/*
 * Bytes of an answer. A page ends before the entry, or after the group of
 * conversations, that exceeds it; it has at least one of them.
 */
#define PAGE_BYTES_MAX ((size_t)512 * 1024)
/* Bytes of an answer; see history_write_summaries(). */
#define LAST_MESSAGES_MAX ((size_t)1024 * 1024)
/* Bytes of one entry: more than a frame when REACTIONS_MAX is high. */
#define ENTRY_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct history {
	struct sql_session *session;
	struct summaries all; /* of the current answer */
	struct entries *entries;
	struct buf frame;
};

/* Reads one summary into all.item[0]; ST_NOT_FOUND: the user is no member. */
MUST_CHECK enum status history_find(struct history *h, uint64_t user,
                                    uint64_t conversation);
/*
 * Writes the objects of the summaries, each with its last entry. Objects that
 * begin after LAST_MESSAGES_MAX bytes come without their last entry.
 */
MUST_CHECK enum status history_write_summaries(struct history *h, uint64_t user,
                                               const struct summary *summaries,
                                               unsigned count,
                                               struct json_writer *w);
/*
 * Completes the entries that were read, with their reactions. Drops the last
 * entries when those before exceed bytes_max.
 */
MUST_CHECK enum status history_complete_entries(struct history *h,
                                                size_t bytes_max);
/* The frame of an entry for the user; lives until the next call. */
struct span history_frame(struct history *h, uint64_t user,
                          const struct summary *summary,
                          struct saved_message *message);
void history_write_next(struct json_writer *w, bool more, uint64_t next);

#endif
