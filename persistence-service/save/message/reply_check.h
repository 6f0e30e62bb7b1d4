/*
 * reply_check - checks that a message replies to an existing message that its
 * sender may see, and not to an entry about members.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_REPLY_CHECK_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_REPLY_CHECK_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"

struct reply_check;

struct reply_check *reply_check_create(struct sql *sql);
void reply_check_destroy(struct reply_check **check);

/* Reads the messages that the entries reply to; conversations are known. */
MUST_CHECK enum status reply_check_load(struct reply_check *check,
                                        struct conversation_cache *cache,
                                        struct batch_entry *const *entries,
                                        unsigned count);
/* True when one of these entries is no reply, or a valid one. */
bool reply_check_passed(const struct reply_check *check,
                        struct conversation_cache *cache,
                        const struct batch_entry *entry);

#endif
