/* POST /conversations, and PATCH and DELETE /conversations/{}. */
#include "persistence-service/rest/api_action.h"

#include <stdio.h>

enum { LOCATION_MAX = 64 };

static void answer_made(struct worker *worker, struct http_request *request,
                        bool made, uint64_t user, uint64_t conversation)
{
	char location[LOCATION_MAX];

	(void)snprintf(location, sizeof(location), "/conversations/%llu",
	               (unsigned long long)conversation);
	if (made)
		http_set_header(request, "Location", location);
	api_action_answer(worker, request, made ? 201 : 200, user,
	                  conversation);
}

/* True, after answering, when an earlier request with this uuid made it. */
static bool made_before(struct worker *worker, struct http_request *request,
                        uint64_t user, const struct conversation_body *body)
{
	uint64_t conversation;
	enum status status;

	if (!body->has_uuid)
		return false;
	status = membership_made(worker->membership, user, &body->uuid,
	                         &conversation);
	if (status == ST_NOT_FOUND)
		return false;
	if (api_action_done(worker, request, status))
		answer_made(worker, request, false, user, conversation);
	return true;
}

static void make(struct worker *worker, struct http_request *request,
                 uint64_t user, const struct conversation_body *body)
{
	struct new_conversation wish = {.kind = body->kind,
	                                .history = body->history,
	                                .name = body->name,
	                                .users = body->users,
	                                .user_count = body->user_count,
	                                .uuid = body->uuid};
	uint64_t conversation;
	bool made;

	if (!body->has_uuid)
		uuid_make(&wish.uuid);
	if (api_action_done(worker, request,
	                    membership_make(worker->membership, user, &wish,
	                                    &conversation, &made)))
		answer_made(worker, request, made, user, conversation);
}

void api_make(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	unsigned users_max = (unsigned)worker->settings->invites_max;
	struct conversation_body body;
	uint64_t user;

	if (api_admit(worker, request, &user) &&
	    api_action_json(request, &json) &&
	    api_is_valid(request,
	                 conversation_body_new(json, user, users_max, &body)) &&
	    !made_before(worker, request, user, &body) &&
	    api_action_users_exist(worker, request, &body))
		make(worker, request, user, &body);
}

void api_edit(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	struct conversation_body body;
	struct membership_action action;

	if (!api_action_admit(worker, request, &action) ||
	    !api_action_json(request, &json) ||
	    !api_is_valid(request, conversation_body_edit(json, &body)))
		return;
	action.name = body.name;
	action.history = body.history;
	if (api_action_done(worker, request,
	                    membership_edit(worker->membership, &action)))
		api_action_answer(worker, request, 200, action.actor,
		                  action.conversation);
}

void api_delete(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct membership_action action;

	if (api_action_admit(worker, request, &action) &&
	    api_action_done(worker, request,
	                    membership_delete(worker->membership, &action)))
		http_answer(request, 204, NULL, SPAN_NONE);
}
