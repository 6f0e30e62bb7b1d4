#include "common/base/cookie.h"
#include "common/io/http/private.h"

struct search {
	struct span name;
	struct span value;
	unsigned count;
};

/* A proxy of HTTP/2 may split the cookies into several lines. */
static enum MHD_Result add(void *context, enum MHD_ValueKind kind,
                           const char *name, const char *value)
{
	struct search *search = context;
	struct span found;
	unsigned count;

	(void)kind;
	if (!span_equal_nocase(span_of(name), SPAN("Cookie")))
		return MHD_YES;
	count = cookie_find(span_of(value), search->name, &found);
	if (count && !search->count)
		search->value = found;
	search->count += count;
	return MHD_YES;
}

unsigned http_cookie(const struct http_request *request, const char *name,
                     struct span *ret_value)
{
	struct search search = {.name = span_of(name)};

	(void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
	                                add, &search);
	if (search.count)
		*ret_value = search.value;
	return search.count;
}
