#define _GNU_SOURCE
#include "common/io/http/server.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/http/listener.h"
#include "common/io/http/private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LISTEN_BACKLOG = 1024,
	/* Bytes read of a refused body before the connection is closed. */
	SWALLOW_MAX = 1024 * 1024,
	STOP_PATIENCE_MS = 2000,
	/*
	 * Of each connection, in the kernel, which doubles it and would let it
	 * grow to megabytes. Connections inherit it from the listening socket.
	 */
	SEND_BUFFER = 64 * 1024,
	/* A head with a token over 4 KiB fits, so that it gets a 401. */
	CONNECTION_MEMORY_MAX = 32 * 1024,
};

#define SECOND_US UINT64_C(1000000)

/* Whether the parameters of a Content-Type leave the charset to be UTF-8. */
static bool is_utf8(struct span parameters)
{
	while (parameters.len) {
		struct span value;
		struct span name = span_trim(span_cut(
			span_cut(parameters, ';', &parameters), '=', &value));

		value = span_trim(value);
		if (value.len > 1 && value.data[0] == '"' &&
		    value.data[value.len - 1] == '"')
			value = span_make(value.data + 1, value.len - 2);
		if (span_equal_nocase(name, SPAN("charset")) &&
		    !span_equal_nocase(value, SPAN("utf-8")))
			return false;
	}
	return true;
}

static void check_content_type(struct http_request *request)
{
	enum http_body takes = request->route->body;
	struct span rest;
	struct span type = span_trim(
		span_cut(http_header(request, "Content-Type"), ';', &rest));

	request->is_json =
		span_equal_nocase(type, SPAN("application/json")) ||
		(takes == HTTP_MERGE_PATCH &&
	         span_equal_nocase(type, SPAN("application/merge-patch+json")));
	if (takes == HTTP_NO_BODY)
		return;
	if (!is_utf8(rest))
		http_request_refuse(request, 415,
		                    "the charset of the body must be UTF-8");
	if (request->is_json && takes != HTTP_OAUTH_FORM)
		return;
	if (takes == HTTP_JSON)
		http_request_refuse(request, 415,
		                    "the body must be application/json");
	else if (takes == HTTP_MERGE_PATCH)
		http_request_refuse(request, 415,
		                    "the body must be application/json or "
		                    "application/merge-patch+json");
	else if (!span_equal_nocase(type,
	                            SPAN("application/x-www-form-urlencoded")))
		http_request_refuse(
			request, 415,
			takes == HTTP_OAUTH_FORM
				? "the body must be "
				  "application/x-www-form-urlencoded"
				: "the body must be application/json or "
				  "application/x-www-form-urlencoded");
}

/* The first fault decides. A body that is too long is not waited for. */
static enum MHD_Result begin(struct http_request *request)
{
	http_headers_check(request);
	http_route_find_form(request);
	if (request->refusal) {
		http_answer_problem(request, request->refusal,
		                    request->refusal_detail);
		return http_request_send(request);
	}
	if (strchr(request->path, '%'))
		http_request_refuse(request, 400,
		                    "the path has percent escapes");
	else
		http_route_find(request);
	if (request->route)
		http_query_check(request);
	if (request->route && !request->refusal)
		check_content_type(request);
	return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *request, const char *data,
                                 size_t *len)
{
	uint64_t took_us = clock_mono_us() - request->began_us;

	if (took_us > request->server->options.body_timeout_s * SECOND_US)
		return MHD_NO;
	request->received += *len;
	if (request->received > request->body.max)
		http_request_refuse(request, 413, "the body is too large");
	if (!request->refusal && request->route->body != HTTP_NO_BODY)
		buf_append(&request->body, span_make(data, *len));
	*len = 0;
	return request->received > SWALLOW_MAX ? MHD_NO : MHD_YES;
}

static bool push(struct http_request *request)
{
	return http_worker_pool_push(&request->server->pools[request->pool],
	                             request);
}

/* False when a worker has the request now. */
static bool answer_now(struct http_request *request)
{
	const struct http_route *route = request->route;

	if (request->refusal) {
		http_answer_problem(request, request->refusal,
		                    request->refusal_detail);
		return true;
	}
	if (route->pool != HTTP_INLINE) {
		http_pass(request, route->pool, route->handle);
		return !push(request);
	}
	http_request_handle(request, route->handle,
	                    request->server->options.inline_context);
	return request->answered || !push(request);
}

static enum MHD_Result go_on(struct http_request *request, const char *upload,
                             size_t *upload_len)
{
	if (*upload_len)
		return take_body(request, upload, upload_len);
	if (!request->answered && !answer_now(request))
		return MHD_YES;
	return http_request_send(request);
}

static void begin_turn(struct http_server *server)
{
	if (!server->watches)
		turn_watch_start(&server->turns, server->options.turn_max_ms,
		                 TURN_ASLEEP_MAX_MS);
	server->watches = true;
	turn_watch_begin(&server->turns, 0);
}

static void end_turn(struct http_server *server)
{
	struct slow_turn slow;

	if (turn_watch_end(&server->turns, 0, &slow))
		server->options.slow_turn("http", &slow);
}

/*
 * The library calls it with the head, with each piece of the body, at the end
 * of the body, and after a suspended request is resumed.
 */
static enum MHD_Result on_request(void *context,
                                  struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
	struct http_server *server = context;
	struct http_request *request = *state;
	enum MHD_Result result;

	(void)version;
	begin_turn(server);
	if (!request) {
		request = http_request_create(server, connection, method, url);
		*state = request;
		result = begin(request);
	} else {
		result = go_on(request, upload, upload_len);
	}
	end_turn(server);
	return result;
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **state, enum MHD_RequestTerminationCode why)
{
	struct http_request *request = *state;

	(void)context;
	(void)connection;
	(void)why;
	http_request_destroy(&request);
	*state = NULL;
}

/* Paths keep their escapes; http_query() decodes parameters. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection,
                            char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

/* Without MHD_USE_ERROR_LOG: faults of clients are not logged. */
static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
	const struct http_server_options *o = &server->options;

	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, o->connection_max,
		MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_MAX, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		NULL, MHD_OPTION_END);
}

/* The main thread handles signals: all other threads block them. */
static bool start_threads(struct http_server *server, int fd)
{
	const struct http_server_options *o = &server->options;
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	server->pools = mem_new(o->pool_count * sizeof(*server->pools));
	for (unsigned i = 0; i < o->pool_count; i++)
		http_worker_pool_start(&server->pools[i], &o->pools[i]);
	server->daemon = start_daemon(server, fd);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return server->daemon != NULL;
}

enum status http_server_start(const struct http_server_options *options,
                              struct http_server **ret_server)
{
	CLEANUP(http_server_stop) struct http_server *server = NULL;
	int fd = listener_open(options->bind_address, options->port,
	                       LISTEN_BACKLOG);
	const int send_buffer = SEND_BUFFER;

	if (fd < 0)
		return ST_UNAVAILABLE;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer,
	                 sizeof(send_buffer));
	server = mem_new(sizeof(*server));
	server->options = *options;
	http_unread_init(&server->unread, options->unread_max,
	                 options->unread_user_max);
	if (!start_threads(server, fd)) {
		(void)close(fd);
		return ST_BROKEN;
	}
	*ret_server = MOVE(server);
	return ST_OK;
}

/* Waits until all answers are sent, at most STOP_PATIENCE_MS. */
static void wait_for_answers(struct http_server *server)
{
	for (unsigned ms = 0; ms < STOP_PATIENCE_MS; ms += 5) {
		if (atomic_load(&server->live) == 0)
			break;
		(void)usleep(5000);
	}
}

void http_server_stop(struct http_server **server)
{
	struct http_server *s = MOVE(*server);
	int fd = -1;

	if (!s)
		return;
	atomic_store(&s->stopping, true);
	if (s->daemon)
		fd = MHD_quiesce_daemon(s->daemon);
	for (unsigned i = 0; i < s->options.pool_count; i++)
		http_worker_pool_stop(&s->pools[i]);
	if (s->daemon) {
		wait_for_answers(s);
		MHD_stop_daemon(s->daemon);
	}
	if (s->watches)
		turn_watch_stop(&s->turns);
	if (fd >= 0)
		(void)close(fd);
	for (unsigned i = 0; i < s->options.pool_count; i++)
		(void)pthread_mutex_destroy(&s->pools[i].lock);
	http_unread_destroy(&s->unread);
	mem_free(&s->pools);
	mem_free(&s);
}

struct http_unread_state http_server_unread(struct http_server *server)
{
	struct http_unread *unread = &server->unread;
	struct http_unread_state state = {.cut = atomic_load(&unread->cut)};

	(void)pthread_mutex_lock(&unread->lock);
	state.bytes = unread->bytes;
	(void)pthread_mutex_unlock(&unread->lock);
	return state;
}
