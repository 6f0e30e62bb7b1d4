/*
 * reply_check - checks that a message replies to an existing message that its
 * sender may see, and not to an entry about members.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_REPLY_CHECK_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_REPLY_CHECK_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/message/new_message.h"

struct reply_check;

struct reply_check *reply_check_create(struct sql *sql);
void reply_check_destroy(struct reply_check **check);

/* Reads the messages that these reply to; conversations are known. */
MUST_CHECK enum status reply_check_load(struct reply_check *check,
                                        const struct new_message *messages,
                                        unsigned count);
/* True when one of these messages is no reply, or a valid one. */
bool reply_check_passed(const struct reply_check *check,
                        const struct new_message *message);

#endif
