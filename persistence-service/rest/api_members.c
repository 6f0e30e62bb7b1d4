/* Who is in a group or channel: /conversations/{}/members, join and leave. */
#include "common/base/json_write.h"
#include "persistence-service/rest/api_act.h"

#include <string.h>

enum { JSON_MAX = 4096 };

static void answer_users(struct http_request *request,
                         const struct member_act *act)
{
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct json_writer w = json_writer(&json);

	json_open(&w);
	json_open_array(&w, "users");
	for (unsigned i = 0; i < act->user_count; i++)
		json_number(&w, NULL, act->users[i]);
	json_close_array(&w);
	json_close(&w);
	http_answer_json(request, 200, buf_span(&json));
}

/* Users are looked up only for who may invite them. */
void api_invite(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	unsigned users_max = (unsigned)worker->settings->invites_max;
	struct conversation_body body;
	struct member_act act;

	if (!api_act_admit(worker, request, &act) ||
	    !api_act_json(request, &json) ||
	    !api_act_fit(request,
	                 conversation_body_invite(json, users_max, &body)) ||
	    !api_act_done(worker, request,
	                  membership_may_invite(worker->membership, &act)) ||
	    !api_act_users_exist(worker, request, &body))
		return;
	memcpy(act.users, body.users, sizeof(act.users));
	act.user_count = body.user_count;
	if (api_act_done(worker, request,
	                 membership_invite(worker->membership, &act)))
		answer_users(request, &act);
}

void api_join(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct member_act act;

	if (api_act_admit(worker, request, &act) &&
	    api_act_done(worker, request,
	                 membership_join(worker->membership, &act)))
		api_act_answer(worker, request, 200, act.actor,
		               act.conversation);
}

void api_leave(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct member_act act;

	if (api_act_admit(worker, request, &act) &&
	    api_act_done(worker, request,
	                 membership_leave(worker->membership, &act)))
		http_answer(request, 204, NULL, SPAN_NONE);
}

void api_remove(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct member_act act;

	if (api_act_admit_user(worker, request, &act) &&
	    api_act_done(worker, request,
	                 membership_remove(worker->membership, &act)))
		http_answer(request, 204, NULL, SPAN_NONE);
}

static void answer_role(struct http_request *request,
                        const struct member_act *act)
{
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct json_writer w = json_writer(&json);

	json_open(&w);
	json_number(&w, "id", act->user);
	json_text(&w, "role", span_of(member_role_word(act->role)));
	json_close(&w);
	http_answer_json(request, 200, buf_span(&json));
}

void api_set_role(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct json *json CLEANUP(json_destroy) = NULL;
	struct conversation_body body;
	struct member_act act;

	if (!api_act_admit_user(worker, request, &act) ||
	    !api_act_json(request, &json) ||
	    !api_act_fit(request, conversation_body_role(json, &body)))
		return;
	act.role = body.role;
	if (api_act_done(worker, request,
	                 membership_set_role(worker->membership, &act)))
		answer_role(request, &act);
}
