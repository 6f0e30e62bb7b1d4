/* GET /channels */
#include "common/base/utf8.h"
#include "common/wire/name.h"
#include "persistence-service/rest/api_action.h"
#include "persistence-service/rest/membership/channel_names.h"
#include "persistence-service/rest/read/paging.h"

/* The JSON of a channel: a name of 64 code points, escaped, and the rest. */
enum { CHANNEL_MAX = 1024, JSON_MAX = PAGE_MAX * CHANNEL_MAX };

static const char *read_search(const struct http_request *request,
                               struct channel_search *ret)
{
	const char *fault = paging_limit(request, &ret->limit);

	if (fault)
		return fault;
	if (!http_query(request, "search", &ret->text))
		ret->text = SPAN("");
	if (!http_query(request, "after", &ret->after))
		ret->after = SPAN("");
	if (!utf8_valid(ret->text) || utf8_count(ret->text) > NAME_MAX_POINTS)
		return "search must be UTF-8 of at most 64 characters";
	return NULL;
}

void api_search_channels(struct http_request *request, void *context)
{
	struct worker *worker = context;
	struct buf json CLEANUP(buf_free) = BUF(JSON_MAX);
	struct channel_search search;
	enum status status;

	if (!api_admit(worker, request, &search.user) ||
	    !api_is_valid(request, read_search(request, &search)))
		return;
	status = channel_names_search(history_session(worker->history), &search,
	                              &json);
	if (status == ST_INVALID)
		http_answer_problem(request, 422,
		                    "after must be a cursor from next");
	else
		api_answer(request, status, api_no_conversation, &json);
}
