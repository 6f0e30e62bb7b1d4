/* Changes of members: /conversations/{}/members, join and leave. */
#include "common/base/json_write.h"
#include "persistence-service/rest/api_action.h"

#include <string.h>

enum { JSON_MAX = 4096 };

static void answer_users(struct http_request *request,
                         const struct membership_action *action)
{
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct json_writer w = json_writer(&json);

	json_open(&w);
	json_open_array(&w, "users");
	for (unsigned i = 0; i < action->user_count; i++)
		json_number(&w, NULL, action->users[i]);
	json_close_array(&w);
	json_close(&w);
	http_answer_json(request, 200, buf_span(&json));
}

/* The users are looked up only when the actor may invite them. */
void api_invite(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	unsigned users_max = (unsigned)worker->settings->invites_max;
	struct conversation_body body;
	struct membership_action action;

	if (!api_action_admit(worker, request, &action) ||
	    !api_action_json(request, &json) ||
	    !api_is_valid(request,
	                  conversation_body_invite(json, users_max, &body)) ||
	    !api_action_done(
		    worker, request,
		    membership_may_invite(worker->membership, &action)) ||
	    !api_action_users_exist(worker, request, &body))
		return;
	memcpy(action.users, body.users, sizeof(action.users));
	action.user_count = body.user_count;
	if (api_action_done(worker, request,
	                    membership_invite(worker->membership, &action)))
		answer_users(request, &action);
}

void api_join(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct membership_action action;

	if (api_action_admit(worker, request, &action) &&
	    api_action_done(worker, request,
	                    membership_join(worker->membership, &action)))
		api_action_answer(worker, request, 200, action.actor,
		                  action.conversation);
}

void api_leave(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct membership_action action;

	if (api_action_admit(worker, request, &action) &&
	    api_action_done(worker, request,
	                    membership_leave(worker->membership, &action)))
		http_answer(request, 204, NULL, SPAN_NONE);
}

void api_remove(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct membership_action action;

	if (api_action_admit_user(worker, request, &action) &&
	    api_action_done(worker, request,
	                    membership_remove(worker->membership, &action)))
		http_answer(request, 204, NULL, SPAN_NONE);
}

static void answer_role(struct http_request *request,
                        const struct membership_action *action)
{
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct json_writer w = json_writer(&json);

	json_open(&w);
	json_number(&w, "id", action->user);
	json_text(&w, "role", span_of(member_role_word(action->role)));
	json_close(&w);
	http_answer_json(request, 200, buf_span(&json));
}

void api_set_role(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	struct conversation_body body;
	struct membership_action action;

	if (!api_action_admit_user(worker, request, &action) ||
	    !api_action_json(request, &json) ||
	    !api_is_valid(request, conversation_body_role(json, &body)))
		return;
	action.role = body.role;
	if (api_action_done(worker, request,
	                    membership_set_role(worker->membership, &action)))
		answer_role(request, &action);
}
