#include "common/client/identity_client.h"
#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <uthash.h>
#include <utlist.h>

enum { URL_MAX = 1024 + 64 };

struct lookup_flight {
	char key[LRU_KEY_MAX];
	size_t key_len;
	struct lookups *lookups;
	struct lookup_waiter *waiters;
	uint64_t began_us;
	UT_hash_handle hh;
};

struct lookups {
	struct lookups_options options;
	struct lru *kept;
	struct lookup_flight *flights;
};

struct lookups *lookups_create(const struct lookups_options *options)
{
	struct lookups *lookups = mem_new(sizeof(*lookups));

	lookups->options = *options;
	lookups->kept =
		lru_create(options->kept_max, sizeof(struct lookup_answer));
	return lookups;
}

/* The poller has been destroyed before, so no answer comes any more. */
void lookups_destroy(struct lookups **lookups)
{
	struct lookup_flight *flight;
	struct lookup_flight *next;

	if (!*lookups)
		return;
	HASH_ITER (hh, (*lookups)->flights, flight, next) {
		while (flight->waiters)
			lookups_leave(flight->waiters);
		HASH_DEL((*lookups)->flights, flight);
		mem_free(&flight);
	}
	lru_destroy(&(*lookups)->kept);
	mem_free(lookups);
}

void lookups_leave(struct lookup_waiter *waiter)
{
	if (!waiter->flight)
		return;
	DL_DELETE(waiter->flight->waiters, waiter);
	waiter->flight = NULL;
}

void lookups_learn(struct lookups *lookups, struct span key,
                   const struct lookup_answer *answer)
{
	uint64_t until = lookups->options.holds_until(answer, clock_unix_ms());

	if (until)
		lru_put(lookups->kept, key, answer, until);
}

static void on_answer(void *context, enum status asked,
                      const struct http_answer *http)
{
	struct lookup_flight *flight = context;
	struct lookups *lookups = flight->lookups;
	struct lookup_answer answer = {0};

	answer.status = lookups->options.read(asked, http, &answer);
	lookups->options.asked(lookups->options.context,
	                       answer.status != ST_UNAVAILABLE,
	                       clock_mono_us() - flight->began_us);
	lookups_learn(lookups, span_make(flight->key, flight->key_len),
	              &answer);
	/* Out of the table first: who is told may ask again. */
	HASH_DEL(lookups->flights, flight);
	while (flight->waiters) {
		struct lookup_waiter *waiter = flight->waiters;

		lookups_leave(waiter);
		waiter->done(waiter->context, &answer);
	}
	mem_free(&flight);
}

static struct lookup_flight *take_off(struct lookups *lookups, struct span key,
                                      const char *path, struct span bearer)
{
	struct lookup_flight *flight = mem_new(sizeof(*flight));
	char url[URL_MAX];

	memcpy(flight->key, key.data, key.len);
	flight->key_len = key.len;
	flight->lookups = lookups;
	flight->began_us = clock_mono_us();
	HASH_ADD(hh, lookups->flights, key, flight->key_len, flight);
	(void)snprintf(url, sizeof(url), "%s%s", lookups->options.base_url,
	               path);
	http_poller_ask(
		lookups->options.poller,
		&(struct http_ask){.url = url,
	                           .bearer = bearer,
	                           .timeout_ms = lookups->options.timeout_ms},
		on_answer, flight);
	return flight;
}

bool lookups_known(struct lookups *lookups, struct span key,
                   struct lookup_answer *ret_answer)
{
	struct lookup_flight *flight;

	/* Who asks while others wait is told after them, in order. */
	HASH_FIND(hh, lookups->flights, key.data, key.len, flight);
	return !flight &&
	       lru_get(lookups->kept, key, clock_unix_ms(), ret_answer);
}

bool lookups_ask(struct lookups *lookups, struct span key, const char *path,
                 struct span bearer, struct lookup_waiter *waiter,
                 struct lookup_answer *ret_answer)
{
	struct lookup_flight *flight;

	if (lookups_known(lookups, key, ret_answer))
		return true;
	HASH_FIND(hh, lookups->flights, key.data, key.len, flight);
	if (!flight)
		flight = take_off(lookups, key, path, bearer);
	waiter->flight = flight;
	DL_APPEND(flight->waiters, waiter);
	return false;
}
