#include "identity-service/api/same_origin.h"

/* The nearest client of a list comes first. */
static bool forwarded_https(struct span proto)
{
	struct span rest;

	return span_equal_nocase(span_trim(span_cut(proto, ',', &rest)),
	                         SPAN("https"));
}

/* `origin` without `scheme`; empty when it has another one. */
static struct span after(struct span origin, struct span scheme)
{
	return span_starts(origin, scheme) ? span_make(origin.data + scheme.len,
	                                               origin.len - scheme.len)
	                                   : SPAN("");
}

bool same_origin(const struct request_origin *request, bool *ret_https)
{
	struct span https = after(request->origin, SPAN("https://"));
	struct span http = after(request->origin, SPAN("http://"));

	if (!request->host.len ||
	    (request->fetch_site.len &&
	     !span_equal(request->fetch_site, SPAN("same-origin"))) ||
	    (http.len && forwarded_https(request->forwarded_proto)) ||
	    !span_equal(https.len ? https : http, request->host))
		return false;
	*ret_https = https.len > 0;
	return true;
}

/* "none": the user has typed the address, or opened a bookmark. */
bool other_origin(const struct request_origin *request)
{
	bool https;

	if (request->origin.len)
		return !same_origin(request, &https);
	return request->fetch_site.len &&
	       !span_equal(request->fetch_site, SPAN("same-origin")) &&
	       !span_equal(request->fetch_site, SPAN("none"));
}
