#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/percent.h"
#include "common/io/http/private.h"

#include <assert.h>
#include <string.h>

struct http_request *http_request_create(struct http_server *server,
                                         struct MHD_Connection *connection,
                                         const char *method, const char *path)
{
	struct http_request *request = mem_new(sizeof(*request));

	request->server = server;
	request->connection = connection;
	request->method = span_of(method);
	request->path = mem_text(path, strlen(path));
	request->body = BUF(server->options.max_body);
	request->answer = BUF(HTTP_ANSWER_MAX);
	request->pool = HTTP_INLINE;
	request->began_us = clock_mono_us();
	atomic_fetch_add(&server->live, 1);
	return request;
}

/* Bodies may contain passwords, answers may contain tokens. */
static void wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->capacity);
	buf_free(buf);
}

static void free_headers(struct http_request *request)
{
	for (unsigned i = 0; i < request->header_count; i++) {
		mem_free(&request->headers[i].name);
		mem_free(&request->headers[i].value);
	}
	request->header_count = 0;
}

void http_request_destroy(struct http_request **request)
{
	struct http_request *r = MOVE(*request);

	if (!r)
		return;
	atomic_fetch_sub(&r->server->live, 1);
	wipe(&r->body);
	wipe(&r->answer);
	free_headers(r);
	for (unsigned i = 0; i < ARRAY_LEN(r->decoded); i++)
		mem_free(&r->decoded[i]);
	mem_free(&r->content_type);
	mem_free(&r->path);
	mem_free(&r);
}

struct span http_argument(const struct http_request *request, unsigned index)
{
	assert(index < HTTP_ARGUMENTS_MAX);
	return request->arguments[index];
}

static bool look_up(const struct http_request *request, enum MHD_ValueKind kind,
                    const char *name, struct span *ret_value)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(request->connection, kind, name,
	                                  strlen(name), &value,
	                                  &len) != MHD_YES)
		return false;
	*ret_value = value ? span_make(value, len) : SPAN("");
	return true;
}

struct span http_header(const struct http_request *request, const char *name)
{
	struct span value = SPAN("");

	(void)look_up(request, MHD_HEADER_KIND, name, &value);
	return value;
}

bool http_query(const struct http_request *request, const char *name,
                struct span *ret_value)
{
	/* The storage for decoded text is not visible to the caller. */
	struct http_request *owner = (struct http_request *)(uintptr_t)request;
	struct span raw;
	size_t len;
	char *text;

	if (!look_up(request, MHD_GET_ARGUMENT_KIND, name, &raw))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(owner->decoded); i++) {
		if (owner->decoded[i])
			continue;
		text = owner->decoded[i] = mem_text(raw.data, raw.len);
		/* The library has replaced the plus signs by blanks. */
		*ret_value = percent_decode(raw, false, text, &len)
		                     ? span_make(text, len)
		                     : raw;
		return true;
	}
	assert(!"a handler reads too many query parameters");
	return false;
}

struct span http_body(const struct http_request *request)
{
	return buf_span(&request->body);
}

bool http_body_is_json(const struct http_request *request)
{
	return request->is_json;
}

/* token68 of RFC 9110 11.2 */
static bool is_token68(struct span text)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz"
				  "0123456789-._~+/=";

	for (size_t i = 0; i < text.len; i++) {
		if (!memchr(set, text.data[i], sizeof(set) - 1))
			return false;
	}
	return text.len > 0;
}

struct span http_bearer(const struct http_request *request)
{
	struct span token;
	struct span scheme =
		span_cut(http_header(request, "Authorization"), ' ', &token);

	token = span_trim(token);
	if (!span_equal_nocase(scheme, SPAN("Bearer")) || !is_token68(token))
		return SPAN_NONE;
	return token;
}

void http_pass(struct http_request *request, int pool, http_handler *handle)
{
	assert(request->pool == HTTP_INLINE && !request->answered);
	assert(pool >= 0 &&
	       (unsigned)pool < request->server->options.pool_count);
	request->pool = pool;
	request->handle = handle;
}

static bool has_header(const struct http_request *request, const char *name)
{
	for (unsigned i = 0; i < request->header_count; i++) {
		if (span_equal_nocase(span_of(request->headers[i].name),
		                      span_of(name)))
			return true;
	}
	return false;
}

void http_set_header(struct http_request *request, const char *name,
                     const char *value)
{
	struct http_answer_header *header =
		&request->headers[request->header_count];

	assert(request->header_count < HTTP_HEADERS_MAX);
	header->name = mem_text(name, strlen(name));
	header->value = mem_text(value, strlen(value));
	request->header_count++;
}

void http_answer(struct http_request *request, unsigned http,
                 const char *content_type, struct span body)
{
	assert(!request->answered);
	request->answered = true;
	request->http = http;
	if (content_type)
		request->content_type =
			mem_text(content_type, strlen(content_type));
	buf_append(&request->answer, body);
	assert(!buf_overflowed(&request->answer));
}

void http_answer_json(struct http_request *request, unsigned http,
                      struct span json)
{
	http_answer(request, http, "application/json", json);
}

static const char *title_of(unsigned http)
{
	/* The library's phrase differs between its versions. */
	if (http == 413)
		return "Content Too Large";
	if (http == 422)
		return "Unprocessable Content";
	return MHD_get_reason_phrase_for(http);
}

static void set_unless_set(struct http_request *request, const char *name,
                           const char *value)
{
	if (!has_header(request, name))
		http_set_header(request, name, value);
}

void http_answer_problem(struct http_request *request, unsigned http,
                         const char *detail)
{
	CLEANUP(buf_free) struct buf text = BUF(8192);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "type", SPAN("about:blank"));
	json_text(&w, "title", span_of(title_of(http)));
	json_number(&w, "status", http);
	json_text(&w, "detail", span_of(detail));
	json_close(&w);
	if (http == 401)
		set_unless_set(request, "WWW-Authenticate", "Bearer");
	if (http == 429 || http == 503)
		set_unless_set(request, "Retry-After", "1");
	http_answer(request, http, "application/problem+json", buf_span(&text));
}

void http_request_refuse(struct http_request *request, unsigned http,
                         const char *detail)
{
	request->refusal = http;
	request->refusal_detail = detail;
}

void http_request_handle(struct http_request *request, http_handler *handle,
                         void *context)
{
	int pool = request->pool;

	handle(request, context);
	if (!request->answered && request->pool == pool)
		http_answer_problem(request, 500, "the service did not answer");
}

static void add_headers(const struct http_request *request,
                        struct MHD_Response *response)
{
	if (request->content_type)
		(void)MHD_add_response_header(response, "Content-Type",
		                              request->content_type);
	for (unsigned i = 0; i < request->header_count; i++)
		(void)MHD_add_response_header(response,
		                              request->headers[i].name,
		                              request->headers[i].value);
	if (atomic_load(&request->server->stopping))
		(void)MHD_add_response_header(response, "Connection", "close");
}

enum MHD_Result http_request_send(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		request->answer.len, request->answer.data,
		MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	add_headers(request, response);
	result = MHD_queue_response(request->connection, request->http,
	                            response);
	MHD_destroy_response(response);
	if (options->observe)
		options->observe(options->observe_context,
		                 request->route ? request->route->path : "",
		                 request->http,
		                 clock_mono_us() - request->began_us);
	return result;
}
