/*
 * http_unread - the answers of a server that wait until their clients read
 * them, so that clients that read slowly or not at all take bounded memory.
 *
 * docs/adr/0024-unread-answers.md
 *
 * An answer of up to HTTP_SMALL_ANSWER bytes goes to the kernel at once and is
 * not counted: connection_max bounds these. The larger ones are bounded
 *
 *	per user   by options.unread_user_max: the user gets 429
 *	in all     by options.unread_max: the oldest are cut to make room, but
 *	           not in their first second; else the new request gets 503
 *	in time    a client must read UNREAD_BYTES_PER_S on average, after
 *	           UNREAD_GRACE_US; else its connection is cut
 *
 * Threads    http_unread_admits() any; all others the server's own.
 */
#ifndef PARLEY_IO_HTTP_UNREAD_H
#define PARLEY_IO_HTTP_UNREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request;

enum {
	HTTP_SMALL_ANSWER = 32 * 1024,
	UNREAD_BYTES_PER_S = 16 * 1024,
};
#define UNREAD_GRACE_US UINT64_C(10000000)

struct http_unread {
	size_t max;
	size_t user_max;
	pthread_mutex_t lock; /* of the list and `bytes` */
	struct http_request *oldest;
	struct http_request *newest;
	size_t bytes;
	atomic_uint_least64_t cut; /* answers so far, for metrics */
};

/* The place of a request in the list. */
struct http_unread_entry {
	struct http_request *older, *newer;
	size_t bytes; /* 0: not in the list */
	uint64_t since_us;
	uint64_t deadline_us;
	bool cut; /* the connection is shut down, the answer freed */
};

void http_unread_init(struct http_unread *unread, size_t max, size_t user_max);
void http_unread_destroy(struct http_unread *unread);
/* True when the user has read enough of the answers so far. */
bool http_unread_admits(struct http_unread *unread, uint64_t user);
/* 200 when the answer may be sent; else the code to send instead. */
unsigned http_unread_add(struct http_unread *unread,
                         struct http_request *request);
void http_unread_remove(struct http_unread *unread,
                        struct http_request *request);
/* Shuts the connection down and frees the answer. */
void http_unread_cut(struct http_unread *unread, struct http_request *request);

#endif
