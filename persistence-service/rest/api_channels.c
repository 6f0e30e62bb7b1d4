/* GET /channels */
#include "common/base/utf8.h"
#include "common/io/unicode.h"
#include "common/wire/name.h"
#include "persistence-service/rest/api_action.h"
#include "persistence-service/rest/membership/channel_names.h"
#include "persistence-service/rest/read/paging.h"

/* The JSON of a channel: a name of 64 code points, escaped, and the rest. */
enum { CHANNEL_MAX = 1024, JSON_MAX = PAGE_MAX * CHANNEL_MAX };
/* Bytes: more than any normal form of 64 code points. */
enum { SEARCH_MAX = 4096 };

/* As for names, the limit counts after normalisation. */
static bool search_fits(struct span text)
{
	struct buf normal CLEANUP(buf_free) = BUF(SEARCH_MAX);

	return text.len <= SEARCH_MAX && utf8_valid(text) &&
	       unicode_nfc(text, &normal) == ST_OK &&
	       utf8_count(buf_span(&normal)) <= NAME_MAX_POINTS;
}

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
	return search_fits(ret->text)
	               ? NULL
	               : "search must be UTF-8 of at most 64 characters";
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
