/*
 * conversation_finder - finds a conversation of the user by its title, its id
 * or the other user.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_CONVERSATION_FINDER_H
#define PARLEY_CLIENT_TEST_CLIENT_CONVERSATION_FINDER_H

#include "client-test/client/rest.h"

struct conversation_finder;

/* The texts are valid until the conversation_found callback returns. */
struct conversation_info {
	uint64_t id;
	uint64_t last_seq;
	uint64_t with;     /* the other user of a direct conversation, or 0 */
	struct span kind;  /* "direct", "group", "channel" */
	struct span title; /* empty for a direct conversation */
};

/*
 * ST_OK; ST_NOT_FOUND: no conversation of the user has this title; ST_CONFLICT:
 * several have it; any other status: the lookup failed. `why` is the reason,
 * for a person.
 */
typedef void conversation_found(void *context, enum status status,
                                const struct conversation_info *info,
                                struct span why);

struct conversation_finder *conversation_finder_create(struct rest *rest);
/* To be destroyed after `rest`, so that no answer arrives any more. */
void conversation_finder_destroy(struct conversation_finder **finder);

/* `in`: the title, or the id in digits. One lookup at a time. */
void conversation_finder_find(struct conversation_finder *finder,
                              struct span token, const char *in,
                              conversation_found *found, void *context);
/* The direct conversation with this user; ST_NOT_FOUND: there is none yet. */
void conversation_finder_find_direct(struct conversation_finder *finder,
                                     struct span token, uint64_t user,
                                     conversation_found *found, void *context);
/* Decodes an item of a list of conversations; false if it is malformed. */
bool conversation_info_read(const struct json *json,
                            struct conversation_info *ret_info);

#endif
