#include "persistence-service/paging.h"

#include "common/io/http_server.h"
#include "common/io/json.h"

/* False when it is there and no number in the range. */
static bool query_number(const struct http_request *request, const char *name,
                         uint64_t min, uint64_t max, uint64_t *number)
{
	struct span text;

	if (!http_query(request, name, &text))
		return true;
	return span_to_u64(text, max, number) && *number >= min;
}

/* NULL, or what is unfit about it. */
static const char *query_limit(const struct http_request *request,
                               unsigned *ret_limit)
{
	uint64_t limit = PAGE_DEFAULT;

	if (!query_number(request, "limit", 1, PAGE_MAX, &limit))
		return "limit must be a number from 1 to 200";
	*ret_limit = (unsigned)limit;
	return NULL;
}

const char *paging_conversations(const struct http_request *request,
                                 uint64_t *ret_before, unsigned *ret_limit)
{
	const char *unfit = query_limit(request, ret_limit);

	*ret_before = INT64_MAX;
	if (unfit)
		return unfit;
	if (!query_number(request, "before", 0, JSON_ID_MAX, ret_before))
		return "before must be the id of a message";
	return NULL;
}

const char *paging_messages(const struct http_request *request,
                            struct history_page *ret_page)
{
	struct span text;
	bool after = http_query(request, "after", &text);
	const char *unfit = query_limit(request, &ret_page->limit);

	ret_page->backwards = http_query(request, "before", &text);
	ret_page->seq = 0;
	if (after && ret_page->backwards)
		return "after and before exclude each other";
	if (unfit)
		return unfit;
	if (!query_number(request, ret_page->backwards ? "before" : "after", 0,
	                  JSON_ID_MAX, &ret_page->seq))
		return "after and before must be a seq";
	return NULL;
}
