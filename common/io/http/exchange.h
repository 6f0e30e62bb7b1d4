/*
 * http_exchange - a request of an HTTP client, and the answer to it.
 *
 * Ownership  both borrow their texts.
 */
#ifndef PARLEY_IO_HTTP_EXCHANGE_H
#define PARLEY_IO_HTTP_EXCHANGE_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct http_answer {
	unsigned http;
	struct span body; /* lives until the next request of this client */
};

struct http_ask {
	const char *url;
	/* A constant text; NULL: POST with a content_type, else GET. */
	const char *method;
	struct span bearer;       /* token; empty: no Authorization header */
	const char *basic;        /* "user:password" of HTTP Basic, or NULL */
	const char *content_type; /* of `body` */
	struct span body;
	/*
	 * On a connection of its own: libcurl sends a request again when a kept
	 * connection breaks before the answer.
	 */
	bool once;
	unsigned timeout_ms;
	size_t answer_max; /* bytes of the answer's body; 0: 64 KiB */
};

#endif
