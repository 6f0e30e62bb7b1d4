/*
 * A request as the HTTP library delivers it: its route, its bearer token, its
 * query and its paging parameters. The lines of the input are method, path,
 * Authorization and query.
 */
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/io/http/private.h"
#include "common/io/json.h"
#include "persistence-service/rest/read/paging.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* --- fakes of the library: linked with --wrap
 * ---------------------------------
 */
static struct span authorization;
static struct span query;

enum MHD_Result
__wrap_MHD_lookup_connection_value_n(struct MHD_Connection *connection,
                                     enum MHD_ValueKind kind, const char *name,
                                     size_t name_len, const char **ret_value,
                                     size_t *ret_len);

static bool find(struct span name, struct span *ret_value)
{
	struct span rest = query;

	while (rest.len) {
		struct span pair = span_cut(rest, '&', &rest);

		if (span_equal(span_cut(pair, '=', ret_value), name))
			return true;
	}
	return false;
}

enum MHD_Result
__wrap_MHD_lookup_connection_value_n(struct MHD_Connection *connection,
                                     enum MHD_ValueKind kind, const char *name,
                                     size_t name_len, const char **ret_value,
                                     size_t *ret_len)
{
	struct span value = authorization;

	(void)connection;
	if (kind == MHD_GET_ARGUMENT_KIND &&
	    !find(span_make(name, name_len), &value))
		return MHD_NO;
	*ret_value = value.data;
	*ret_len = value.len;
	return MHD_YES;
}

/* --- the harness
 * ------------------------------------------------------------------
 */
static void handle(struct http_request *request, void *context)
{
	(void)request;
	(void)context;
}

static const struct http_route routes[] = {
	{"GET", "/conversations", handle, HTTP_INLINE, HTTP_NO_BODY},
	{"GET", "/conversations/{}/messages", handle, HTTP_INLINE,
         HTTP_NO_BODY},
	{"GET", "/conversations/{}", handle, HTTP_INLINE, HTTP_NO_BODY},
	{"PUT", "/blocks/{}", handle, HTTP_INLINE, HTTP_NO_BODY},
	{"DELETE", "/blocks/{}", handle, HTTP_INLINE, HTTP_NO_BODY},
	{"PATCH", "/conversations/{}", handle, HTTP_INLINE, HTTP_JSON_OR_FORM},
	{"POST", "/auth/{}/{}", handle, HTTP_INLINE, HTTP_JSON_OR_FORM},
	{"GET", "/auth/users/{}", handle, HTTP_INLINE, HTTP_NO_BODY},
};
static struct http_server server = {
	.options = {.routes = routes,
                    .route_count = ARRAY_LEN(routes),
                    .max_body = 1024},
};

static void check_route(struct http_request *request)
{
	unsigned index = 0;

	http_route_find(request);
	if (!request->route) {
		must(request->refusal == 404 || request->refusal == 405);
		must((request->refusal == 405) == (request->header_count == 1));
		http_answer_problem(request, request->refusal,
		                    request->refusal_detail);
		must_be_json(buf_span(&request->answer));
		return;
	}
	must(!request->refusal);
	for (const char *at = request->route->path;
	     (at = strstr(at, "{}")) != NULL; at += 2) {
		struct span argument = http_argument(request, index++);

		must(argument.len > 0);
		must(!memchr(argument.data, '/', argument.len));
	}
}

static void check_bearer(const struct http_request *request)
{
	struct span token = http_bearer(request);

	for (size_t i = 0; i < token.len; i++)
		must(token.data[i] > ' ' && token.data[i] <= '~');
}

static void check_messages(const struct http_request *request)
{
	struct history_page page = {0};
	const char *unfit = paging_messages(request, &page);

	must(unfit ? *unfit : page.limit >= 1 && page.limit <= PAGE_MAX);
	must(unfit || page.from <= JSON_ID_MAX);
}

static void check_conversations(const struct http_request *request)
{
	unsigned limit = 0;
	uint64_t before = 0;
	const char *unfit = paging_conversations(request, &before, &limit);

	must(unfit ? *unfit : limit >= 1 && limit <= PAGE_MAX);
	must(unfit || before <= JSON_ID_MAX || before == INT64_MAX);
}

static void check_members(const struct http_request *request)
{
	struct history_members page = {0};
	const char *unfit = paging_members(request, &page);

	must(unfit ? *unfit : page.limit >= 1 && page.limit <= PAGE_MAX);
	must(unfit || (page.after <= JSON_ID_MAX && page.seen <= JSON_ID_MAX));
}

static void check_sync(const struct http_request *request)
{
	struct sync_cursor cursor;
	unsigned limit = 0;
	const char *unfit = paging_sync(request, &cursor, &limit);

	must(unfit ? *unfit : limit >= 1 && limit <= SYNC_MAX);
}

/* A request reads the parameters of one list only. */
static void check_paging(const struct http_request *request, size_t which)
{
	static void (*const checks[])(const struct http_request *) = {
		check_conversations, check_messages, check_members, check_sync};

	checks[which % ARRAY_LEN(checks)](request);
}

static void check_query(void)
{
	struct http_parameters all = {0};
	struct span rest = query;
	const char *fault;
	unsigned http;

	while (rest.len) {
		struct span value;
		struct span pair = span_cut(rest, '&', &rest);
		struct span name = span_cut(pair, '=', &value);

		http_parameters_add(&all, name, value);
	}
	http = http_parameters_check(&all, &fault);
	must(http ? fault && *fault
	          : !fault && all.count <= HTTP_PARAMETERS_MAX);
	for (unsigned i = 0; i < all.count && http != 400; i++) {
		struct span name =
			span_make(all.name[i].bytes, all.name[i].len);

		must(utf8_valid(name) && !memchr(name.data, 0, name.len));
		for (unsigned k = 0; k < i; k++)
			must(!span_equal(name, span_make(all.name[k].bytes,
			                                 all.name[k].len)));
	}
	http_parameters_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size);
	struct span method = span_cut(rest, '\n', &rest);
	struct span path = span_cut(rest, '\n', &rest);
	char *method_text = mem_text(method.data, method.len);
	char *path_text = mem_text(path.data, path.len);
	struct http_request *request;

	authorization = span_cut(rest, '\n', &rest);
	query = rest;
	request = http_request_create(&server, NULL, method_text, path_text);
	check_route(request);
	check_bearer(request);
	check_query();
	check_paging(request, size);
	http_request_destroy(&request);
	must(atomic_load(&server.live) == 0);
	mem_free(&method_text);
	mem_free(&path_text);
	return 0;
}
