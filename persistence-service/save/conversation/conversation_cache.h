/*
 * talk - the conversations that one transaction touches.
 *
 * Each is looked up once: a pair of users by its key, any other by its id. What
 * a commit made certain is remembered for the next transaction in a bounded
 * map. An id stays true. last_seq can be behind, when somebody else wrote
 * meanwhile: then the next seq is taken, and the unique key says so. Whoever
 * comes or goes takes a seq, so that what is known of members is as good as
 * last_seq. A block list takes none: whoever changes one says so
 * (SAVE_BLOCKED).
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_CACHE_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_CACHE_H

#include "common/io/sql/sql.h"
#include "common/wire/save_record.h"

#include <stdbool.h>
#include <stdint.h>

/* What `blocked` of a pair is made of. */
enum { LOW_BLOCKS_HIGH = 1, HIGH_BLOCKS_LOW = 2 };

struct talk {
	/* A pair, rising; equal in a talk with oneself. Or 0 and the id. */
	uint64_t user[2];
	uint64_t id; /* 0: not known yet */
	uint64_t created_by;
	uint64_t last_seq;
	uint64_t last_message_id;
	uint64_t read_seq[2]; /* of a pair's users, when they wrote; or 0 */
	bool made;            /* by this transaction */
	bool seq_known;       /* last_seq is remembered, not read and locked */
	bool written;         /* by this transaction */
	bool absent;          /* there is no conversation of that id */
	bool large;
	bool blocks_known;
	uint8_t blocked;
	struct talk *pair; /* of an id that turned out to be a pair's */
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
unsigned talks_index(const struct talks *talks, const struct talk *talk);
/* NULL when this transaction has none of that key. */
struct talk *talks_with_key(struct talks *talks, struct span key);
unsigned talks_count(const struct talks *talks);
unsigned talks_side(const struct talk *talk, uint64_t user);
static inline bool talk_is_pair(const struct talk *talk)
{
	return talk->user[0] != 0;
}

/*
 * The talk by its id, whose row was read, is that of this pair: gives the
 * pair's talk, with what was read.
 */
void talks_is_pair(struct talks *talks, struct talk *talk, uint64_t low,
                   uint64_t high);

/* What this transaction has was committed, or is to be asked for again. */
void talks_remember(struct talks *talks);
void talks_forget(struct talks *talks);
/* A pair's block list has changed. */
void talks_forget_pair(struct talks *talks, uint64_t user, uint64_t other);
/* Of all transactions. */
void talks_forget_all(struct talks *talks);

#endif
