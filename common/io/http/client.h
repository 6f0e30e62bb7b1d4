/*
 * http_client - small HTTP requests with a time limit, through libcurl.
 *
 * http_client blocks (for worker threads and tools); http_poller runs many
 * requests at once on a libuv loop. Both keep connections alive and follow no
 * redirects. An answer body over 64 KiB is an error, unless the request allows
 * more.
 *
 * Errors     ST_OK           an HTTP answer arrived, with any code
 *            ST_UNAVAILABLE  no connection, timeout, or a malformed answer
 *            ST_INVALID      the request cannot be written: no URL, no time
 *                            limit, or a token with other bytes than visible
 *                            ASCII
 */
#ifndef PARLEY_IO_HTTP_CLIENT_H
#define PARLEY_IO_HTTP_CLIENT_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/io/http/exchange.h"

/* --- blocking ------------------------------------------------------------ */
struct http_client; /* one thread at a time */

struct http_client *http_client_create(void);
void http_client_destroy(struct http_client **client);
MUST_CHECK enum status http_client_ask(struct http_client *client,
                                       const struct http_ask *ask,
                                       struct http_answer *ret_answer);
/* Why the last request was not ST_OK. */
const char *http_client_error(const struct http_client *client);

/* --- on a loop ----------------------------------------------------------- */
struct http_poller;
struct uv_loop_s;

typedef void http_done(void *context, enum status status,
                       const struct http_answer *answer);

/*
 * All requests go to the host of `url`. A name is resolved off the loop; until
 * it is resolved, requests wait, at most for their time limit.
 */
struct http_poller *http_poller_create(struct uv_loop_s *loop, const char *url,
                                       unsigned connection_max);
/*
 * Drops the requests under way without a call of `done`. Do not call it from
 * `done`. The loop must turn once more, so that its handles close.
 */
void http_poller_destroy(struct http_poller **poller);
/*
 * Copies the request. The loop calls `done` once, later; `answer` is NULL
 * unless ST_OK. When connection_max requests are active, a request waits for a
 * free connection, at most for its time limit; the limit starts again when it
 * gets one. When 16384 requests wait, the next one is ST_UNAVAILABLE.
 */
void http_poller_ask(struct http_poller *poller, const struct http_ask *ask,
                     http_done *done, void *context);
/* Within `done`: why the status is not ST_OK. Valid until `done` returns. */
const char *http_poller_error(const struct http_poller *poller);

#endif
