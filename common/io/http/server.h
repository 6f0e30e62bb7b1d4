/*
 * http_server - REST over libmicrohttpd.
 *
 * The server's own thread owns the sockets and runs the HTTP_INLINE handlers,
 * which must not block. A handler that blocks (SQL, hashing) belongs to a
 * worker pool: a bounded queue in front of a fixed number of threads. When the
 * queue is full, or one client's share of it, the server answers at once with
 * the pool's refusal. A request whose client has closed the connection before a
 * thread takes it is dropped: carried out late it could undo what the client
 * has done since.
 *
 * Routing    exact paths; a segment "{}" matches any non-empty segment, which
 *            http_argument() returns. The server answers 405 with Allow for a
 *            known path with another method, 404 for an unknown path, 413 for
 *            a body over the limit and 415 for another content type, all as
 *            RFC 9457 problem documents. HEAD is answered like GET without the
 *            body. 400 is the answer to a repeated Authorization, Host,
 *            Origin, Content-Type, Content-Length or Transfer-Encoding header,
 *            to Content-Length together with Transfer-Encoding, to a percent
 *            escape in the path, and to a query with a parameter that occurs
 *            twice, more than 64 parameters, a malformed escape, or bytes that
 *            are not UTF-8. A body with a Content-Encoding is 415, another
 *            Transfer-Encoding than chunked 501.
 * Ownership  a request lives until its handler returns. The handler must answer
 *            before, else the client gets a 500.
 * Memory     connection_max bounds heads, bodies and small answers; unread_max
 *            bounds the others.
 * Threads    a handler runs on one thread from start to end. The `context` of
 *            an inline handler is options.inline_context; the `context` of a
 *            pool's handler is the result of worker_start() on its thread.
 */
#ifndef PARLEY_IO_HTTP_SERVER_H
#define PARLEY_IO_HTTP_SERVER_H

#include "common/base/buf.h"
#include "common/base/ip_address.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct http_request;
struct slow_turn;

typedef void http_handler(struct http_request *request, void *context);

enum { HTTP_INLINE = -1 };

/* Bytes; a longer answer is a bug. */
enum { HTTP_ANSWER_MAX = 8 * 1024 * 1024 };

/* nginx sends a body when it has all of it. */
enum { HTTP_BODY_TIMEOUT_S = 10 };

/* The bodies that a route accepts; others get 415. */
enum http_body {
	HTTP_NO_BODY,      /* a body is read and ignored up to max_body */
	HTTP_JSON_OR_FORM, /* application/json, application/x-www-form-… */
	HTTP_JSON,         /* application/json */
	HTTP_MERGE_PATCH,  /* the same, application/merge-patch+json (RFC 7396)
	                    */
	/*
	 * application/x-www-form-urlencoded. The problem documents of this path
	 * have a member `error` as well, as in RFC 6749 section 5.2.
	 */
	HTTP_OAUTH_FORM,
};

struct http_route {
	const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char *path;   /* "/conversations/{}/messages" */
	http_handler *handle;
	int pool; /* HTTP_INLINE or an index of options.pools */
	enum http_body body;
};

struct http_worker_pool_options {
	const char *name; /* of its threads; at most 15 characters */
	unsigned threads;
	unsigned queue_max;     /* requests that wait for a thread */
	unsigned client_max;    /* of these, of one client; 0: queue_max */
	unsigned full_http;     /* 429 or 503 */
	unsigned retry_after_s; /* Retry-After of a refusal */
	/* Called once on each thread; each may be NULL. */
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
	 * Between the head and the end of the body. A client that sends single
	 * bytes is never idle: the first one that comes later is the last.
	 */
	unsigned body_timeout_s;
	/*
	 * Bytes of answers that wait until their clients read them: of all
	 * requests, and of one user (see http_admit_user()). unread.h says what
	 * happens beyond.
	 */
	size_t unread_max;
	size_t unread_user_max;
	/*
	 * Called on the server's thread for each answer; may be NULL.
	 * route_path is the `path` of the route, "" without a route.
	 */
	void (*observe)(void *context, const char *route_path, unsigned http,
	                uint64_t took_us);
	void *observe_context;
	/*
	 * A call of the library on the server's thread, with the handler that
	 * runs there, that takes more CPU time than this, or sleeps
	 * (turn_watch.h), is told to slow_turn(), which must not be NULL then.
	 * 0: not measured.
	 */
	uint64_t turn_max_ms;
	void (*slow_turn)(const char *loop, const struct slow_turn *slow);
};

/* ST_UNAVAILABLE: the port cannot be bound; errno says why. */
MUST_CHECK enum status http_server_start(const struct http_server_options *,
                                         struct http_server **ret_server);
/* Stops accepting, answers running requests, and queued ones with 503. */
void http_server_stop(struct http_server **server);
/* Requests that wait for a thread of this pool, for metrics. */
unsigned http_server_queued(struct http_server *server, unsigned pool);
/* Answers that wait for their readers, for metrics. */
struct http_unread_state {
	size_t bytes;
	uint64_t cut; /* answers so far, because their clients did not read */
};
struct http_unread_state http_server_unread(struct http_server *server);

/* --- the request; an empty span: absent ---------------------------------- */
struct span http_argument(const struct http_request *request, unsigned index);
struct span http_header(const struct http_request *request, const char *name);
/*
 * A query parameter, percent-decoded, or as sent when an escape is malformed;
 * false when absent. A handler may read at most eight present parameters.
 */
bool http_query(const struct http_request *request, const char *name,
                struct span *ret_value);
struct span http_body(const struct http_request *request);
/* True for application/json, false for a form. */
bool http_body_is_json(const struct http_request *request);
/*
 * The token of "Authorization: Bearer …" (the scheme in any case, RFC 6750);
 * empty when the header is missing or malformed.
 */
struct span http_bearer(const struct http_request *request);

/*
 * How many cookies have this name, in all Cookie headers, and the value of the
 * first; see common/base/cookie.h. A page of a sibling host can add others.
 */
unsigned http_cookie(const struct http_request *request, const char *name,
                     struct span *ret_value);

/*
 * The address of the client: of the connection, or behind `trusted` proxies the
 * one that X-Forwarded-For names.
 */
struct ip_address http_client_address(const struct http_request *request,
                                      const struct ip_networks *trusted);

/*
 * Says which client a request is from that an inline handler passes to a pool:
 * at most client_max requests of a client wait there.
 */
void http_set_client(struct http_request *request,
                     const struct ip_address *client);

/*
 * For an inline handler that cannot answer without blocking: `handle` runs in
 * `pool`, with that pool's context, and answers. Return right after this call.
 * A request that is in a pool already stays on its thread: `handle` runs next,
 * with the context of this pool.
 */
void http_pass(struct http_request *request, int pool, http_handler *handle);
/* The same with the handler of the route, which then may block. */
void http_pass_again(struct http_request *request, int pool);

/*
 * Says which user the request is from; not 0. False, after answering 429, when
 * too much waits until this user reads it.
 */
bool http_admit_user(struct http_request *request, uint64_t user);

/* --- the answer: once; headers (at most 8) before it; all is copied ------ */
void http_set_header(struct http_request *request, const char *name,
                     const char *value);
void http_answer(struct http_request *request, unsigned http,
                 const char *content_type, struct span body);
void http_answer_json(struct http_request *request, unsigned http,
                      struct span json);
/* The same; takes the bytes of `json`, which is empty afterwards. */
void http_answer_json_buf(struct http_request *request, unsigned http,
                          struct buf *json);
/*
 * RFC 9457: {"type":"about:blank","title":…,"status":…,"detail":…}. The title
 * is the standard phrase of the code. 401 gets WWW-Authenticate: Bearer; 429
 * and 503 get Retry-After, unless the handler has set it.
 */
void http_answer_problem(struct http_request *request, unsigned http,
                         const char *detail);

#endif
