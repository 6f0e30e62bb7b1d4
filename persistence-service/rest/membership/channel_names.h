/*
 * channel_names - the names of channels: unique without regard to case, and
 * searched by the beginning of any word, without regard to case and accents.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANNEL_NAMES_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANNEL_NAMES_H

#include "common/base/buf.h"
#include "persistence-service/rest/sql_session.h"

/* --- within a transaction; `name` is valid ------------------------------- */
/* ST_CONFLICT: another channel has the name. */
MUST_CHECK enum status
channel_names_claim(struct sql *sql, uint64_t conversation, struct span name);
MUST_CHECK enum status
channel_names_change(struct sql *sql, uint64_t conversation, struct span name);
MUST_CHECK enum status channel_names_free(struct sql *sql,
                                          uint64_t conversation);

/* --- search -------------------------------------------------------------- */
enum {
	CHANNEL_SEARCH_MAX = 256,  /* bytes: 64 code points */
	CHANNEL_CURSOR_MAX = 1600, /* characters */
};

struct channel_search {
	uint64_t user;     /* who searches */
	struct span text;  /* UTF-8; empty: all */
	struct span after; /* a cursor; empty: from the beginning */
	unsigned limit;
};

/*
 * {"channels":[{"id","name","members","joined"}],"next"}: each channel once, in
 * the order of the matching part of its name. ST_INVALID: `after` is no cursor.
 */
MUST_CHECK enum status channel_names_search(struct sql_session *session,
                                            const struct channel_search *search,
                                            struct buf *ret_json);

/*
 * The offset of the next word that begins after byte `at` of the name; the
 * length of the name when there is none.
 */
size_t channel_names_next_word(struct span name, size_t at);

#endif
