#include "persistence-service/rest/api_action.h"

#include "common/base/clock.h"

#include <stdio.h>

enum {
	CONVERSATION_MAX = 256 * 1024,
	TEXT_MAX = 64,
	USERS_WAIT_MS = 5000, /* for all users of a request */
};

/* --- requests ------------------------------------------------------------ */
bool api_action_admit(struct worker *worker, struct http_request *request,
                      struct membership_action *ret_action)
{
	*ret_action = (struct membership_action){0};
	return api_admit(worker, request, &ret_action->actor) &&
	       api_id(request, 0, api_no_conversation,
	              &ret_action->conversation);
}

bool api_action_admit_user(struct worker *worker, struct http_request *request,
                           struct membership_action *ret_action)
{
	return api_action_admit(worker, request, ret_action) &&
	       api_id(request, 1, "there is no such member", &ret_action->user);
}

bool api_action_json(struct http_request *request, struct json **ret_json)
{
	const char *why;

	if (json_parse(http_body(request), ret_json, &why) == ST_OK)
		return true;
	http_answer_problem(request, 400, why);
	return false;
}

static void answer_missing(struct http_request *request, uint64_t user)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "there is no user %llu",
	               (unsigned long long)user);
	http_answer_problem(request, 422, text);
}

/* ST_NOT_FOUND: *ret_missing does not exist. */
static enum status find_users(struct worker *worker,
                              const struct conversation_body *body,
                              struct span token, uint64_t *ret_missing)
{
	uint64_t until_ms = clock_mono_ms() + USERS_WAIT_MS;

	for (unsigned i = 0; i < body->user_count; i++) {
		enum status status;

		if (clock_mono_ms() > until_ms)
			return ST_UNAVAILABLE;
		status = api_find_user(worker, body->users[i], token);
		if (status == ST_NOT_FOUND)
			*ret_missing = body->users[i];
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

bool api_action_users_exist(struct worker *worker, struct http_request *request,
                            const struct conversation_body *body)
{
	uint64_t missing = 0;
	enum status status =
		find_users(worker, body, http_bearer(request), &missing);

	if (status == ST_NOT_FOUND)
		answer_missing(request, missing);
	else if (status != ST_OK)
		api_answer_unknown_user(request, status);
	return status == ST_OK;
}

/* --- answers ------------------------------------------------------------- */
static void answer_failure(const struct worker *worker,
                           struct http_request *request, enum status status)
{
	const char *why = membership_why(worker->membership);

	if (status == ST_DENIED)
		http_answer_problem(request, 403, why);
	else if (status == ST_CONFLICT)
		http_answer_problem(request, 409, why);
	else if (status == ST_INVALID)
		http_answer_problem(request, 422, why);
	else
		api_answer(request, status, why, NULL);
}

bool api_action_done(struct worker *worker, struct http_request *request,
                     enum status status)
{
	uint64_t conversation, row;
	bool changed =
		membership_take_event(worker->membership, &conversation, &row);

	if (status != ST_OK)
		answer_failure(worker, request, status);
	else if (changed)
		outbox_publisher_announce(worker->outbox_publisher,
		                          conversation, row);
	return status == ST_OK;
}

void api_action_answer(struct worker *worker, struct http_request *request,
                       unsigned http, uint64_t user, uint64_t conversation)
{
	struct buf json CLEANUP(buf_free) = BUF(CONVERSATION_MAX);
	enum status status = history_conversation(worker->history, user,
	                                          conversation, &json);

	if (status == ST_OK && !buf_overflowed(&json))
		http_answer_json_buf(request, http, &json);
	else
		api_answer(request, status, api_no_conversation, &json);
}
