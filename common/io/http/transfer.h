/*
 * http_transfer - one libcurl request with the options that http_client and
 * http_poller share. No other file uses it.
 *
 * HTTP/1.1 with keep-alive, http and https only, no redirects, no proxy from
 * the environment, no signals, an answer body of at most ask->answer_max.
 *
 * Ownership  the caller of http_transfer_create() owns it and can prepare it
 *            any number of times. The answer's body lives until the next
 *            http_transfer_prepare().
 */
#ifndef PARLEY_IO_HTTP_TRANSFER_H
#define PARLEY_IO_HTTP_TRANSFER_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/io/http/exchange.h"

struct http_transfer;

struct http_transfer *http_transfer_create(void);
void http_transfer_destroy(struct http_transfer **transfer);

/*
 * Copies all of `ask`. ST_INVALID: a token or content type has other bytes than
 * visible ASCII, or the URL or the time limit is missing.
 */
MUST_CHECK enum status http_transfer_prepare(struct http_transfer *transfer,
                                             const struct http_ask *ask);
/* The libcurl easy handle; the caller may set its CURLOPT_PRIVATE. */
void *http_transfer_easy(struct http_transfer *transfer);
/* `result` is the CURLcode of the finished transfer. */
MUST_CHECK enum status http_transfer_result(struct http_transfer *transfer,
                                            int result,
                                            struct http_answer *ret_answer);
const char *http_transfer_error(const struct http_transfer *transfer);

#endif
