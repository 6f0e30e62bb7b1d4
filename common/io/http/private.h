/*
 * http_private - shared by the files of http_server; no other file includes it.
 */
#ifndef PARLEY_IO_HTTP_PRIVATE_H
#define PARLEY_IO_HTTP_PRIVATE_H

#include "common/base/turn_watch.h"
#include "common/io/http/server.h"
#include "common/io/http/unread.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	HTTP_ARGUMENTS_MAX = 4,
	HTTP_QUERIES_MAX = 8, /* parameters that http_query() found */
	HTTP_HEADERS_MAX = 8,
	HTTP_PARAMETERS_MAX = 64, /* of a query */
};

struct http_answer_header {
	char *name;
	char *value;
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	const struct http_route *route; /* NULL: see refusal */
	struct span method;
	char *path;
	struct span arguments[HTTP_ARGUMENTS_MAX];
	struct buf body;
	size_t received; /* body bytes, dropped ones included */
	bool is_json;
	bool is_oauth;    /* a route of this path is */
	unsigned refusal; /* HTTP code, sent after the body has arrived */
	const char *refusal_detail;
	char *decoded[HTTP_QUERIES_MAX]; /* query parameters */
	uint64_t began_us;

	uint64_t user; /* see http_admit_user(); 0: none */
	struct http_unread_entry unread;

	struct ip_address client; /* see http_set_client() */
	bool has_client;

	/* Set by http_pass(). */
	int pool;
	http_handler *handle;
	struct http_request *next; /* in the queue of the pool */

	/* The answer, until the library gets it. */
	bool answered;
	unsigned http;
	char *content_type;
	struct buf answer;
	struct http_answer_header headers[HTTP_HEADERS_MAX];
	unsigned header_count;
};

struct http_worker_pool {
	const struct http_worker_pool_options *options;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t *threads;
	unsigned started; /* threads */
	struct http_request *first;
	struct http_request *last;
	unsigned queued;  /* requests without a thread */
	unsigned running; /* requests on a thread */
	bool stopping;
};

struct http_server {
	struct http_server_options options;
	struct MHD_Daemon *daemon;
	struct http_worker_pool *pools;
	struct http_unread unread;
	atomic_uint live; /* requests between their head and last byte */
	atomic_bool stopping;
	struct turn_watch turns; /* of the daemon's thread */
	bool watches;            /* whether `turns` has begun */
};

struct http_request *http_request_create(struct http_server *server,
                                         struct MHD_Connection *connection,
                                         const char *method, const char *path);
void http_request_destroy(struct http_request **request);
/* Wipes and frees the body of the answer. */
void http_request_free_answer(struct http_request *request);
/*
 * Runs a handler. A request that it neither answered nor passed to a pool gets
 * a 500.
 */
void http_request_handle(struct http_request *request, http_handler *handle,
                         void *context);
/*
 * The request is answered with this code once its body has arrived. `detail` is
 * constant.
 */
void http_request_refuse(struct http_request *request, unsigned http,
                         const char *detail);
bool http_request_look_up(const struct http_request *request,
                          enum MHD_ValueKind kind, const char *name,
                          struct span *ret_value);
/* Refuses what the headers of no request may say. */
void http_headers_check(struct http_request *request);

/*
 * The parameters of a query. http_parameters_check() decodes them in place and
 * returns 0, or the status for *ret_fault: 400 for too many parameters, a
 * malformed name, or one that occurs twice; 422 for a malformed value.
 */
struct http_text {
	char *bytes;
	size_t len;
};
struct http_parameters {
	struct http_text name[HTTP_PARAMETERS_MAX];
	struct http_text value[HTTP_PARAMETERS_MAX];
	unsigned count; /* also of those beyond HTTP_PARAMETERS_MAX */
};
void http_parameters_add(struct http_parameters *all, struct span name,
                         struct span value);
void http_parameters_free(struct http_parameters *all);
MUST_CHECK unsigned http_parameters_check(struct http_parameters *all,
                                          const char **ret_fault);
void http_query_check(struct http_request *request);

/* Gives the answer to the library. */
enum MHD_Result http_request_send(struct http_request *request);

/*
 * Sets request->route. Without a matching route it sets request->refusal, and
 * for 405 the Allow header.
 */
void http_route_find(struct http_request *request);
/* Sets request->is_oauth, also for a request that is refused at once. */
void http_route_find_form(struct http_request *request);

void http_worker_pool_start(struct http_worker_pool *pool,
                            const struct http_worker_pool_options *options);
/*
 * Suspends the request and queues it: a worker owns it until it resumes it.
 * False when the queue, or its client's share of it, is full: the request has
 * its refusal as an answer.
 * Called on the server's thread.
 */
bool http_worker_pool_push(struct http_worker_pool *pool,
                           struct http_request *request);
/* Answers queued requests with 503 and waits for the running ones. */
void http_worker_pool_stop(struct http_worker_pool *pool);

#endif
