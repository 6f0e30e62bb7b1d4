/*
 * http_private - what the files of http_server share; nobody else includes it.
 */
#ifndef PARLEY_IO_HTTP_PRIVATE_H
#define PARLEY_IO_HTTP_PRIVATE_H

#include "common/io/http/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	HTTP_ARGUMENTS_MAX = 4,
	HTTP_QUERIES_MAX = 8, /* http_query() that found one */
	HTTP_HEADERS_MAX = 8,
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
	size_t received; /* body bytes, also those that were dropped */
	bool is_json;
	unsigned refusal; /* answered with this code once the body is in */
	const char *refusal_detail;
	char *decoded[HTTP_QUERIES_MAX]; /* query parameters */
	uint64_t began_us;

	/* Set by http_pass(). */
	int lane;
	http_handler *handle;
	struct http_request *next; /* in the lane's queue */

	/* The answer, until it is handed to the library. */
	bool answered;
	unsigned http;
	char *content_type;
	struct buf answer;
	struct http_answer_header headers[HTTP_HEADERS_MAX];
	unsigned header_count;
};

struct http_lane_state {
	const struct http_lane *lane;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t *threads;
	unsigned started;
	struct http_request *first;
	struct http_request *last;
	unsigned waiting;
	unsigned running;
	bool stopping;
};

struct http_server {
	struct http_server_options options;
	struct MHD_Daemon *daemon;
	struct http_lane_state *lanes;
	atomic_uint live; /* requests from their head to their last byte */
	atomic_bool stopping;
};

struct http_request *http_request_create(struct http_server *server,
                                         struct MHD_Connection *connection,
                                         const char *method, const char *path);
void http_request_destroy(struct http_request **request);
/* Runs a handler; one that neither answered nor passed on gets a 500. */
void http_request_handle(struct http_request *request, http_handler *handle,
                         void *context);
/* Hands the answer to the library. */
enum MHD_Result http_request_send(struct http_request *request);

/*
 * The route of a request. Without one, request->refusal is set, and for 405
 * the Allow header.
 */
void http_route_find(struct http_request *request);

void http_lane_start(struct http_lane_state *state,
                     const struct http_lane *lane);
/*
 * Suspends the request and queues it: from then on it is the worker's until it
 * is resumed. False when the lane is full: the request is answered instead. On
 * the server's thread.
 */
bool http_lane_push(struct http_lane_state *state,
                    struct http_request *request);
/* Answers what waits with 503, lets finish what runs. */
void http_lane_stop(struct http_lane_state *state);

#endif
