/*
 * reply_check - whether what a message answers to is there: a message, not an
 * entry about members, and one that its writer may see.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_REPLY_CHECK_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_REPLY_CHECK_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"

struct reply_check;

struct reply_check *reply_check_create(struct sql *sql);
void reply_check_destroy(struct reply_check **check);

/* Looks for what these entries, whose talks are known, answer to. */
MUST_CHECK enum status reply_check_load(struct reply_check *check,
                                        struct talks *talks,
                                        struct batch_entry *const *entries,
                                        unsigned count);
/* One of those: it answers to nothing, or to what is there. */
bool reply_check_passed(const struct reply_check *check, struct talks *talks,
                        const struct batch_entry *entry);

#endif
