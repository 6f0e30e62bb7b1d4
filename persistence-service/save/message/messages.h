/*
 * messages - saves the new messages of an attempt: finds their conversations,
 * refuses those that may not be sent, locks, assigns seq, writes, and sets the
 * outcome of each.
 *
 * A message is looked for under its (sender, uuid) only when it is refused, and
 * after a conflict: the unique key finds duplicates for nothing.
 *
 * While the last_seq of a conversation is cached no row is read or locked
 * before the messages are inserted. If another process wrote to the
 * conversation meanwhile, (conversation, seq) is taken: ST_CONFLICT.
 *
 * Errors     those of sql.h. ST_CONFLICT, ST_NOT_FOUND: roll back and try again
 *            with attempt.after_conflict.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_MESSAGES_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_MESSAGES_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/conversation/roster.h"

struct messages;

struct messages *messages_create(struct sql *sql, struct rosters *rosters);
void messages_destroy(struct messages **messages);
/*
 * Empties the cache of conversations, or evicts one pair from it, or one group
 * or channel.
 */
void messages_evict_all(struct messages *messages);
void messages_evict_pair(struct messages *messages, uint64_t user,
                         uint64_t other);
void messages_evict_conversation(struct messages *messages,
                                 uint64_t conversation);

MUST_CHECK enum status messages_save(struct messages *messages,
                                     const struct attempt *attempt);
/* The end of the transaction of the last messages_save(). */
void messages_committed(struct messages *messages);
void messages_rolled_back(struct messages *messages);

#endif
