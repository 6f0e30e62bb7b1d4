/*
 * resolver - looks up the addresses of one host without blocking a libuv loop.
 *
 * getaddrinfo() blocks for as long as name servers do not answer. A thread of
 * the resolver calls it, one look-up at a time, and wakes the loop through a
 * descriptor. Each look-up asks again: nothing is cached here.
 *
 * Ownership  resolver_create() gives the resolver to its caller;
 *            resolver_destroy() takes it back, NULLs the pointer and accepts
 *            NULL. It does not wait for a look-up that is under way: the
 *            thread ends when the look-up does.
 * Errors     a machine without resources for a thread or a descriptor ends the
 *            process.
 * Threads    the loop's, except the resolver's own.
 */
#ifndef PARLEY_IO_RESOLVER_H
#define PARLEY_IO_RESOLVER_H

#include <stdbool.h>

enum {
	RESOLVER_ADDRESSES_MAX = 8, /* further ones are left out */
	RESOLVER_TEXT_MAX = 64,     /* an address as text, and its NUL */
};

struct resolver;
struct uv_loop_s;

struct resolver_addresses { /* in the order in which to try them */
	unsigned count;
	char text[RESOLVER_ADDRESSES_MAX][RESOLVER_TEXT_MAX];
};

/*
 * `addresses` is NULL when the look-up failed, and `why` is the reason. Both
 * live until the call returns.
 */
typedef void resolver_done(void *context,
                           const struct resolver_addresses *addresses,
                           const char *why);

/* `host` is a name or an address; it is copied. */
struct resolver *resolver_create(struct uv_loop_s *loop, const char *host,
                                 resolver_done *done, void *context);
/* Afterwards the loop must turn once more, so that the handle closes. */
void resolver_destroy(struct resolver **resolver);
/*
 * Starts a look-up, unless one is under way: the loop calls `done` once, later.
 * When the host is an address, `done` is called before this function returns.
 */
void resolver_ask(struct resolver *resolver);

#endif
