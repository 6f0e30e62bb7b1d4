/*
 * The tests create tokens with OpenSSL, also such that jwt_issue() never
 * creates: correctly signed, with one fault each.
 */
#include "common/base/mem.h"
#include "common/io/jwt/jwt.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GOOD_HEADER "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}"
#define GOOD_CLAIMS "{\"sub\":\"7\",\"exp\":9007199254740991}"

static struct jwt_key *key, *other_key;
static struct buf key_pem, other_pem;

static int make_keys(void **state)
{
	(void)state;
	key_pem = BUF(JWT_KEY_PEM_MAX);
	other_pem = BUF(JWT_KEY_PEM_MAX);
	assert_int_equal(jwt_key_generate(&key_pem), ST_OK);
	assert_int_equal(jwt_key_create(SPAN("k1"), buf_span(&key_pem), &key),
	                 ST_OK);
	assert_int_equal(jwt_key_generate(&other_pem), ST_OK);
	assert_int_equal(
		jwt_key_create(SPAN("k2"), buf_span(&other_pem), &other_key),
		ST_OK);
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	jwt_key_destroy(&key);
	jwt_key_destroy(&other_key);
	buf_free(&key_pem);
	buf_free(&other_pem);
	return 0;
}

static const struct jwt_key *find(void *context, struct span id)
{
	(void)context;
	return span_equal(id, jwt_key_id(key)) ? key : NULL;
}

static enum status check(const char *token)
{
	struct json *claims = NULL;
	const char *why = NULL;
	enum status status =
		jwt_check(span_of(token), find, NULL, &claims, &why);

	assert_true(status == ST_OK ? claims != NULL : why != NULL);
	json_destroy(&claims);
	return status;
}

static void append_base64url(struct buf *out, const void *data, size_t len)
{
	char text[8192];
	int n = EVP_EncodeBlock((unsigned char *)text, data, (int)len);

	for (int i = 0; i < n && text[i] != '='; i++)
		buf_byte(out, text[i] == '+'   ? '-'
		              : text[i] == '/' ? '_'
		                               : text[i]);
}

static EVP_PKEY *load(const struct jwt_key *k)
{
	struct span text = buf_span(k == key ? &key_pem : &other_pem);
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	(void)BIO_free(bio);
	assert_non_null(pkey);
	return pkey;
}

static void sign(struct buf *token, const struct jwt_key *k, const EVP_MD *md)
{
	EVP_PKEY *pkey = load(k);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);

	assert_int_equal(EVP_DigestSignInit(context, NULL, md, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &len,
	                                (unsigned char *)token->data,
	                                token->len),
	                 1);
	buf_byte(token, '.');
	append_base64url(token, signature, len);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
}

static void begin(struct buf *token, const char *header, const char *claims)
{
	append_base64url(token, header, strlen(header));
	buf_byte(token, '.');
	append_base64url(token, claims, strlen(claims));
}

/* Correctly signed by `k`, whatever it says. */
static enum status check_signed(const char *header, const char *claims,
                                const struct jwt_key *k, const EVP_MD *md)
{
	CLEANUP(buf_free) struct buf token = BUF(65536);

	begin(&token, header, claims);
	sign(&token, k, md);
	return check(buf_text(&token));
}

static void an_issued_token_is_accepted(void **state)
{
	CLEANUP(buf_free) struct buf token = BUF(JWT_MAX);
	CLEANUP(json_destroy) struct json *claims = NULL;
	const char *why;
	struct span sub;
	uint64_t exp;

	(void)state;
	assert_int_equal(jwt_issue(key, SPAN(GOOD_CLAIMS), &token), ST_OK);
	assert_int_equal(jwt_check(buf_span(&token), find, NULL, &claims, &why),
	                 ST_OK);
	assert_true(json_get_text(claims, "sub", &sub));
	assert_true(span_equal(sub, SPAN("7")));
	assert_true(json_get_id(claims, "exp", &exp));
	assert_int_equal(exp, JSON_ID_MAX);
}

static void a_token_of_another_signer_is_read_the_same(void **state)
{
	(void)state;
	assert_int_equal(
		check_signed(GOOD_HEADER, GOOD_CLAIMS, key, EVP_sha256()),
		ST_OK);
}

static void a_foreign_key_is_denied(void **state)
{
	(void)state;
	assert_int_equal(
		check_signed(GOOD_HEADER, GOOD_CLAIMS, other_key, EVP_sha256()),
		ST_DENIED);
	assert_int_equal(check_signed("{\"alg\":\"RS256\",\"typ\":\"JWT\","
	                              "\"kid\":\"k2\"}",
	                              GOOD_CLAIMS, other_key, EVP_sha256()),
	                 ST_DENIED);
}

static void another_digest_is_denied(void **state)
{
	(void)state;
	assert_int_equal(
		check_signed(GOOD_HEADER, GOOD_CLAIMS, key, EVP_sha512()),
		ST_DENIED);
	assert_int_equal(check_signed("{\"alg\":\"RS512\",\"typ\":\"JWT\","
	                              "\"kid\":\"k1\"}",
	                              GOOD_CLAIMS, key, EVP_sha512()),
	                 ST_DENIED);
}

#define HEADER_WITH(member) \
	"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"," member "}"

static void signed_headers_of_another_form_are_denied(void **state)
{
	static const char *const bad[] = {
		"{\"alg\":\"none\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"None\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"rs256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":[\"RS256\"],\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":null,\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"RS256\",\"kid\":\"k1\"}",
		"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":1}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1 \"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"../k1\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"' OR 1=1\"}",
		"{\"alg\":\"RS256\",\"alg\":\"RS256\",\"typ\":\"JWT\","
		"\"kid\":\"k1\"}",
		HEADER_WITH("\"kid\":\"k1\""),
		HEADER_WITH("\"jku\":\"http://127.0.0.1/\""),
		HEADER_WITH("\"jwk\":{}"),
		HEADER_WITH("\"x5u\":\"http://127.0.0.1/\""),
		HEADER_WITH("\"crit\":[\"exp\"]"),
		HEADER_WITH("\"zip\":\"DEF\""),
		GOOD_HEADER " x",
		"[" GOOD_HEADER "]",
		"\"RS256\"",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (check_signed(bad[i], GOOD_CLAIMS, key, EVP_sha256()) !=
		    ST_DENIED)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void signed_claims_that_are_no_strict_object_are_denied(void **state)
{
	static const char *const bad[] = {"",
	                                  "[]",
	                                  "null",
	                                  "{\"sub\":\"7\",\"sub\":\"8\"}",
	                                  "{\"sub\":\"7\"}{}",
	                                  "{\"sub\":\"\\u0000\"}",
	                                  "{'sub':7}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (check_signed(GOOD_HEADER, bad[i], key, EVP_sha256()) !=
		    ST_DENIED)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void our_public_key_is_no_secret(void **state)
{
	CLEANUP(buf_free) struct buf token = BUF(65536);
	EVP_PKEY *pkey = load(key);
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char mac[32];
	char *pem;
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	len = BIO_get_mem_data(bio, &pem);
	begin(&token, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
	      GOOD_CLAIMS);
	(void)HMAC(EVP_sha256(), pem, (int)len, (unsigned char *)token.data,
	           token.len, mac, NULL);
	buf_byte(&token, '.');
	append_base64url(&token, mac, sizeof(mac));
	assert_int_equal(check(buf_text(&token)), ST_DENIED);
	(void)BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void spoilt_bytes_are_denied(void **state)
{
	CLEANUP(buf_free) struct buf token = BUF(65536);
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(jwt_issue(key, SPAN(GOOD_CLAIMS), &token), ST_OK);
	len = token.len;
	text = mem_text(token.data, len);
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(check(text), ST_DENIED);
		text[i] = '=';
		assert_int_equal(check(text), ST_DENIED);
		text[i] = was;
	}
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		text[i] = '\0';
		assert_int_equal(check(text), ST_DENIED);
		text[i] = was;
	}
	assert_int_equal(check(text), ST_OK);
	mem_free(&text);
}

static void other_shapes_are_denied(void **state)
{
	static const char *const endings[] = {".",  ".e30", "=",   "==", " ",
	                                      "\n", "A",    "%00", "."};
	static const char *const bad[] = {
		"",      "a",        ".",
		"..",    "...",      "a.b",
		"a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."};
	CLEANUP(buf_free) struct buf token = BUF(65536);
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(check(bad[i]), ST_DENIED);
	assert_int_equal(jwt_issue(key, SPAN(GOOD_CLAIMS), &token), ST_OK);
	len = token.len;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		token.len = len;
		buf_append(&token, span_of(endings[i]));
		assert_int_equal(check(buf_text(&token)), ST_DENIED);
	}
	/* Cut off: the signature is empty. */
	token.len = (size_t)(strrchr(buf_text(&token), '.') + 1 - token.data);
	assert_int_equal(check(buf_text(&token)), ST_DENIED);
}

static void a_signed_token_over_4_kib_is_denied(void **state)
{
	CLEANUP(buf_free) struct buf claims = BUF(65536);

	(void)state;
	buf_append(&claims, SPAN("{\"sub\":\""));
	while (claims.len < 4000)
		buf_byte(&claims, 'x');
	buf_append(&claims, SPAN("\"}"));
	assert_int_equal(
		check_signed(GOOD_HEADER, buf_text(&claims), key, EVP_sha256()),
		ST_DENIED);
}

static void the_id_of_the_key_is_read_from_any_token(void **state)
{
	static const struct {
		const char *token;
		const char *id; /* NULL: not of the form of a token */
	} rows[] = {
		{"eyJraWQiOiJhIn0.e30.x", "a"},
		{"eyJhbGciOiJub25lIiwia2lkIjoiYSJ9..", "a"},
		{"", NULL},
		{"x", NULL},
		{".", NULL},
		{"..", NULL},
		{"eyJraWQiOiJhIn0.e30", NULL},
		{"eyJraWQiOiJhIn0.e30.x.x", NULL},
		{"eyJraWQiOiJhIn0=.e30.x", NULL},
		{"eyJraWQiOjF9.e30.x", NULL},               /* a number */
		{"e30.e30.x", NULL},                        /* no kid */
		{"W10.e30.x", NULL},                        /* an array */
		{"eyJraWQiOiJhIiwia2lkIjoiYSJ9.e.x", NULL}, /* twice */
		{"eyJraWQiOiIxMjM0NTY3ODkifQ.e30.x", NULL}, /* too long */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_free) struct buf id = BUF(8);
		enum status status = jwt_key_id_of(span_of(rows[i].token), &id);

		if ((status == ST_OK) != (rows[i].id != NULL))
			fail_msg("row %zu: %s", i, status_text(status));
		if (rows[i].id)
			assert_string_equal(buf_text(&id), rows[i].id);
	}
}

static void text_that_is_no_private_rsa_key_is_refused(void **state)
{
	struct jwt_key *none = NULL;
	static const char *const bad[] = {
		"", "x",
		"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			jwt_key_create(SPAN("k"), span_of(bad[i]), &none),
			ST_INVALID);
	assert_int_equal(
		jwt_key_create(SPAN("k"),
	                       span_make(key_pem.data, key_pem.len / 2), &none),
		ST_INVALID);
	assert_int_equal(jwt_key_create(SPAN(""), buf_span(&key_pem), &none),
	                 ST_INVALID);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_issued_token_is_accepted),
		cmocka_unit_test(a_token_of_another_signer_is_read_the_same),
		cmocka_unit_test(a_foreign_key_is_denied),
		cmocka_unit_test(another_digest_is_denied),
		cmocka_unit_test(signed_headers_of_another_form_are_denied),
		cmocka_unit_test(
			signed_claims_that_are_no_strict_object_are_denied),
		cmocka_unit_test(our_public_key_is_no_secret),
		cmocka_unit_test(spoilt_bytes_are_denied),
		cmocka_unit_test(other_shapes_are_denied),
		cmocka_unit_test(a_signed_token_over_4_kib_is_denied),
		cmocka_unit_test(the_id_of_the_key_is_read_from_any_token),
		cmocka_unit_test(text_that_is_no_private_rsa_key_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
