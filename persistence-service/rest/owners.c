#include "persistence-service/rest/owners.h"

#include "common/base/clock.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/io/digest.h"

enum { OWNERS_MAX = 20000, KEEP_MS = 30000 };

struct owners {
	struct lru *known; /* by the token's digest */
};

struct owners *owners_create(void)
{
	struct owners *owners = mem_new(sizeof(*owners));

	owners->known = lru_create(OWNERS_MAX, sizeof(struct token_owner));
	return owners;
}

void owners_destroy(struct owners **owners)
{
	if (!*owners)
		return;
	lru_destroy(&(*owners)->known);
	mem_free(owners);
}

static enum status read_owner(enum status asked,
                              const struct http_answer *answer, void *ret_owner)
{
	return identity_read_owner(asked, answer, ret_owner);
}

enum status owners_ask(struct owners *owners, struct asker *asker,
                       struct span token, struct token_owner *ret_owner)
{
	uint64_t now_ms = clock_unix_ms();
	struct digest digest;
	enum status status;
	uint64_t until_ms;

	if (token.len == 0 || token.len > TOKEN_MAX)
		return ST_DENIED;
	digest_make(token, &digest);
	if (lru_get(owners->known, digest_span(&digest), now_ms, ret_owner))
		return ST_OK;
	status = asker_ask(asker, IDENTITY_LOOKUP_PATH, token, read_owner,
	                   ret_owner);
	if (status != ST_OK)
		return status;
	until_ms = now_ms + KEEP_MS;
	if (until_ms > ret_owner->expires_at_ms)
		until_ms = ret_owner->expires_at_ms;
	lru_put(owners->known, digest_span(&digest), ret_owner, until_ms);
	return ST_OK;
}
