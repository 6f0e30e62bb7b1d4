#include "common/io/jwt/jwt.h"
#include "common/base/base64url.h"
#include "common/base/mem.h"

#include <jwt.h>
#include <string.h>

static void libjwt_free(jwt_t **jwt)
{
	jwt_free(*jwt);
}

/*
 * The header and the claims, as libjwt writes them. libjwt takes NUL-terminated
 * texts.
 */
static enum status write_parts(const struct jwt_key *key, struct span claims,
                               char **ret_parts)
{
	/* Only a signature would read the key. */
	static const unsigned char no_key[] = "-";
	CLEANUP(libjwt_free) jwt_t *jwt = NULL;
	CLEANUP(mem_free)
	char *id = mem_text(jwt_key_id(key).data, jwt_key_id(key).len);
	CLEANUP(mem_free) char *text = mem_text(claims.data, claims.len);

	if (jwt_new(&jwt) || jwt_add_grants_json(jwt, text) ||
	    jwt_add_header(jwt, "kid", id) ||
	    jwt_set_alg(jwt, JWT_ALG_RS256, no_key, sizeof(no_key) - 1))
		return ST_BROKEN;
	*ret_parts = jwt_dump_str(jwt, 0);
	return *ret_parts ? ST_OK : ST_BROKEN;
}

/*
 * libjwt would parse the PEM text of the key for each signature, which takes
 * three times as long as to sign.
 */
enum status jwt_issue(const struct jwt_key *key, struct span claims,
                      struct buf *ret_token)
{
	static const char between[] = "}.{";
	CLEANUP(mem_free) char *parts = NULL;
	CLEANUP(buf_free) struct buf signature = BUF(JWT_SIGNATURE_MAX);
	size_t from = ret_token->len;
	const char *end;

	if (write_parts(key, claims, &parts) != ST_OK)
		return ST_BROKEN;
	end = strstr(parts, between);
	if (!end)
		return ST_BROKEN;
	base64url_encode(span_make(parts, (size_t)(end + 1 - parts)),
	                 ret_token);
	buf_byte(ret_token, '.');
	base64url_encode(span_of(end + 2), ret_token);
	if (buf_overflowed(ret_token) ||
	    jwt_key_sign(
		    key,
		    span_make(ret_token->data + from, ret_token->len - from),
		    &signature) != ST_OK)
		return ST_BROKEN;
	buf_byte(ret_token, '.');
	base64url_encode(buf_span(&signature), ret_token);
	return buf_overflowed(ret_token) ? ST_BROKEN : ST_OK;
}

static enum status deny(const char **ret_why, const char *why)
{
	*ret_why = why;
	return ST_DENIED;
}

/* Reads a part: a JSON object in base64url. */
static enum status read_part(struct span part, struct json **ret_json,
                             const char **ret_why)
{
	CLEANUP(buf_free) struct buf text = BUF(JWT_MAX);

	if (!base64url_decode(part, &text))
		return deny(ret_why, "bad base64url");
	if (json_parse(buf_span(&text), ret_json, ret_why) != ST_OK)
		return ST_DENIED;
	return ST_OK;
}

/* Refuses members that name a key or change how the token is read. */
static bool has_foreign_member(const struct json *header)
{
	static const char *const names[] = {"crit", "jku", "jwk",     "x5u",
	                                    "x5c",  "x5t", "b64",     "zip",
	                                    "cty",  "enc", "x5t#S256"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (json_kind(header, names[i]) != JSON_ABSENT)
			return true;
	}
	return false;
}

static bool member_is(const struct json *json, const char *name,
                      struct span want)
{
	struct span text;

	return json_get_text(json, name, &text) && span_equal(text, want);
}

static enum status header_key(const struct json *header, jwt_find_key *find,
                              void *context, const struct jwt_key **ret_key,
                              const char **ret_why)
{
	struct span id;

	if (!member_is(header, "alg", SPAN("RS256")))
		return deny(ret_why, "alg is not RS256");
	if (!member_is(header, "typ", SPAN("JWT")))
		return deny(ret_why, "typ is not JWT");
	if (has_foreign_member(header))
		return deny(ret_why, "header member not allowed");
	if (!json_get_text(header, "kid", &id))
		return deny(ret_why, "no kid");
	*ret_key = find(context, id);
	return *ret_key ? ST_OK : deny(ret_why, "unknown kid");
}

static bool cut_parts(struct span token, struct span parts[3],
                      struct span *ret_signed)
{
	struct span rest;

	if (!memchr(token.data, '.', token.len))
		return false;
	parts[0] = span_cut(token, '.', &rest);
	if (!memchr(rest.data, '.', rest.len))
		return false;
	parts[1] = span_cut(rest, '.', &parts[2]);
	*ret_signed =
		span_make(token.data, (size_t)(parts[2].data - 1 - token.data));
	return !memchr(parts[2].data, '.', parts[2].len);
}

static enum status check_signature(const struct jwt_key *key, struct span bytes,
                                   struct span part, const char **ret_why)
{
	CLEANUP(buf_free) struct buf signature = BUF(JWT_MAX);

	if (!base64url_decode(part, &signature))
		return deny(ret_why, "bad base64url");
	if (!jwt_key_verifies(key, bytes, buf_span(&signature)))
		return deny(ret_why, "bad signature");
	return ST_OK;
}

enum status jwt_key_id_of(struct span token, struct buf *ret_id)
{
	CLEANUP(json_destroy) struct json *header = NULL;
	struct span parts[3], signed_bytes, id;
	const char *why;

	if (token.len == 0 || token.len > JWT_MAX ||
	    !cut_parts(token, parts, &signed_bytes) ||
	    read_part(parts[0], &header, &why) != ST_OK ||
	    !json_get_text(header, "kid", &id))
		return ST_INVALID;
	buf_append(ret_id, id);
	return buf_overflowed(ret_id) ? ST_INVALID : ST_OK;
}

enum status jwt_check(struct span token, jwt_find_key *find, void *context,
                      struct json **ret_claims, const char **ret_why)
{
	CLEANUP(json_destroy) struct json *header = NULL;
	const struct jwt_key *key = NULL;
	struct span parts[3], signed_bytes;
	enum status status;

	if (token.len == 0 || token.len > JWT_MAX)
		return deny(ret_why, "empty or too long");
	if (!cut_parts(token, parts, &signed_bytes))
		return deny(ret_why, "not three parts");
	status = read_part(parts[0], &header, ret_why);
	if (status == ST_OK)
		status = header_key(header, find, context, &key, ret_why);
	if (status == ST_OK)
		status = check_signature(key, signed_bytes, parts[2], ret_why);
	if (status == ST_OK)
		status = read_part(parts[1], ret_claims, ret_why);
	return status;
}
