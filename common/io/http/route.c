#include "common/base/mem.h"
#include "common/io/http/private.h"

#include <assert.h>

/* Compares segment by segment. */
static bool path_matches(struct span pattern, struct span path,
                         struct span *arguments)
{
	unsigned count = 0;

	while (pattern.len && path.len) {
		struct span want = span_cut(pattern, '/', &pattern);
		struct span is = span_cut(path, '/', &path);

		if (span_equal(want, SPAN("{}"))) {
			assert(count < HTTP_ARGUMENTS_MAX);
			if (is.len == 0)
				return false;
			arguments[count++] = is;
		} else if (!span_equal(want, is)) {
			return false;
		}
	}
	return pattern.len == 0 && path.len == 0;
}

static bool method_matches(const struct http_route *route, struct span method)
{
	struct span want = span_of(route->method);

	return span_equal(want, method) || (span_equal(method, SPAN("HEAD")) &&
	                                    span_equal(want, SPAN("GET")));
}

static bool names(struct span list, struct span method)
{
	while (list.len) {
		if (span_equal(span_trim(span_cut(list, ',', &list)), method))
			return true;
	}
	return false;
}

/* Several routes may match a path: {} matches a segment of another route. */
static void allow(struct buf *allowed, const struct http_route *route)
{
	if (names(buf_span(allowed), span_of(route->method)))
		return;
	if (allowed->len)
		buf_append(allowed, SPAN(", "));
	buf_append(allowed, span_of(route->method));
	if (span_equal(span_of(route->method), SPAN("GET")))
		buf_append(allowed, SPAN(", HEAD"));
}

/* A final slash is one more, empty segment, which span_cut() does not show. */
static bool odd_path(struct span path)
{
	return path.len == 0 || path.data[0] != '/' ||
	       path.data[path.len - 1] == '/';
}

void http_route_find_form(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	struct span path = span_of(request->path);

	for (unsigned i = 0; i < options->route_count; i++) {
		const struct http_route *route = &options->routes[i];

		if (route->body == HTTP_OAUTH_FORM &&
		    path_matches(span_of(route->path), path,
		                 request->arguments))
			request->is_oauth = true;
	}
}

void http_route_find(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	CLEANUP(buf_free) struct buf allowed = BUF(256);
	struct span path = span_of(request->path);
	unsigned count = odd_path(path) ? 0 : options->route_count;

	for (unsigned i = 0; i < count; i++) {
		const struct http_route *route = &options->routes[i];

		if (!path_matches(span_of(route->path), path,
		                  request->arguments))
			continue;
		if (method_matches(route, request->method)) {
			request->route = route;
			return;
		}
		allow(&allowed, route);
	}
	if (allowed.len == 0) {
		http_request_refuse(request, 404,
		                    "there is no resource at this path");
		return;
	}
	http_set_header(request, "Allow", buf_text(&allowed));
	http_request_refuse(request, 405,
	                    "this path does not accept this method");
}
