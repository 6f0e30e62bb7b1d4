#include "persistence-service/owners.h"

#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/io/digest.h"
#include "common/io/http_client.h"
#include "common/service/log.h"

enum {
	OWNERS_MAX = 20000,
	KEEP_MS = 30000,
	ASK_TIMEOUT_MS = 2000,
	URL_MAX = 2048,
};

struct owners {
	struct lru *known; /* by the token's digest */
	char *url;
};

struct owner_asker {
	struct owners *owners;
	struct http_client *client;
};

struct owners *owners_create(const char *identity_url)
{
	struct owners *owners = mem_new(sizeof(*owners));
	struct buf url CLEANUP(buf_free) = BUF(URL_MAX);

	buf_append(&url, span_of(identity_url));
	buf_append(&url, SPAN(IDENTITY_LOOKUP_PATH));
	owners->url = mem_text(url.data, url.len);
	owners->known = lru_create(OWNERS_MAX, sizeof(struct token_owner));
	return owners;
}

void owners_destroy(struct owners **owners)
{
	if (!*owners)
		return;
	lru_destroy(&(*owners)->known);
	mem_free(&(*owners)->url);
	mem_free(owners);
}

struct owner_asker *owner_asker_create(struct owners *owners)
{
	struct owner_asker *asker = mem_new(sizeof(*asker));

	asker->owners = owners;
	asker->client = http_client_create();
	return asker;
}

void owner_asker_destroy(struct owner_asker **asker)
{
	if (!*asker)
		return;
	http_client_destroy(&(*asker)->client);
	mem_free(asker);
}

static enum status ask_identity(struct owner_asker *asker, struct span token,
                                struct token_owner *ret_owner)
{
	struct http_ask ask = {
		.url = asker->owners->url,
		.bearer = token,
		.timeout_ms = ASK_TIMEOUT_MS,
	};
	struct http_answer answer = {0};
	enum status asked = http_client_ask(asker->client, &ask, &answer);
	enum status status = identity_read_owner(asked, &answer, ret_owner);

	if (status == ST_UNAVAILABLE)
		log_event(LOG_WARN, "identity.unavailable",
		          F_NUMBER("http", answer.http),
		          F_TEXT("why",
		                 asked == ST_OK
		                         ? "unexpected answer"
		                         : http_client_error(asker->client)));
	return status;
}

enum status owner_ask(struct owner_asker *asker, struct span token,
                      struct token_owner *ret_owner)
{
	struct lru *known = asker->owners->known;
	uint64_t now_ms = clock_unix_ms();
	struct digest digest;
	enum status status;
	uint64_t until_ms;

	if (token.len == 0 || token.len > TOKEN_MAX)
		return ST_DENIED;
	digest_make(token, &digest);
	if (lru_get(known, digest_span(&digest), now_ms, ret_owner))
		return ST_OK;
	status = ask_identity(asker, token, ret_owner);
	if (status != ST_OK)
		return status;
	until_ms = now_ms + KEEP_MS;
	if (until_ms > ret_owner->expires_at_ms)
		until_ms = ret_owner->expires_at_ms;
	lru_put(known, digest_span(&digest), ret_owner, until_ms);
	return ST_OK;
}
