#include "identity-service/keys/token.h"
#include "common/base/json_write.h"
#include "common/base/lru.h"
#include "common/base/mem.h"
#include "common/io/digest.h"
#include "common/io/jwt/jwt.h"
#include "identity-service/identity_metrics.h"

#include <string.h>

enum { CLOCK_SKEW_S = 60, CLAIMS_MAX = 3000 };

struct tokens {
	struct token_rules rules;
	struct lru *cache; /* digest → struct verified_token */
};

struct verified_token {
	struct token_owner owner;
	struct uuid session;
	unsigned generation; /* of the keyring at verification */
};

struct tokens *tokens_create(const struct token_rules *rules)
{
	struct tokens *tokens = mem_new(sizeof(*tokens));

	tokens->rules = *rules;
	tokens->cache =
		lru_create(rules->cache_entries, sizeof(struct verified_token));
	return tokens;
}

void tokens_destroy(struct tokens **tokens)
{
	struct tokens *t = MOVE(*tokens);

	if (!t)
		return;
	lru_destroy(&t->cache);
	mem_free(&t);
}

size_t tokens_cached(struct tokens *tokens)
{
	return lru_count(tokens->cache);
}

uint64_t token_expiry_ms(const struct tokens *tokens, uint64_t now_unix_ms)
{
	return (now_unix_ms / 1000 + tokens->rules.ttl_s) * 1000;
}

static void write_uuid(struct json_writer *w, const char *name,
                       const struct uuid *uuid)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(uuid, text);
	json_text(w, name, span_make(text, UUID_TEXT_LEN));
}

static void write_claims(const struct token_rules *rules, uint64_t user,
                         struct span name, const struct uuid *session,
                         uint64_t now_s, struct buf *claims)
{
	struct json_writer w = json_writer(claims);
	CLEANUP(buf_free) struct buf subject = BUF(32);
	struct uuid id;

	uuid_make(&id);
	buf_number(&subject, user);
	json_open(&w);
	json_text(&w, "iss", span_of(rules->issuer));
	json_text(&w, "aud", span_of(rules->audience));
	json_text(&w, "sub", buf_span(&subject));
	json_text(&w, "name", name);
	write_uuid(&w, "sid", session);
	write_uuid(&w, "jti", &id);
	json_number(&w, "iat", now_s);
	json_number(&w, "exp", now_s + rules->ttl_s);
	json_close(&w);
}

enum status token_issue(struct tokens *tokens, uint64_t user, struct span name,
                        const struct uuid *session, uint64_t now_unix_ms,
                        struct buf *ret_token)
{
	const struct jwt_key *key = keyring_signer(tokens->rules.keyring);
	CLEANUP(buf_free) struct buf claims = BUF(CLAIMS_MAX);

	if (!key)
		return ST_UNAVAILABLE;
	write_claims(&tokens->rules, user, name, session, now_unix_ms / 1000,
	             &claims);
	if (buf_overflowed(&claims))
		return ST_BROKEN;
	return jwt_issue(key, buf_span(&claims), ret_token);
}

static const struct jwt_key *find_key(void *context, struct span id)
{
	return keyring_find(context, id);
}

static bool text_is(const struct json *claims, const char *name,
                    const char *want)
{
	struct span text;

	return json_get_text(claims, name, &text) &&
	       span_equal(text, span_of(want));
}

static const char *time_fault(const struct json *claims, uint64_t now_unix_ms,
                              struct token_owner *owner)
{
	uint64_t now_s = now_unix_ms / 1000;
	uint64_t exp, iat, nbf = 0;

	if (!json_get_id(claims, "exp", &exp))
		return "exp is not a whole number";
	if (!json_get_id(claims, "iat", &iat))
		return "iat is not a whole number";
	if (json_kind(claims, "nbf") != JSON_ABSENT &&
	    !json_get_id(claims, "nbf", &nbf))
		return "nbf is not a whole number";
	if (exp * 1000 <= now_unix_ms)
		return "expired";
	if (iat > now_s + CLOCK_SKEW_S || nbf > now_s + CLOCK_SKEW_S)
		return "not valid yet";
	owner->expires_at_ms = exp * 1000;
	return NULL;
}

static const char *identity_fault(const struct json *claims,
                                  struct verified_token *verified)
{
	struct token_owner *owner = &verified->owner;
	struct span sub, sid, name, jti;

	if (!json_get_text(claims, "sub", &sub) ||
	    !span_to_u64(sub, JSON_ID_MAX, &owner->user) || !owner->user)
		return "sub is not a user id";
	if (!json_get_text(claims, "sid", &sid) ||
	    !uuid_parse(sid, &verified->session))
		return "sid is not a session id";
	if (!json_get_text(claims, "jti", &jti) || !jti.len)
		return "no jti";
	if (!json_get_text(claims, "name", &name) || !name.len ||
	    name.len > USER_NAME_MAX_BYTES)
		return "no name";
	uuid_format(&verified->session, owner->session);
	memcpy(owner->name, name.data, name.len);
	owner->name[name.len] = '\0';
	return NULL;
}

static const char *claims_fault(const struct token_rules *rules,
                                const struct json *claims, uint64_t now_unix_ms,
                                struct verified_token *verified)
{
	const char *why;

	if (!text_is(claims, "iss", rules->issuer) &&
	    !text_is(claims, "iss", rules->issuer_before))
		return "wrong iss";
	if (!text_is(claims, "aud", rules->audience))
		return "wrong aud";
	why = time_fault(claims, now_unix_ms, &verified->owner);
	return why ? why : identity_fault(claims, verified);
}

static enum status verify(struct tokens *tokens, struct span token,
                          uint64_t now_unix_ms, struct verified_token *verified,
                          const char **ret_why)
{
	CLEANUP(json_destroy) struct json *claims = NULL;
	enum status status;

	if (!keyring_signer(tokens->rules.keyring))
		return ST_UNAVAILABLE;
	metric_count(&identity_metrics_verifications, 1);
	status = jwt_check(token, find_key, tokens->rules.keyring, &claims,
	                   ret_why);
	if (status != ST_OK)
		return status;
	*ret_why = claims_fault(&tokens->rules, claims, now_unix_ms, verified);
	return *ret_why ? ST_DENIED : ST_OK;
}

/* Reads the cache; verifies the token and caches it if absent. */
static enum status verify_cached(struct tokens *tokens, struct span token,
                                 uint64_t now_unix_ms,
                                 struct verified_token *verified,
                                 const char **ret_why)
{
	unsigned generation = keyring_generation(tokens->rules.keyring);
	struct digest digest;
	enum status status;

	digest_make(token, &digest);
	if (lru_get(tokens->cache, digest_span(&digest), now_unix_ms,
	            verified) &&
	    verified->generation == generation)
		return ST_OK;
	*verified = (struct verified_token){.generation = generation};
	status = verify(tokens, token, now_unix_ms, verified, ret_why);
	if (status == ST_OK)
		lru_put(tokens->cache, digest_span(&digest), verified,
		        verified->owner.expires_at_ms);
	return status;
}

struct learning {
	const struct token_rules *rules;
	struct span kid;
};

static enum status learn(struct sql *sql, void *argument)
{
	const struct learning *learning = argument;

	return signing_keys_learn(learning->rules->keyring, sql,
	                          learning->rules->keys, learning->kid);
}

/* ST_OK: the keyring has the key of the token now. Else as token_owner(). */
static enum status learn_key(struct tokens *tokens, struct database *database,
                             struct span token)
{
	CLEANUP(buf_free) struct buf kid = BUF(UUID_TEXT_LEN);
	struct learning learning = {.rules = &tokens->rules};
	enum status status;
	struct uuid uuid;

	if (jwt_key_id_of(token, &kid) != ST_OK ||
	    !uuid_parse(buf_span(&kid), &uuid) ||
	    keyring_find(tokens->rules.keyring, buf_span(&kid)))
		return ST_DENIED;
	if (!database)
		return ST_NOT_FOUND;
	learning.kid = buf_span(&kid);
	status = database_run(database, learn, &learning);
	return status == ST_NOT_FOUND ? ST_DENIED : status;
}

enum status token_owner(struct tokens *tokens, struct database *database,
                        struct span token, uint64_t now_unix_ms,
                        struct token_owner *ret_owner, const char **ret_why)
{
	struct verified_token verified = {0};
	enum status status = ST_OK;

	if (token.len == 0 || token.len > JWT_MAX) {
		*ret_why = token.len ? "too long" : "no token";
		return ST_DENIED;
	}
	status = verify_cached(tokens, token, now_unix_ms, &verified, ret_why);
	if (status == ST_DENIED) {
		status = learn_key(tokens, database, token);
		if (status == ST_OK)
			status = verify_cached(tokens, token, now_unix_ms,
			                       &verified, ret_why);
	}
	if (status != ST_OK)
		return status;
	if (revocations_have(tokens->rules.revocations, &verified.session,
	                     now_unix_ms)) {
		*ret_why = "revoked";
		return ST_DENIED;
	}
	*ret_owner = verified.owner;
	return ST_OK;
}

enum status token_claims(struct tokens *tokens, struct database *database,
                         struct span token, uint64_t now_unix_ms,
                         struct json **ret_claims, const char **ret_why)
{
	struct token_owner owner;
	enum status status = token_owner(tokens, database, token, now_unix_ms,
	                                 &owner, ret_why);

	return status == ST_OK
	               ? jwt_check(token, find_key, tokens->rules.keyring,
	                           ret_claims, ret_why)
	               : status;
}
