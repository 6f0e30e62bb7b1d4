/*
 * http_server - REST over libmicrohttpd.
 *
 * One thread (ours, inside) owns the sockets and runs handlers of the pool
 * HTTP_INLINE: they must not block. A handler that does (SQL, hashing) belongs
 * to a numbered pool: a bounded queue before a fixed number of worker threads.
 * A full queue answers at once with the pool's refusal.
 *
 * Routing    exact paths; a segment "{}" takes any non-empty segment, read
 *            with http_argument(). A path that is known with other methods
 *            gets 405 and Allow, an unknown one 404, a body over the route's
 *            limit 413, of no accepted content type 415: all as RFC 9457
 *            problem documents. HEAD is answered as GET without the body.
 *            A repeated Authorization, Content-Type or Content-Length header,
 *            Content-Length beside Transfer-Encoding, and a percent escape in
 *            the path are a 400.
 * Ownership  a request lives until its handler returns; every handler must
 *            have answered by then, else the client gets a 500.
 * Threads    a handler runs on one thread from start to end. `context` of an
 *            inline handler is options.inline_context; of a pool's handler
 *            what the pool's `worker_start` made for that thread.
 */
#ifndef PARLEY_IO_HTTP_SERVER_H
#define PARLEY_IO_HTTP_SERVER_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct http_request;

typedef void http_handler(struct http_request *request, void *context);

enum { HTTP_INLINE = -1 };

/* Bytes; a longer answer is a programmer's error. */
enum { HTTP_ANSWER_MAX = 32 * 1024 * 1024 };

/* Which bodies a route takes; others get 415. */
enum http_body {
	HTTP_NO_BODY,      /* a body is read and ignored up to max_body */
	HTTP_JSON_OR_FORM, /* application/json, application/x-www-form-… */
	HTTP_JSON,         /* application/json */
};

struct http_route {
	const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char *path;   /* "/conversations/{}/messages" */
	http_handler *handle;
	int pool; /* HTTP_INLINE or an index of options.pools */
	enum http_body body;
};

struct http_worker_pool_options {
	const char *name; /* for thread names and metrics */
	unsigned threads;
	unsigned queue_max;     /* requests waiting, beyond those running */
	unsigned full_http;     /* 429 or 503 */
	unsigned retry_after_s; /* sent when full */
	/* Called once on each thread; either may be NULL. */
	void *(*worker_start)(void *pool_context);
	void (*worker_stop)(void *worker_context);
	void *pool_context;
};

struct http_server_options {
	const char *bind_address; /* "127.0.0.1", "0.0.0.0", "::" */
	uint16_t port;
	const struct http_route *routes; /* static */
	unsigned route_count;
	const struct http_worker_pool_options *pools; /* static */
	unsigned pool_count;
	void *inline_context;
	size_t max_body; /* bytes */
	unsigned connection_max;
	unsigned idle_timeout_s;
	/*
	 * Called on the server's thread for each answer, may be NULL. The
	 * path is the route's as written there, "" when there was none.
	 */
	void (*observe)(void *context, const char *route_path, unsigned http,
	                uint64_t took_us);
	void *observe_context;
};

/* ST_UNAVAILABLE when the port can't be bound (errno says why). */
MUST_CHECK enum status http_server_start(const struct http_server_options *,
                                         struct http_server **ret_server);
/* Stops accepting; requests that run are answered, queued ones get 503. */
void http_server_stop(struct http_server **server);
/* Requests of a pool that wait for a thread, for metrics. */
unsigned http_server_queued(struct http_server *server, unsigned pool);

/* What was asked. Empty span: absent. */
struct span http_argument(const struct http_request *request, unsigned index);
struct span http_header(const struct http_request *request, const char *name);
/* A query parameter, percent-decoded, or as it was sent when that can't be
   done; false when absent. At most eight found ones for one request. */
bool http_query(const struct http_request *request, const char *name,
                struct span *ret_value);
struct span http_body(const struct http_request *request);
/* True for application/json, false for a form. */
bool http_body_is_json(const struct http_request *request);
/*
 * The token of "Authorization: Bearer …" (scheme in any case), empty when
 * there is none or it is malformed.
 */
struct span http_bearer(const struct http_request *request);

/*
 * From an inline handler that can't answer without blocking: `handle` runs in
 * `pool` with that pool's context, and answers. Return right after it.
 */
void http_pass(struct http_request *request, int pool, http_handler *handle);

/* Answers, once. Headers (at most 8) are set before. Everything is copied. */
void http_set_header(struct http_request *request, const char *name,
                     const char *value);
void http_answer(struct http_request *request, unsigned http,
                 const char *content_type, struct span body);
void http_answer_json(struct http_request *request, unsigned http,
                      struct span json);
/*
 * RFC 9457: {"type":"about:blank","title":…,"status":…,"detail":…}. Title is
 * the code's standard phrase; 401 gets WWW-Authenticate: Bearer, 503 and 429
 * Retry-After unless set before.
 */
void http_answer_problem(struct http_request *request, unsigned http,
                         const char *detail);

#endif
