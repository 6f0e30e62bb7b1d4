/*
 * identity_client - asks identity-service, and keeps its responses.
 *
 * A response is kept for its TTL. While a request is in flight, everyone that
 * wants the same waits for its one response. Owners and users are kept in two
 * caches, so that a flood of bad tokens does not evict users.
 *
 * Ownership  the client owns its poller. A waiter is a part of the caller's
 *            object, zeroed at first; identity_client_cancel() it before the
 *            object goes away.
 * Errors     a response has a status; see identity_requests.h.
 * Threads    the loop's, except identity_client_cached(): any thread may call
 *            it. It reads the cache under the cache's own lock (lru.h), which
 *            is held for one look-up and never during I/O.
 * Bounds     connection_max requests at a time; more wait for a connection, no
 *            longer than the time limit (http_poller_ask()).
 */
#ifndef PARLEY_CLIENT_IDENTITY_CLIENT_H
#define PARLEY_CLIENT_IDENTITY_CLIENT_H

#include "common/client/identity_requests.h"

#include <stdbool.h>
#include <stdint.h>

struct identity_client;
struct identity_inflight;
struct uv_loop_s;

typedef void identity_done(void *context,
                           const struct identity_response *response);

struct identity_waiter {
	struct identity_waiter *prev, *next;
	struct identity_inflight *inflight; /* NULL: not waiting */
	/*
	 * It waits for a request that another waiter started. ST_DENIED for a
	 * user may then be about the token of that other one.
	 */
	bool joined;
	identity_done *done;
	void *context;
};

/* What became of one HTTP request. */
struct identity_report {
	bool answered;   /* with a response other than ST_UNAVAILABLE */
	unsigned http;   /* code; 0: no HTTP answer came */
	const char *why; /* unless answered; until the callback returns */
	uint64_t took_us;
};

struct identity_client_options {
	struct uv_loop_s *loop;
	const char *base_url; /* must live on */
	unsigned connection_max;
	unsigned timeout_ms;
	uint32_t owners_max, users_max; /* responses kept */
	struct identity_ttl ttl;
	/* After each HTTP request, from the loop. */
	void (*report)(void *context, const struct identity_report *report);
	void *context;
};

struct identity_client *
identity_client_create(const struct identity_client_options *options);
/*
 * Waiters are cancelled. Not from within `done` or `report`. The loop must turn
 * once more, for the handles of the poller to close.
 */
void identity_client_destroy(struct identity_client **client);

/*
 * True: *ret_response is filled at once. False: `waiter->done` is called later.
 * `request` is only read.
 */
bool identity_client_get(struct identity_client *client,
                         const struct identity_request *request,
                         struct identity_waiter *waiter,
                         struct identity_response *ret_response);
void identity_client_cancel(struct identity_waiter *waiter);
/*
 * What identity_client_get() would give at once; sends nothing. False also
 * while a request is in flight: responses come in the order of the calls.
 */
bool identity_client_peek(struct identity_client *client,
                          const struct identity_request *request,
                          struct identity_response *ret_response);
/* The same from any thread, also while a request is in flight. */
bool identity_client_cached(struct identity_client *client,
                            const struct identity_request *request,
                            struct identity_response *ret_response);
/* Keeps a response that the caller knows without a request. */
void identity_client_put(struct identity_client *client,
                         const struct identity_request *request,
                         const struct identity_response *response);

#endif
