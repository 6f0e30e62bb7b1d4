/*
 * channel_names - the names of channels: unique by name_key(), and searched by
 * the beginning of any word, by the same key without accents.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANNEL_NAMES_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_CHANNEL_NAMES_H

#include "common/base/buf.h"
#include "common/wire/name.h"
#include "persistence-service/rest/sql_session.h"

/* --- within a transaction; `name` is valid ------------------------------- */
/* ST_CONFLICT: another channel has the name. */
MUST_CHECK enum status
channel_names_claim(struct sql *sql, uint64_t conversation, struct span name);
MUST_CHECK enum status
channel_names_change(struct sql *sql, uint64_t conversation, struct span name);
MUST_CHECK enum status channel_names_free(struct sql *sql,
                                          uint64_t conversation);

/* Writes the words of a name anew. */
MUST_CHECK enum status channel_names_replace_words(struct sql *sql,
                                                   uint64_t conversation,
                                                   struct span name);

/* --- names of an older version ------------------------------------------- */
/*
 * Writes the keys and words of channels that an older version made or renamed.
 * If two channels now have one key, the one that has it already, else the older
 * one gets it; the other keeps its old key. Both are found. Idempotent.
 */
MUST_CHECK enum status channel_names_renew(struct sql *sql,
                                           uint64_t *ret_renewed);

/* --- search -------------------------------------------------------------- */
enum {
	CHANNEL_CURSOR_MAX = 2 * NAME_KEY_MAX + 32, /* characters */
	CHANNEL_SEARCH_ROWS_MAX = 500, /* matching words that a page covers */
};

struct channel_search {
	uint64_t user;     /* who searches */
	struct span text;  /* a name, or its beginning; empty: all */
	struct span after; /* a cursor; empty: from the beginning */
	unsigned limit;
};

/*
 * {"channels":[{"id","name","members","joined"}],"next"}: each channel once, in
 * the order of the matching part of its name. A page may have fewer than limit,
 * or none, and a `next` all the same. ST_INVALID: `after` is no cursor.
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
