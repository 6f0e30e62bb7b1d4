/*
 * api_private - what the files of api share; nobody else includes it.
 */
#ifndef PARLEY_PERSISTENCE_REST_API_PRIVATE_H
#define PARLEY_PERSISTENCE_REST_API_PRIVATE_H

#include "common/client/identity_thread.h"
#include "common/io/http/server.h"
#include "persistence-service/announcer.h"
#include "persistence-service/rest/membership/membership.h"
#include "persistence-service/rest/read/history.h"
#include "persistence-service/rest/user_limit.h"

/* What waits for locks, or for Kafka, does not hold up who only reads. */
enum api_pool { QUERY_POOL, CHANGE_POOL, API_POOL_COUNT };

/* What each thread of a pool has for itself. */
struct worker {
	const struct settings *settings;
	struct user_limit *limit;         /* of all */
	struct announcer *announcer;      /* of all; may be NULL */
	struct identity_thread *identity; /* of all */
	struct history *history;
	struct membership *membership;
};

/*
 * Whose token this is, and may they ask for more? Answers and says false when
 * not.
 */
bool api_admit(struct worker *worker, struct http_request *request,
               uint64_t *ret_user);
/* The id in the path; answers 404 with `absent` and says false when none. */
bool api_id(struct http_request *request, unsigned index, const char *absent,
            uint64_t *ret_id);
/* 200 and the JSON, or the problem; `absent` is what ST_NOT_FOUND says. */
void api_answer(struct http_request *request, enum status status,
                const char *absent, const struct buf *json);

extern const char api_no_conversation[];

http_handler api_list_conversations, api_get_conversation, api_list_messages,
	api_list_members, api_sync;
http_handler api_list_blocks, api_put_block, api_remove_block;
http_handler api_search_channels;
http_handler api_make, api_edit, api_delete;
http_handler api_invite, api_join, api_leave, api_remove, api_set_role;

#endif
