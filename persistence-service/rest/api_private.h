/*
 * api_private - shared by api*.c only.
 */
#ifndef PARLEY_PERSISTENCE_REST_API_PRIVATE_H
#define PARLEY_PERSISTENCE_REST_API_PRIVATE_H

#include "common/client/identity_thread.h"
#include "common/io/http/server.h"
#include "persistence-service/outbox_publisher.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/rest/read/history.h"
#include "persistence-service/rest/user_limit.h"

/* Changes wait for locks and for Kafka: they must not hold up reads. */
enum api_pool { QUERY_POOL, CHANGE_POOL, API_POOL_COUNT };

/* The state of one worker thread. */
struct worker {
	const struct settings *settings;
	struct user_limit *limit;                  /* shared */
	struct outbox_publisher *outbox_publisher; /* shared; may be NULL */
	struct identity_thread *identity;          /* shared */
	struct history *history;
	struct membership *membership;
};

/*
 * Identifies the user by the token and checks the rate limit. False, after
 * answering, when one of them fails.
 */
bool api_admit(struct worker *worker, struct http_request *request,
               uint64_t *ret_user);
/* Reads an id of the path. False, after answering 404, when it is none. */
bool api_id(struct http_request *request, unsigned index, const char *absent,
            uint64_t *ret_id);
/* Asks identity-service with the requesting user's token; ST_NOT_FOUND: there
 * is no such user. */
MUST_CHECK enum status api_find_user(struct worker *worker, uint64_t user,
                                     struct span token);
/* Answers a failure of api_find_user() other than ST_NOT_FOUND. */
void api_answer_unknown_user(struct http_request *request, enum status status);
/* False, after answering 422, when `fault` is not NULL. */
bool api_is_valid(struct http_request *request, const char *fault);
/*
 * Answers 200 and takes the bytes of `json`, or answers the problem; `absent`
 * is the detail of 404.
 */
void api_answer(struct http_request *request, enum status status,
                const char *absent, struct buf *json);

extern const char api_no_conversation[];

http_handler api_list_conversations, api_get_conversation, api_list_messages,
	api_list_members, api_sync;
http_handler api_list_blocks, api_put_block, api_remove_block;
http_handler api_search_channels;
http_handler api_make, api_edit, api_delete;
http_handler api_invite, api_join, api_leave, api_remove, api_set_role;

#endif
