#include "persistence-service/rest/api_private.h"
#include "persistence-service/rest/membership/blocks.h"
#include "persistence-service/rest/read/paging.h"

enum { JSON_MAX = 64 * 1024 };

static const char no_user[] = "there is no such user";

static void answer_change(struct http_request *request, enum status status)
{
	if (status == ST_OK)
		http_answer(request, 204, NULL, SPAN_NONE);
	else if (status == ST_TOO_LARGE)
		http_answer_problem(request, 422,
		                    "too many users are blocked already");
	else if (status == ST_UNCERTAIN)
		http_answer_problem(request, 503,
		                    "the change may not be in effect yet: "
		                    "repeat the request");
	else
		api_answer(request, status, no_user, NULL);
}

static bool read_block(struct worker *worker, struct http_request *request,
                       struct block *ret_block)
{
	ret_block->outbox_publisher = worker->outbox_publisher;
	return api_admit(worker, request, &ret_block->user) &&
	       api_id(request, 0, no_user, &ret_block->blocked);
}

/* False, after answering: there is no such user, or identity-service does not
 * answer. */
static bool user_exists(struct worker *worker, struct http_request *request,
                        uint64_t user)
{
	enum status status = api_find_user(worker, user, http_bearer(request));

	if (status == ST_NOT_FOUND)
		http_answer_problem(request, 404, no_user);
	else if (status != ST_OK)
		api_answer_unknown_user(request, status);
	return status == ST_OK;
}

void api_put_block(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct block block;

	if (!read_block(worker, request, &block))
		return;
	if (block.user == block.blocked)
		http_answer_problem(request, 422, "a user cannot block itself");
	else if (user_exists(worker, request, block.blocked))
		answer_change(
			request,
			blocks_put(history_session(worker->history), &block,
		                   (unsigned)worker->settings->blocks_max));
}

void api_remove_block(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct block block;

	if (!read_block(worker, request, &block))
		return;
	answer_change(request,
	              blocks_remove(history_session(worker->history), &block));
}

void api_list_blocks(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	uint64_t user, after;
	unsigned limit;

	if (!api_admit(worker, request, &user) ||
	    !api_is_valid(request, paging_users(request, &after, &limit)))
		return;
	api_answer(request,
	           blocks_list(history_session(worker->history), user, after,
	                       limit, &json),
	           no_user, &json);
}
