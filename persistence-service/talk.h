/*
 * talk - the conversations that one transaction touches.
 *
 * Each pair of users is looked up once; what a commit made certain, id and
 * last_seq, is remembered for the next transaction in a bounded map. An id
 * stays true. last_seq can be behind, when another process wrote meanwhile:
 * then the next seq is taken, and the unique key says so.
 */
#ifndef PARLEY_PERSISTENCE_TALK_H
#define PARLEY_PERSISTENCE_TALK_H

#include "common/io/sql.h"
#include "common/wire/save_record.h"

#include <stdbool.h>
#include <stdint.h>

struct talk {
	uint64_t user[2]; /* rising; equal in a talk with oneself */
	uint64_t id;      /* 0: not known yet */
	uint64_t created_by;
	uint64_t last_seq;
	uint64_t last_message_id;
	uint64_t read_seq[2]; /* of those users, when they wrote; or 0 */
	bool made;            /* by this transaction */
	bool seq_known;       /* last_seq is remembered, not read and locked */
	char key[CONVERSATION_KEY_MAX];
	unsigned key_len;
};

struct talks;

struct talks *talks_create(void);
void talks_destroy(struct talks **talks);
/* Forgets those of the last transaction, keeps what is remembered. */
void talks_clear(struct talks *talks);
/* The index of the record's conversation, from 0. */
unsigned talks_find(struct talks *talks, const struct save_record *record);
struct talk *talks_at(struct talks *talks, unsigned index);
/* NULL when this transaction has none of that key. */
struct talk *talks_with_key(struct talks *talks, struct span key);
unsigned talks_count(const struct talks *talks);
unsigned talks_side(const struct talk *talk, uint64_t user);

/* What this transaction has was committed, or is to be asked for again. */
void talks_remember(struct talks *talks);
void talks_forget(struct talks *talks);
/* Of all transactions. */
void talks_forget_all(struct talks *talks);

#endif
