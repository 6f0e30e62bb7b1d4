#include "persistence-service/rest/api_private.h"
#include "persistence-service/rest/read/paging.h"

#define JSON_MAX ((size_t)HTTP_ANSWER_MAX)

const char api_no_conversation[] = "there is no such conversation";

static void answer(struct http_request *request, enum status status,
                   struct buf *json)
{
	api_answer(request, status, api_no_conversation, json);
}

void api_list_conversations(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	uint64_t user, before;
	unsigned limit;

	if (!api_admit(worker, request, &user) ||
	    !api_is_valid(request,
	                  paging_conversations(request, &before, &limit)))
		return;
	answer(request,
	       history_conversations(worker->history, user, before, limit,
	                             &json),
	       &json);
}

void api_get_conversation(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	uint64_t user, conversation;

	if (!api_admit(worker, request, &user) ||
	    !api_id(request, 0, api_no_conversation, &conversation))
		return;
	answer(request,
	       history_conversation(worker->history, user, conversation, &json),
	       &json);
}

void api_list_messages(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct history_page page;
	uint64_t user;

	if (!api_admit(worker, request, &user) ||
	    !api_is_valid(request, paging_messages(request, &page)) ||
	    !api_id(request, 0, api_no_conversation, &page.conversation))
		return;
	answer(request, history_messages(worker->history, user, &page, &json),
	       &json);
}

void api_list_members(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct history_members page;
	uint64_t user;

	if (!api_admit(worker, request, &user) ||
	    !api_is_valid(request, paging_members(request, &page)) ||
	    !api_id(request, 0, api_no_conversation, &page.conversation))
		return;
	answer(request, history_members(worker->history, user, &page, &json),
	       &json);
}

void api_sync(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct sync_cursor cursor;
	uint64_t user;
	unsigned limit;

	if (!api_admit(worker, request, &user) ||
	    !api_is_valid(request, paging_sync(request, &cursor, &limit)))
		return;
	answer(request,
	       history_sync(worker->history, user, &cursor, limit, &json),
	       &json);
}
