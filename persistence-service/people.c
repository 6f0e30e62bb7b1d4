#include "persistence-service/people.h"

#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/io/http_client.h"
#include "common/service/log.h"

enum {
	PEOPLE_MAX = 100000,
	KEEP_MS = 60 * 60 * 1000,
	ASK_TIMEOUT_MS = 2000,
	ASK_ALL_MS = 5000, /* a client waits for all of them */
	URL_MAX = 2048,
};

struct people {
	struct lru *known; /* by id */
	char *url;
};

struct people_asker {
	struct people *people;
	struct http_client *client;
};

struct people *people_create(const char *identity_url)
{
	struct people *people = mem_new(sizeof(*people));
	struct buf url CLEANUP(buf_free) = BUF(URL_MAX);

	buf_append(&url, span_of(identity_url));
	buf_append(&url, SPAN(IDENTITY_USERS_PATH));
	people->url = mem_text(url.data, url.len);
	people->known = lru_create(PEOPLE_MAX, sizeof(char));
	return people;
}

void people_destroy(struct people **people)
{
	if (!*people)
		return;
	lru_destroy(&(*people)->known);
	mem_free(&(*people)->url);
	mem_free(people);
}

struct people_asker *people_asker_create(struct people *people)
{
	struct people_asker *asker = mem_new(sizeof(*asker));

	asker->people = people;
	asker->client = http_client_create();
	return asker;
}

void people_asker_destroy(struct people_asker **asker)
{
	if (!*asker)
		return;
	http_client_destroy(&(*asker)->client);
	mem_free(asker);
}

static enum status ask_identity(struct people_asker *asker, struct span token,
                                uint64_t user)
{
	struct buf url CLEANUP(buf_free) = BUF(URL_MAX);
	struct http_ask ask = {.bearer = token, .timeout_ms = ASK_TIMEOUT_MS};
	struct http_answer answer = {0};
	enum status asked, status;
	uint64_t found;

	buf_append(&url, span_of(asker->people->url));
	buf_number(&url, user);
	ask.url = buf_text(&url);
	asked = http_client_ask(asker->client, &ask, &answer);
	status = identity_read_user(asked, &answer, &found);
	if (status == ST_UNAVAILABLE)
		log_event(LOG_WARN, "identity.unavailable",
		          F_NUMBER("http", answer.http),
		          F_TEXT("why",
		                 asked == ST_OK
		                         ? "unexpected answer"
		                         : http_client_error(asker->client)));
	return status;
}

static enum status ask_one(struct people_asker *asker, struct span token,
                           uint64_t user)
{
	struct lru *known = asker->people->known;
	struct span key = span_make(&user, sizeof(user));
	uint64_t now_ms = clock_mono_ms();
	enum status status;

	if (lru_get(known, key, now_ms, NULL))
		return ST_OK;
	status = ask_identity(asker, token, user);
	if (status == ST_OK)
		lru_put(known, key, "", now_ms + KEEP_MS);
	return status;
}

enum status people_ask(struct people_asker *asker, struct span token,
                       const uint64_t *users, unsigned count,
                       uint64_t *ret_missing)
{
	uint64_t until_ms = clock_mono_ms() + ASK_ALL_MS;
	enum status status;

	for (unsigned i = 0; i < count; i++) {
		if (clock_mono_ms() > until_ms)
			return ST_UNAVAILABLE;
		status = ask_one(asker, token, users[i]);
		if (status == ST_NOT_FOUND)
			*ret_missing = users[i];
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}
