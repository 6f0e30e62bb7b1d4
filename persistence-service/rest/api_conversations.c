/* POST /conversations, and PATCH and DELETE /conversations/{}. */
#include "persistence-service/rest/api_act.h"

#include <stdio.h>

enum { PLACE_MAX = 64 };

static void answer_made(struct worker *worker, struct http_request *request,
                        bool made, uint64_t user, uint64_t conversation)
{
	char place[PLACE_MAX];

	(void)snprintf(place, sizeof(place), "/conversations/%llu",
	               (unsigned long long)conversation);
	if (made)
		http_set_header(request, "Location", place);
	api_act_answer(worker, request, made ? 201 : 200, user, conversation);
}

/* True, and answered, when this uuid made it before. */
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
	if (api_act_done(worker, request, status))
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
	if (api_act_done(worker, request,
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

	if (api_admit(worker, request, &user) && api_act_json(request, &json) &&
	    api_act_fit(request,
	                conversation_body_new(json, user, users_max, &body)) &&
	    !made_before(worker, request, user, &body) &&
	    api_act_users_exist(worker, request, &body))
		make(worker, request, user, &body);
}

void api_edit(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	struct conversation_body body;
	struct member_act act;

	if (!api_act_admit(worker, request, &act) ||
	    !api_act_json(request, &json) ||
	    !api_act_fit(request, conversation_body_edit(json, &body)))
		return;
	act.name = body.name;
	act.history = body.history;
	if (api_act_done(worker, request,
	                 membership_edit(worker->membership, &act)))
		api_act_answer(worker, request, 200, act.actor,
		               act.conversation);
}

void api_delete(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct member_act act;

	if (api_act_admit(worker, request, &act) &&
	    api_act_done(worker, request,
	                 membership_delete(worker->membership, &act)))
		http_answer(request, 204, NULL, SPAN_NONE);
}
