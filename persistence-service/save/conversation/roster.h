/*
 * roster - the members of a conversation, prepared for fan-out: for each
 * partition of message_events a key names the members whose frames go there.
 * The keys are written once and used for every message.
 *
 * A large conversation has no such list: its frames go to every partition under
 * the key of the room. Its roster knows only the members that were looked up.
 *
 * A roster is valid for one last_seq, because a membership change takes the
 * next seq. So rosters are cached and used as long as last_seq is the same.
 * When a roster is read again, a membership change may have just happened. Its
 * event, which is perhaps still in the outbox, is added to the batch, because
 * it must precede all later events.
 *
 * Ownership  a roster lives until the next rosters_begin() or
 *            rosters_evict_all().
 * Errors     those of pending_events.h; all calls belong to one open
 *            transaction.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_CONVERSATION_ROSTER_H
#define PARLEY_PERSISTENCE_SAVE_CONVERSATION_ROSTER_H

#include "common/base/buf.h"
#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"

#include <stdbool.h>
#include <stdint.h>

struct roster_target {
	int32_t partition;
	struct span key;
};

struct roster_user {
	uint64_t user;
	uint64_t from; /* the member sees the entries after this seq */
};

struct roster {
	uint64_t conversation;
	uint64_t valid_at_seq; /* the last_seq; UINT64_MAX: invalid */
	bool large;
	unsigned user_count;
	unsigned target_count;
	uint64_t newest_from;      /* the highest `from` of all */
	struct roster_user *users; /* ascending */
	struct roster_target *targets;
};

struct rosters;
struct pending_events;

/* `events` outlives the rosters. */
struct rosters *rosters_create(struct sql *sql, uint32_t partitions,
                               struct pending_events *events);
void rosters_destroy(struct rosters **rosters);
/* Begins a batch: evicts the least recently used when there are too many. */
void rosters_begin(struct rosters *rosters);
void rosters_evict_all(struct rosters *rosters);
/* After a rollback: rosters may have been read or advanced by it. */
void rosters_invalidate_all(struct rosters *rosters);

/* Requests a roster; rosters_load() reads those that are not cached. */
void rosters_request(struct rosters *rosters, uint64_t conversation,
                     uint64_t last_seq, bool large);
MUST_CHECK enum status rosters_load(struct rosters *rosters,
                                    struct batch *batch);
/* A roster that was requested and loaded. */
const struct roster *rosters_get(struct rosters *rosters,
                                 uint64_t conversation);
/* The same; NULL when it was not loaded. */
const struct roster *rosters_find(struct rosters *rosters,
                                  uint64_t conversation);
/* New entries, none of them a membership change, raised last_seq. */
void rosters_advance(struct rosters *rosters, uint64_t conversation,
                     uint64_t last_seq);

/* Adds a member that was found to a large, loaded roster. */
void rosters_add_member(struct rosters *rosters, uint64_t conversation,
                        uint64_t user);

/* False once a transaction that used it was rolled back. */
bool roster_valid(const struct roster *roster);
/* A large roster has only the members that were looked up. */
bool roster_contains(const struct roster *roster, uint64_t user);
/*
 * Appends the key that names the members in a partition who see the entry; adds
 * nothing when there are none. Only entries up to newest_from need this.
 */
void roster_key(const struct roster *roster, uint32_t partition,
                uint32_t partitions, uint64_t seq, struct buf *ret_key);

#endif
