#include "persistence-service/rest/read/paging.h"

#include "common/io/http/server.h"
#include "common/io/json.h"

/* False when the parameter is present and not a number in the range. */
static bool query_number(const struct http_request *request, const char *name,
                         uint64_t min, uint64_t max, uint64_t *number)
{
	struct span text;

	if (!http_query(request, name, &text))
		return true;
	return span_to_u64(text, max, number) && *number >= min;
}

const char *paging_limit(const struct http_request *request,
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
	const char *fault = paging_limit(request, ret_limit);

	*ret_before = INT64_MAX;
	if (fault)
		return fault;
	if (!query_number(request, "before", 0, JSON_ID_MAX, ret_before))
		return "before must be the id of a message";
	return NULL;
}

static const struct {
	enum history_part part;
	const char *name;
	const char *fault;
} parts[] = {
	{PART_AFTER, "after", "after must be a seq"},
	{PART_BEFORE, "before", "before must be a seq"},
	{PART_REVISED, "revised", "revised must be a revision"},
};

/* At most one of the three parameters may be present. */
static const char *query_part(const struct http_request *request,
                              struct history_page *ret_page)
{
	unsigned found = 0;
	struct span text;

	ret_page->part = PART_AFTER;
	ret_page->from = 0;
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
		if (!http_query(request, parts[i].name, &text))
			continue;
		if (found++)
			return "after, before and revised exclude each other";
		ret_page->part = parts[i].part;
		if (!span_to_u64(text, JSON_ID_MAX, &ret_page->from))
			return parts[i].fault;
	}
	return NULL;
}

const char *paging_messages(const struct http_request *request,
                            struct history_page *ret_page)
{
	const char *fault = query_part(request, ret_page);

	return fault ? fault : paging_limit(request, &ret_page->limit);
}

const char *paging_users(const struct http_request *request,
                         uint64_t *ret_after, unsigned *ret_limit)
{
	const char *fault = paging_limit(request, ret_limit);

	*ret_after = 0;
	if (fault)
		return fault;
	if (!query_number(request, "after", 0, JSON_ID_MAX, ret_after))
		return "after must be the id of a user";
	return NULL;
}

const char *paging_members(const struct http_request *request,
                           struct history_members *ret_page)
{
	const char *fault =
		paging_users(request, &ret_page->after, &ret_page->limit);

	ret_page->seen = 0;
	if (fault)
		return fault;
	if (!query_number(request, "seen", 1, JSON_ID_MAX, &ret_page->seen))
		return "seen must be a seq";
	return NULL;
}

const char *paging_sync(const struct http_request *request,
                        struct sync_cursor *ret_cursor, unsigned *ret_limit)
{
	uint64_t limit = SYNC_MAX;
	struct span text;

	ret_cursor->buckets = 0;
	if (!query_number(request, "limit", 1, SYNC_MAX, &limit))
		return "limit must be a number from 1 to 500";
	*ret_limit = (unsigned)limit;
	if (http_query(request, "since", &text) &&
	    !sync_cursor_parse(text, ret_cursor))
		return "since must be a cursor from an earlier answer";
	return NULL;
}
