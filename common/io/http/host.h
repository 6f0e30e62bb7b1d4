/*
 * http_host - the addresses of the server that a poller asks, looked up off the
 * loop. No other file than poller.c uses it.
 *
 * libcurl waits for its own look-up on the thread that ends a request, so a
 * slow name server would stop the loop. It gets the addresses from here
 * (CURLOPT_RESOLVE) and never asks for them.
 *
 * Addresses that were found once stay in use while name servers do not answer.
 *
 * Threads    the loop's.
 */
#ifndef PARLEY_IO_HTTP_HOST_H
#define PARLEY_IO_HTTP_HOST_H

#include <stdbool.h>

struct curl_slist;
struct http_host;
struct uv_loop_s;

/* `changed` is called when there are addresses, and when they are others. */
struct http_host *http_host_create(struct uv_loop_s *loop, const char *url,
                                   void (*changed)(void *context),
                                   void *context);
void http_host_destroy(struct http_host **host);
/* Whether requests can be sent: at once when the host is an address. */
bool http_host_known(const struct http_host *host);
/* For CURLOPT_RESOLVE; NULL when libcurl needs none. */
struct curl_slist *http_host_addresses(const struct http_host *host);
/* Looks the addresses up again, unless that was done within the last `age_ms`.
 */
void http_host_refresh(struct http_host *host, unsigned age_ms);
/* Why there are no addresses. */
const char *http_host_error(const struct http_host *host);

#endif
