/*
 * roster - who is in a conversation, as fan-out needs it: the users, and for
 * each partition of message_events the key that names those of them who have
 * their frames there, written once and used for every message.
 *
 * A large conversation has no such list: its frames go to every partition under
 * the key of the room. Of its users only those are known who were looked for.
 *
 * A roster is true for one last_seq: whoever comes or goes takes the next seq.
 * So it is remembered, and used as long as last_seq is what it was. When it has
 * to be read anew somebody may just have come or gone; what the outbox still
 * has to say of that goes into the batch, to be told before anything later.
 *
 * Ownership  a roster lives until the next rosters_begin().
 * Errors     those of sql.h; all calls belong to one open transaction.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_ROSTER_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_ROSTER_H

#include "common/base/buf.h"
#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"

#include <stdbool.h>
#include <stdint.h>

struct roster_target {
	int32_t partition;
	struct span key;
};

struct roster_user {
	uint64_t user;
	uint64_t from; /* sees the entries behind that one */
};

struct roster {
	uint64_t conversation;
	uint64_t as_of; /* the last_seq that it is true for */
	bool large;
	unsigned user_count;
	unsigned target_count;
	uint64_t newest;           /* the highest `from` of all */
	struct roster_user *users; /* rising */
	struct roster_target *targets;
};

struct rosters;

struct rosters *rosters_create(struct sql *sql, uint32_t partitions);
void rosters_destroy(struct rosters **rosters);
/* Before a batch: those longest unused are forgotten when there are many. */
void rosters_begin(struct rosters *rosters);
void rosters_forget_all(struct rosters *rosters);
/* What was read or went on in a transaction that came to nothing. */
void rosters_doubt_all(struct rosters *rosters);

/* Asks for one; what is not remembered is read by the next rosters_load(). */
void rosters_want(struct rosters *rosters, uint64_t conversation,
                  uint64_t last_seq, bool large);
MUST_CHECK enum status rosters_load(struct rosters *rosters,
                                    struct batch *batch);
/* One that was wanted and loaded. */
const struct roster *rosters_get(struct rosters *rosters,
                                 uint64_t conversation);
/* The same; NULL when it was not. */
const struct roster *rosters_find(struct rosters *rosters,
                                  uint64_t conversation);
/* The conversation has gone on, and nobody came or went. */
void rosters_go_on(struct rosters *rosters, uint64_t conversation,
                   uint64_t last_seq);

/* A user was found to be in a large one that was wanted and loaded. */
void rosters_learn(struct rosters *rosters, uint64_t conversation,
                   uint64_t user);

/* Of a large one: as far as that is known. */
bool roster_has(const struct roster *roster, uint64_t user);
/*
 * The key that names those in a partition who see the entry, appended; empty
 * for nobody. Needed only for an entry that is not behind `newest`.
 */
void roster_key(const struct roster *roster, uint32_t partition,
                uint32_t partitions, uint64_t seq, struct buf *ret_key);

#endif
