#include "persistence-service/rest/people.h"

#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"

#include <stdio.h>

enum {
	PEOPLE_MAX = 100000,
	KEEP_MS = 60 * 60 * 1000,
	ASK_ALL_MS = 5000, /* a client waits for all of them */
};

struct people {
	struct lru *known; /* by id */
};

struct people *people_create(void)
{
	struct people *people = mem_new(sizeof(*people));

	people->known = lru_create(PEOPLE_MAX, sizeof(char));
	return people;
}

void people_destroy(struct people **people)
{
	if (!*people)
		return;
	lru_destroy(&(*people)->known);
	mem_free(people);
}

static enum status read_user(enum status asked,
                             const struct http_answer *answer, void *ret_user)
{
	return identity_read_user(asked, answer, ret_user);
}

static enum status ask_one(struct people *people, struct asker *asker,
                           struct span token, uint64_t user)
{
	struct span key = span_make(&user, sizeof(user));
	char path[sizeof(IDENTITY_USERS_PATH) + 20];
	uint64_t now_ms = clock_mono_ms();
	enum status status;
	uint64_t found;

	if (lru_get(people->known, key, now_ms, NULL))
		return ST_OK;
	(void)snprintf(path, sizeof(path), IDENTITY_USERS_PATH "%llu",
	               (unsigned long long)user);
	status = asker_ask(asker, path, token, read_user, &found);
	if (status == ST_OK)
		lru_put(people->known, key, "", now_ms + KEEP_MS);
	return status;
}

enum status people_ask(struct people *people, struct asker *asker,
                       struct span token, const uint64_t *users, unsigned count,
                       uint64_t *ret_missing)
{
	uint64_t until_ms = clock_mono_ms() + ASK_ALL_MS;
	enum status status;

	for (unsigned i = 0; i < count; i++) {
		if (clock_mono_ms() > until_ms)
			return ST_UNAVAILABLE;
		status = ask_one(people, asker, token, users[i]);
		if (status == ST_NOT_FOUND)
			*ret_missing = users[i];
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}
