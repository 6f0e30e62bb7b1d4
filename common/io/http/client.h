/*
 * http_client - small HTTP requests with a time limit, through libcurl.
 *
 * Two forms: http_get() blocks (for worker threads and tools), struct
 * http_poller runs many at once on a libuv loop. Connections are kept alive.
 * Redirects are not followed, bodies over 64 KiB are an error, unless the ask
 * allows more.
 *
 * Errors     ST_OK means that an HTTP answer came, whatever its code;
 *            ST_UNAVAILABLE no connection, time over or a broken answer;
 *            ST_INVALID an ask that can't be written: no URL, no time limit, a
 *            token with other than visible ASCII.
 */
#ifndef PARLEY_IO_HTTP_CLIENT_H
#define PARLEY_IO_HTTP_CLIENT_H

#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct http_answer {
	unsigned http;
	struct span body; /* until the next request of this client */
};

struct http_ask {
	const char *url;
	/* A constant text; NULL: POST with a content_type, else GET. */
	const char *method;
	struct span bearer;       /* token; empty: no Authorization header */
	const char *content_type; /* of `body` */
	struct span body;
	unsigned timeout_ms;
	size_t answer_max; /* bytes of its body; 0: 64 KiB */
};

/* --- blocking ------------------------------------------------------------ */
struct http_client; /* one thread at a time */

struct http_client *http_client_create(void);
void http_client_destroy(struct http_client **client);
MUST_CHECK enum status http_client_ask(struct http_client *client,
                                       const struct http_ask *ask,
                                       struct http_answer *ret_answer);
/* Words for the last ST_UNAVAILABLE. */
const char *http_client_error(const struct http_client *client);

/* --- on a loop ----------------------------------------------------------- */
struct http_poller;
struct uv_loop_s;

typedef void http_done(void *context, enum status status,
                       const struct http_answer *answer);

struct http_poller *http_poller_create(struct uv_loop_s *loop,
                                       unsigned connection_max);
/*
 * Requests under way are dropped without a call. Not from within `done`. The
 * loop must turn once more, for its handles to close.
 */
void http_poller_destroy(struct http_poller **poller);
/*
 * The ask is copied; `done` is called once, later, from the loop, `answer` NULL
 * unless ST_OK. Past connection_max asks wait for a free connection, no longer
 * than their time limit, which begins anew when they get one; past 16384
 * waiting they are ST_UNAVAILABLE.
 */
void http_poller_ask(struct http_poller *poller, const struct http_ask *ask,
                     http_done *done, void *context);
/* Within `done`: why the status is not ST_OK. Valid until `done` returns. */
const char *http_poller_error(const struct http_poller *poller);

#endif
