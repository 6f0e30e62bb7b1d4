#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/http/private.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/* Bytes that the library copies at a time. */
enum { SEND_BLOCK = 32 * 1024 };

static const char too_much_unread[] =
	"earlier answers wait to be read; read them first";
static const char too_many_unread[] =
	"too many answers wait to be read; try again later";

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

/* Bodies may contain passwords, answers and their headers may contain tokens.
 */
static void wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->capacity);
	buf_free(buf);
}

static void free_headers(struct http_request *request)
{
	for (unsigned i = 0; i < request->header_count; i++) {
		char *value = request->headers[i].value;

		mem_wipe(value, strlen(value));
		mem_free(&request->headers[i].name);
		mem_free(&request->headers[i].value);
	}
	request->header_count = 0;
}

void http_request_free_answer(struct http_request *request)
{
	wipe(&request->answer);
}

void http_request_destroy(struct http_request **request)
{
	struct http_request *r = MOVE(*request);

	if (!r)
		return;
	http_unread_remove(&r->server->unread, r);
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

bool http_request_look_up(const struct http_request *request,
                          enum MHD_ValueKind kind, const char *name,
                          struct span *ret_value)
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

	(void)http_request_look_up(request, MHD_HEADER_KIND, name, &value);
	return value;
}

struct span http_body(const struct http_request *request)
{
	return buf_span(&request->body);
}

bool http_body_is_json(const struct http_request *request)
{
	return request->is_json;
}

/* token68 of RFC 9110 11.2. Each look-up of a token comes here. */
static bool is_token68(struct span text)
{
	static const char marks[] = "-._~+/=";

	for (size_t i = 0; i < text.len; i++) {
		if (!isalnum((unsigned char)text.data[i]) &&
		    !memchr(marks, text.data[i], sizeof(marks) - 1))
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

void http_set_client(struct http_request *request,
                     const struct ip_address *client)
{
	request->client = *client;
	request->has_client = true;
}

void http_pass(struct http_request *request, int pool, http_handler *handle)
{
	assert(!request->answered);
	assert(pool >= 0 &&
	       (unsigned)pool < request->server->options.pool_count);
	if (request->pool == HTTP_INLINE)
		request->pool = pool;
	request->handle = handle;
}

void http_pass_again(struct http_request *request, int pool)
{
	assert(request->pool == HTTP_INLINE);
	http_pass(request, pool, request->route->handle);
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

static void begin_answer(struct http_request *request, unsigned http,
                         const char *content_type)
{
	assert(!request->answered);
	request->answered = true;
	request->http = http;
	if (content_type)
		request->content_type =
			mem_text(content_type, strlen(content_type));
}

void http_answer(struct http_request *request, unsigned http,
                 const char *content_type, struct span body)
{
	begin_answer(request, http, content_type);
	buf_append(&request->answer, body);
	assert(!buf_overflowed(&request->answer));
}

void http_answer_json_buf(struct http_request *request, unsigned http,
                          struct buf *json)
{
	begin_answer(request, http, "application/json");
	buf_free(&request->answer);
	request->answer = *json;
	*json = BUF(json->max);
	buf_trim(&request->answer);
}

bool http_admit_user(struct http_request *request, uint64_t user)
{
	request->user = user;
	if (http_unread_admits(&request->server->unread, user))
		return true;
	http_answer_problem(request, 429, too_much_unread);
	return false;
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

static const char *oauth_error(unsigned http)
{
	if (http == 401)
		return "invalid_client";
	if (http == 429 || http == 503)
		return "temporarily_unavailable";
	return http >= 500 ? "server_error" : "invalid_request";
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
	if (request->is_oauth)
		json_text(&w, "error", span_of(oauth_error(http)));
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
	bool is_inline = request->pool == HTTP_INLINE;

	do {
		request->handle = NULL;
		handle(request, context);
		handle = request->handle;
	} while (handle && !is_inline);
	if (!request->answered && !handle)
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

/* Called by the library whenever the client has taken more. */
static ssize_t read_answer(void *context, uint64_t position, char *out,
                           size_t room)
{
	struct http_request *request = context;
	struct http_unread *unread = &request->server->unread;
	size_t len;

	if (!request->unread.cut &&
	    clock_mono_us() > request->unread.deadline_us)
		http_unread_cut(unread, request);
	if (request->unread.cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	len = request->answer.len - (size_t)position;
	if (len > room)
		len = room;
	memcpy(out, request->answer.data + position, len);
	return (ssize_t)len;
}

/* The request keeps the only copy of the answer until it is sent. */
static struct MHD_Response *make_response(struct http_request *request)
{
	if (!request->unread.bytes)
		return MHD_create_response_from_buffer(request->answer.len,
		                                       request->answer.data,
		                                       MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_callback(
		request->answer.len, SEND_BLOCK, read_answer, request, NULL);
}

static void replace_answer(struct http_request *request, unsigned http)
{
	wipe(&request->answer);
	request->answer = BUF(HTTP_ANSWER_MAX);
	free_headers(request);
	mem_free(&request->content_type);
	request->answered = false;
	http_answer_problem(request, http,
	                    http == 429 ? too_much_unread : too_many_unread);
}

enum MHD_Result http_request_send(struct http_request *request)
{
	const struct http_server_options *options = &request->server->options;
	unsigned instead = http_unread_add(&request->server->unread, request);
	struct MHD_Response *response;
	enum MHD_Result result;

	if (instead != 200)
		replace_answer(request, instead);
	response = make_response(request);
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
