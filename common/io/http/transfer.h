/*
 * http_transfer - one request of http_client or http_poller: what both set the
 * same way. Only those two use it.
 *
 * HTTP/1.1 with keep-alive, http and https only, no redirects, no proxy from
 * the environment, no signals, a body of at most ask->answer_max.
 *
 * Ownership  http_transfer_create() gives it; it can be prepared again and
 *            again. The answer's body lives until the next prepare.
 */
#ifndef PARLEY_IO_HTTP_TRANSFER_H
#define PARLEY_IO_HTTP_TRANSFER_H

#include "common/io/http/client.h"

struct http_transfer;

struct http_transfer *http_transfer_create(void);
void http_transfer_destroy(struct http_transfer **transfer);

/*
 * Copies all of `ask`. ST_INVALID when it can't go into a request: a token or
 * content type with other than visible ASCII, no URL, no time limit.
 */
MUST_CHECK enum status http_transfer_prepare(struct http_transfer *transfer,
                                             const struct http_ask *ask);
/* The libcurl easy handle, its CURLOPT_PRIVATE left to the caller. */
void *http_transfer_easy(struct http_transfer *transfer);
/* `result` is the CURLcode that the transfer ended with. */
MUST_CHECK enum status http_transfer_result(struct http_transfer *transfer,
                                            int result,
                                            struct http_answer *ret_answer);
const char *http_transfer_error(const struct http_transfer *transfer);

#endif
