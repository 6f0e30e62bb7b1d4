/*
 * identity_client - sends requests to identity-service and caches the
 * responses.
 *
 * Every second it asks which sessions have ended, and which users were deleted.
 * The tokens are denied from then on, and the users do not exist any more,
 * whatever the cache says. This request also shows whether identity
 * answers, when no other one does.
 *
 * A response is cached for its TTL. While a request is in flight, callers with
 * the same request wait for its response; but while a cached owner is renewed,
 * they get the cached one. Owners and users have separate caches, so that a
 * flood of bad tokens does not evict users.
 *
 * Ownership  the client owns its poller. A waiter is a part of the caller's
 *            object, zeroed at first; identity_client_cancel() it before the
 *            object goes away.
 * Errors     a response has a status; see identity_requests.h.
 * Threads    the loop's, except identity_client_cached(): any thread may call
 *            it. It reads the cache under the cache's own lock (lru.h), which
 *            is held for one look-up and never during I/O.
 * Bounds     connection_max requests at a time; further ones wait for a
 *            connection, at most for the time limit (http_poller_ask()).
 *            connection_max owners are renewed at a time; a further one is
 *            renewed when it is used again.
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
	 * The waiter joined a request that another waiter started. ST_DENIED
	 * for a user may then be about the token of the other waiter.
	 */
	bool joined;
	identity_done *done;
	void *context;
};

/* The outcome of one HTTP request. */
struct identity_report {
	bool answered;   /* with a response other than ST_UNAVAILABLE */
	unsigned http;   /* code; 0: no HTTP answer arrived */
	const char *why; /* unless answered; until the callback returns. The
	                    same fault has the same text. */
	uint64_t took_us;
	bool poll; /* no caller asked: the request for ended sessions */
};

struct identity_client_options {
	struct uv_loop_s *loop;
	const char *base_url; /* must outlive the client */
	unsigned connection_max;
	unsigned timeout_ms;
	uint32_t owners_max, users_max; /* cached responses */
	struct identity_ttl ttl;
	/* Between two requests for the sessions that have ended; 0: none. */
	unsigned ended_ms;
	/*
	 * A session has ended before its tokens expire; from the loop. NULL: no
	 * call.
	 */
	void (*ended)(void *context, uint64_t user, struct span session);
	/* After each HTTP request, from the loop. */
	void (*report)(void *context, const struct identity_report *report);
	void *context;
};

struct identity_client *
identity_client_create(const struct identity_client_options *options);
/*
 * Cancels the waiters. Do not call it from `done` or `report`. The loop must
 * turn once more, so that the handles of the poller close.
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
 * The response that identity_client_get() would give at once; sends no request.
 * False also while a request is in flight that callers wait for, so that
 * responses keep the order of the calls.
 */
bool identity_client_peek(struct identity_client *client,
                          const struct identity_request *request,
                          struct identity_response *ret_response);
/* The same from any thread, also while a request is in flight. */
bool identity_client_cached(struct identity_client *client,
                            const struct identity_request *request,
                            struct identity_response *ret_response);
/* Caches a response that the caller knows without a request. */
void identity_client_put(struct identity_client *client,
                         const struct identity_request *request,
                         const struct identity_response *response);

#endif
