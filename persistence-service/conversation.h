/*
 * conversation - the kinds of conversations, histories and roles: the numbers
 * of the tables and the words of the protocol. docs/protocol/conversations.md
 */
#ifndef PARLEY_PERSISTENCE_CONVERSATION_H
#define PARLEY_PERSISTENCE_CONVERSATION_H

#include "common/base/span.h"

#include <stdbool.h>

enum conversation_kind { KIND_DIRECT = 1, KIND_GROUP, KIND_CHANNEL };

/* The entries that a new member sees: all, or those from joining on. */
enum history_kind { HISTORY_ALL = 1, HISTORY_JOINED };

/* Ascending: each role includes the rights of the lower ones. */
enum member_role { ROLE_NONE, ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

/* Users that one change of a conversation names. */
enum { CHANGE_USERS_MAX = 64 };

/* Refuses "direct": the first message of a pair makes that conversation. */
bool conversation_kind_read(struct span word, enum conversation_kind *ret_kind);
bool conversation_history_read(struct span word,
                               enum history_kind *ret_history);
bool member_role_read(struct span word, enum member_role *ret_role);
const char *conversation_kind_word(enum conversation_kind kind);
const char *conversation_history_word(enum history_kind history);
const char *member_role_word(enum member_role role);

#endif
