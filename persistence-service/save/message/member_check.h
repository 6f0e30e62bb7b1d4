/*
 * member_check - checks that the sender of a message is in its conversation,
 * and finds the recipients of messages to groups and channels.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_MEMBER_CHECK_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_MEMBER_CHECK_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"
#include "persistence-service/save/conversation/roster.h"

struct member_check;

struct member_check *member_check_create(struct sql *sql,
                                         struct rosters *rosters);
void member_check_destroy(struct member_check **check);

/*
 * Reads the members of the entries' conversations that are not cached. The
 * conversations have their last_seq.
 */
MUST_CHECK enum status member_check_load(struct member_check *check,
                                         struct batch *batch,
                                         struct conversation_cache *cache,
                                         struct batch_entry *const *entries,
                                         unsigned count);
/* True when the sender of one of these entries is in its conversation. */
bool member_check_passed(const struct member_check *check,
                         struct conversation_cache *cache,
                         const struct batch_entry *entry);

#endif
