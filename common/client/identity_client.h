/*
 * lookups - questions to identity-service, each asked once: whose token is
 * this, is there such a user.
 *
 * An answer is kept as long as it holds; while a question is under way, all who
 * ask the same wait for its one answer. "Identity can't say" is not kept.
 *
 * Ownership  a waiter is part of the caller's object, zeroed at first; leave
 *            with lookups_leave() before it goes away.
 * Threads    the loop's.
 */
#ifndef PARLEY_CLIENT_IDENTITY_CLIENT_H
#define PARLEY_CLIENT_IDENTITY_CLIENT_H

#include "common/base/span.h"
#include "common/base/status.h"
#include "common/io/http/client.h"
#include "common/wire/identity.h"

#include <stdbool.h>
#include <stdint.h>

struct lookups;
struct lookup_flight;

struct lookup_answer {
	enum status status; /* ST_OK, ST_DENIED, ST_NOT_FOUND, ST_UNAVAILABLE */
	uint64_t user;
	uint64_t expires_at_ms; /* unix; of a token */
	char session[SESSION_ID_MAX + 1];
};

typedef void lookup_done(void *context, const struct lookup_answer *answer);

struct lookup_waiter {
	struct lookup_waiter *prev, *next;
	struct lookup_flight *flight; /* NULL: not waiting */
	lookup_done *done;
	void *context;
};

struct lookups_options {
	struct http_poller *poller;
	const char *base_url; /* must live on */
	unsigned timeout_ms;
	uint32_t kept_max; /* answers */
	/* Reads an answer into ret_answer, all but `status`. */
	enum status (*read)(enum status asked, const struct http_answer *http,
	                    struct lookup_answer *ret_answer);
	/* Until when (unix ms) an answer may be kept; 0: not at all. */
	uint64_t (*holds_until)(const struct lookup_answer *answer,
	                        uint64_t now_ms);
	/* After each question: how long it took, and whether one was answered.
	 */
	void (*asked)(void *context, bool answered, uint64_t took_us);
	void *context;
};

struct lookups *lookups_create(const struct lookups_options *options);
void lookups_destroy(struct lookups **lookups);

/*
 * True: *ret_answer is filled at once. False: `waiter->done` is called later.
 * `key` is what makes questions the same; `path` and `bearer` are what to ask.
 */
bool lookups_ask(struct lookups *lookups, struct span key, const char *path,
                 struct span bearer, struct lookup_waiter *waiter,
                 struct lookup_answer *ret_answer);
void lookups_leave(struct lookup_waiter *waiter);
/* What would be answered at once; false also while others wait for it. */
bool lookups_known(struct lookups *lookups, struct span key,
                   struct lookup_answer *ret_answer);
/* What is known without asking. */
void lookups_learn(struct lookups *lookups, struct span key,
                   const struct lookup_answer *answer);

#endif
