/*
 * member_check - checks that the sender of a message is in its conversation.
 *
 * All calls belong to one open transaction. Errors are those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_MEMBER_CHECK_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_MEMBER_CHECK_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/conversation/roster.h"
#include "persistence-service/save/message/new_message.h"

struct member_check;

struct member_check *member_check_create(struct sql *sql,
                                         struct rosters *rosters);
void member_check_destroy(struct member_check **check);

/*
 * Reads the members of the messages' conversations that are not cached. The
 * states of the conversations are known.
 */
MUST_CHECK enum status member_check_load(struct member_check *check,
                                         struct batch *batch,
                                         const struct new_message *messages,
                                         unsigned count);
/* True when the sender of one of these messages is in its conversation. */
bool member_check_passed(const struct member_check *check,
                         const struct new_message *message);

#endif
