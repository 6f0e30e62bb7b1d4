/*
 * summary - one member's view of a conversation, for lists and for the
 * comparison of GET /sync.
 *
 * Ownership  the caller owns struct summaries; summaries_free() accepts a
 *            zeroed one. Pointers into it live until the next add or clear.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_SUMMARY_H
#define PARLEY_PERSISTENCE_REST_READ_SUMMARY_H

#include "common/base/buf.h"
#include "common/base/json_write.h"
#include "common/io/sql/sql.h"
#include "persistence-service/conversation.h"

#include <stdbool.h>
#include <stdint.h>

struct summary {
	uint64_t conversation;
	uint64_t kind;
	uint64_t with; /* direct conversations: the other user */
	uint64_t history;
	uint64_t members;
	uint64_t last_seq;
	uint64_t last_message_id;
	uint64_t revision;
	uint64_t role;
	uint64_t read_seq;
	uint64_t delivered_seq;
	uint64_t from_seq; /* the last entry that the member does not see */
	size_t name_at;    /* in summaries.names */
	size_t name_len;
	bool has_name;
	bool gone; /* only `conversation` is filled */
};

struct summaries {
	struct summary *item;
	unsigned count;
	unsigned room;
	struct buf names;
};

/* Columns of conversations c JOIN members m. */
#define SUMMARY_COLUMNS \
	"c.id, c.kind, c.ckey, c.name, c.history, c.member_count, c.last_seq," \
	" c.last_message_id, c.revision, m.role, m.read_seq, m.delivered_seq," \
	" m.from_seq"
enum { SUMMARY_COLUMN_COUNT = 13 };

void summaries_clear(struct summaries *all);
void summaries_free(struct summaries *all);
/* Adds the row of `user`; ST_BROKEN when it is malformed. */
MUST_CHECK enum status summaries_add(struct summaries *all, uint64_t user,
                                     const struct sql_value *row);
void summaries_add_gone(struct summaries *all, uint64_t conversation);

/* Writes an array element; an empty last_message becomes JSON null. */
void summary_write(const struct summaries *all, const struct summary *summary,
                   struct span last_message, struct json_writer *w);

#endif
