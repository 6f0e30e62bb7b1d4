/*
 * conversation_body - reads the JSON bodies of the requests that make and
 * change conversations.
 *
 * Each function returns NULL, or a text for the client that names the fault.
 * The name is a span of the struct: do not copy it.
 */
#ifndef PARLEY_PERSISTENCE_REST_MEMBERSHIP_CONVERSATION_BODY_H
#define PARLEY_PERSISTENCE_REST_MEMBERSHIP_CONVERSATION_BODY_H

#include "common/base/uuid.h"
#include "common/io/json.h"
#include "common/wire/name.h"
#include "persistence-service/conversation.h"

struct conversation_body {
	enum conversation_kind kind;
	enum history_kind history; /* 0: absent */
	enum member_role role;
	struct span name; /* normalised; empty: absent */
	char name_bytes[NAME_MAX_BYTES];
	bool has_uuid;
	struct uuid uuid;
	uint64_t users[CHANGE_USERS_MAX]; /* each once */
	unsigned user_count;
};

/* kind and name; optional: users (`self` is left out), history, uuid. */
MUST_CHECK const char *conversation_body_new(const struct json *json,
                                             uint64_t self, unsigned users_max,
                                             struct conversation_body *ret);
/* name, history, or both. */
MUST_CHECK const char *conversation_body_edit(const struct json *json,
                                              struct conversation_body *ret);
/* users, one or more. */
MUST_CHECK const char *conversation_body_invite(const struct json *json,
                                                unsigned users_max,
                                                struct conversation_body *ret);
/* role */
MUST_CHECK const char *conversation_body_role(const struct json *json,
                                              struct conversation_body *ret);

#endif
