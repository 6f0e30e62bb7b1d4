/*
 * Any token. An input that starts like a JSON object is the claims of a token
 * that the harness signs; they must read back unchanged.
 */
#include "common/base/scope.h"
#include "common/io/jwt/jwt.h"
#include "tests/fuzz/fuzz.h"

static struct jwt_key *key;

static const struct jwt_key *find(void *context, struct span id)
{
	(void)context;
	must(id.len <= JWT_MAX);
	return span_equal(id, jwt_key_id(key)) ? key : NULL;
}

static void make_key(void)
{
	struct buf pem CLEANUP(buf_free) = BUF(JWT_KEY_PEM_MAX);

	if (key)
		return;
	must(jwt_key_generate(&pem) == ST_OK);
	must(jwt_key_create(SPAN("fuzz"), buf_span(&pem), &key) == ST_OK);
}

static void check_any(struct span token)
{
	struct json *claims CLEANUP(json_destroy) = NULL;
	const char *why = NULL;

	/* A token without a signature of this key is refused. */
	must(jwt_check(token, find, NULL, &claims, &why) == ST_DENIED);
	must(why && *why);
	must(claims == NULL);
}

static void check_id(struct span token)
{
	struct buf id CLEANUP(buf_free) = BUF(64);

	if (jwt_key_id_of(token, &id) == ST_OK)
		must(token.len <= JWT_MAX && !buf_overflowed(&id));
}

static void check_own(struct span text)
{
	struct buf token CLEANUP(buf_free) = BUF(2 * JWT_MAX);
	struct json *before CLEANUP(json_destroy) = NULL;
	struct json *after CLEANUP(json_destroy) = NULL;
	struct span sub;
	struct span read;
	const char *why = NULL;

	if (json_parse(text, &before, &why) != ST_OK ||
	    jwt_issue(key, text, &token) != ST_OK)
		return;
	if (jwt_check(buf_span(&token), find, NULL, &after, &why) != ST_OK) {
		must(buf_overflowed(&token) || token.len > JWT_MAX);
		return;
	}
	check_id(buf_span(&token));
	if (json_get_text(before, "sub", &sub)) {
		must(json_get_text(after, "sub", &read));
		must(span_equal(sub, read));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_key();
	if (size == 0)
		return 0;
	if (data[0] == '{')
		check_own(span_make(data, size));
	else
		check_any(span_make(data, size));
	check_id(span_make(data, size));
	return 0;
}
