/*
 * Any bytes as Cookie headers, one a line, and as what tells the origin of a
 * request: a cookie of the name is found where one stands, and only a page of
 * the host itself may ask for one.
 */
#include "common/base/cookie.h"
#include "common/base/scope.h"
#include "identity-service/api/same_origin.h"
#include "tests/fuzz/fuzz.h"

static bool within(struct span part, struct span whole)
{
	return part.data >= whole.data &&
	       part.data + part.len <= whole.data + whole.len;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Byte by byte: whether the cookie that starts here has the name. */
static bool starts(struct span header, size_t at, struct span name)
{
	while (at < header.len && is_blank(header.data[at]))
		at++;
	if (header.len - at < name.len ||
	    memcmp(header.data + at, name.data, name.len) != 0)
		return false;
	at += name.len;
	while (at < header.len && is_blank(header.data[at]))
		at++;
	return at < header.len && header.data[at] == '=';
}

static unsigned count(struct span header, struct span name)
{
	unsigned found = 0;

	for (size_t at = 0; at < header.len; at++)
		if (at == 0 || header.data[at - 1] == ';')
			found += starts(header, at, name);
	return found;
}

static void check_cookies(struct span header, struct span name)
{
	struct span value = SPAN_NONE;
	unsigned found = cookie_find(header, name, &value);

	must(found == count(header, name));
	if (!found)
		return;
	must(within(value, header));
	must(!value.len || !memchr(value.data, ';', value.len));
	must(!value.len || (!is_blank(value.data[0]) &&
	                    !is_blank(value.data[value.len - 1])));
}

/* Whether the text is `scheme` and then the host. */
static bool is(struct span origin, struct span scheme, struct span host)
{
	return origin.len == scheme.len + host.len &&
	       span_starts(origin, scheme) &&
	       span_equal(span_make(origin.data + scheme.len, host.len), host);
}

static void check_origin(const struct request_origin *request)
{
	bool https = false;

	if (!same_origin(request, &https))
		return;
	must(request->host.len);
	must(is(request->origin, https ? SPAN("https://") : SPAN("http://"),
	        request->host));
	must(!request->fetch_site.len ||
	     span_equal(request->fetch_site, SPAN("same-origin")));
	must(https || !span_equal(request->forwarded_proto, SPAN("https")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size);
	struct request_origin request = {0};

	check_cookies(rest, SPAN("__Secure-parley_refresh"));
	check_cookies(rest, SPAN("parley_refresh"));
	request.origin = span_cut(rest, '\n', &rest);
	request.host = span_cut(rest, '\n', &rest);
	request.fetch_site = span_cut(rest, '\n', &rest);
	request.forwarded_proto = span_cut(rest, '\n', &rest);
	check_origin(&request);
	return 0;
}
