#include "identity-service/api/refresh_cookie.h"
#include "common/base/mem.h"

enum { COOKIE_MAX = 256 };

#define ASK_HEADER "Parley-Refresh-Token"

/*
 * Browsers take a cookie with the prefix __Secure- only over https, and not
 * from a page that came over http. Not all of them make an exception for
 * http on a loopback address.
 */
static const char *cookie_name(bool https)
{
	return https ? "__Secure-parley_refresh" : "parley_refresh";
}

struct request_origin request_origin(const struct http_request *request)
{
	return (struct request_origin){
		.origin = http_header(request, "Origin"),
		.host = http_header(request, "Host"),
		.fetch_site = http_header(request, "Sec-Fetch-Site"),
		.forwarded_proto = http_header(request, "X-Forwarded-Proto"),
	};
}

/* False: it does not ask, or may not. */
static bool asks(const struct http_request *request, bool *ret_https)
{
	struct request_origin origin = request_origin(request);

	return span_equal(http_header(request, ASK_HEADER), SPAN("cookie")) &&
	       same_origin(&origin, ret_https);
}

bool refresh_cookie_asked(const struct http_request *request)
{
	bool https;

	return asks(request, &https);
}

bool refresh_cookie_admit(struct http_request *request)
{
	struct span ask = http_header(request, ASK_HEADER);

	if (!ask.len || refresh_cookie_asked(request))
		return true;
	if (span_equal(ask, SPAN("cookie")))
		http_answer_problem(request, 403,
		                    "only a page of this origin may ask for "
		                    "the refresh token as a cookie");
	else
		http_answer_problem(request, 400,
		                    ASK_HEADER " must be cookie, or absent");
	return false;
}

enum status refresh_cookie_read(const struct http_request *request,
                                struct refresh_token *ret_token)
{
	struct span value;
	bool https = false;
	unsigned count =
		asks(request, &https)
			? http_cookie(request, cookie_name(https), &value)
			: 0;

	if (count == 0)
		return ST_NOT_FOUND;
	if (count > 1)
		return ST_CONFLICT;
	return refresh_token_parse(value, ret_token) ? ST_OK : ST_INVALID;
}

static void set_cookie(struct http_request *request, bool https,
                       const char *value, uint64_t max_age_s)
{
	CLEANUP(buf_free) struct buf cookie = BUF(COOKIE_MAX);

	buf_format(&cookie,
	           "%s=%s; Path=/auth; Max-Age=%llu; HttpOnly; SameSite=Strict"
	           "%s",
	           cookie_name(https), value, (unsigned long long)max_age_s,
	           https ? "; Secure" : "");
	http_set_header(request, "Set-Cookie", buf_text(&cookie));
	mem_wipe(cookie.data, cookie.capacity);
}

void refresh_cookie_set(struct http_request *request, const char *token,
                        uint64_t max_age_s)
{
	bool https;

	if (asks(request, &https))
		set_cookie(request, https, token, max_age_s);
}

void refresh_cookie_delete(struct http_request *request)
{
	bool https;

	if (!asks(request, &https))
		return;
	set_cookie(request, https, "", 0);
	http_set_header(request, "Cache-Control", "no-store");
	http_set_header(request, "Vary", REFRESH_COOKIE_VARY);
}
