/*
 * member_check - may who wrote to a group or channel do so, and who is to hear
 * of it.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_MEMBER_CHECK_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_MEMBER_CHECK_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"
#include "persistence-service/save/conversation/roster.h"

struct member_check;

struct member_check *member_check_create(struct sql *sql,
                                         struct rosters *rosters);
void member_check_destroy(struct member_check **check);

/*
 * Reads what is not remembered about the talks, which have last_seq, of these
 * entries of the batch.
 */
MUST_CHECK enum status member_check_load(struct member_check *check,
                                         struct batch *batch,
                                         struct talks *talks,
                                         struct batch_entry *const *entries,
                                         unsigned count);
/* One of those entries: its sender is in its conversation. */
bool member_check_passed(const struct member_check *check, struct talks *talks,
                         const struct batch_entry *entry);
/* Whether there are messages to many that were there before this try. */
bool member_check_due(const struct batch *batch);
/*
 * Gives rosters to these: who is in the conversation now; none when it is gone.
 */
MUST_CHECK enum status member_check_address(struct member_check *check,
                                            struct batch *batch);

#endif
